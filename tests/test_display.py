"""Numbers, sentences and charts as they are shown, and what a notebook shows by itself."""

from __future__ import annotations

import io
import json
import re
import sys
import types
from typing import Any

import matplotlib
import numpy as np
import pandas
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from derivable import MSE, Comparison, Descent, Flow, Network, Tanh, compare, descend
from derivable.data import load_diabetes
from derivable.descent import State
from derivable.display import numbers, progress, style
from derivable.display.chart import Chart, title
from derivable.display.curves import Curves, draw_losses
from derivable.display.messages import MESSAGES
from derivable.display.words import Words
from derivable.protocol import parse_models
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (0.0, "0", "0"),
        (0.47774, "0.4777", "0,4777"),
        (-1.35844, "−1.3584", "−1,3584"),
        (0.0123456, "0.01235", "0,01235"),
        (999.5, "999.5000", "999,5000"),
        (12345.678, "12,345.7", "12\u202f345,7"),
        (1234567.8, "1,234,568", "1\u202f234\u202f568"),
        (5.1234567e9, "5.1235×10⁹", "5,1235×10⁹"),
        (9.99999e-8, "1.0000×10⁻⁷", "1,0000×10⁻⁷"),
    ],
)
def test_a_number_has_digits_that_say_something(value: float, english: str, french: str) -> None:
    assert numbers.number(value) == english
    assert numbers.number(value, "fr") == french


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.5, "0.5"), (2000.0, "2,000"), (1e-4, "10⁻⁴"), (9999999.0, "10⁷"), (-2.5e-9, "−2.5×10⁻⁹")],
)
def test_a_short_number_has_no_zeros_at_its_end(value: float, expected: str) -> None:
    assert numbers.short(value) == expected


@pytest.mark.parametrize(
    ("value", "spread", "expected"),
    [
        (0.4777, 0.0049, "0.4777 ± 0.0049"),
        (1.9115e8, 9.38e6, "(1.9115 ± 0.0938)×10⁸"),
        (9.99999e-8, 2e-9, "(1.0000 ± 0.0200)×10⁻⁷"),
    ],
)
def test_a_spread_shares_the_power_of_ten(value: float, spread: float, expected: str) -> None:
    assert numbers.with_spread(value, spread) == expected


def test_percent() -> None:
    assert numbers.percent(0.637) == "64%"
    assert numbers.percent(0.9962) == "99.62%"
    assert numbers.percent(0.999996) == "99.99%", "not all"
    assert numbers.percent(1.0) == "100%"
    assert numbers.percent(0.0123, "fr") == "1,2\u202f%"


def test_a_deviation_that_was_not_measured_is_no_number() -> None:
    assert Words("en").deviation(np.inf, exact=False) == MESSAGES.text("unmeasured", "en")
    assert Words("fr").deviation(np.inf, exact=False) == MESSAGES.text("unmeasured", "fr")
    assert Words("en").deviation(np.inf, exact=True) == "exact"
    assert "0.012" in Words("en").deviation(0.012, exact=False)


def test_every_sentence_is_used() -> None:
    folder = ROOT / "src" / "derivable"
    sources = "".join(
        path.read_text(encoding="utf-8")
        for path in folder.rglob("*.py")
        if path.name not in {"messages.py", "reported.py", "en.py", "fr.py"}
    )
    made = {"method_steps", "method_spectral", "method_flow"}
    made |= {f"{kind}_alt" for kind in ("predictions", "residuals")}
    used = {key for key in MESSAGES if re.search(f"['\"]{key.removesuffix('_one')}['\"]", sources)}
    unused = set(MESSAGES) - used - made
    assert not unused


def test_the_note_of_an_estimate_is_known_in_both_languages() -> None:
    french, english = Words("fr"), Words("en")
    x = torch.randn(30, 2, generator=torch.Generator().manual_seed(0))
    network = Network.mlp(2, 3, 1, activation=Tanh, seed=0)
    steep = descend(network, MSE, x, x[:, :1], lr=0.4, steps=2500, method="flow")
    note = steep.error_estimate.note
    assert english.of(note) == note
    assert "which is not small" in note
    assert "pas petit" in french.of(note)
    assert french.of("any other text") == "any other text"


def drawn(models: list[Curves]) -> Axes:
    axes = Figure().add_subplot()
    draw_losses(axes, models)
    axes.figure.draw_without_rendering()  # type: ignore[union-attr]
    return axes


def test_curves_are_drawn_where_a_loss_is_zero_or_ends_early() -> None:
    ended = np.array([[4.0, 2.0, 0.0, np.nan], [4.0, 3.0, 1.0, 0.5]])
    axes = drawn([Curves("a", ended), Curves("b", np.array([[1.0]]))])
    low, high = axes.get_ylim()
    assert 0 < low <= 0.5
    assert high >= 4
    assert Curves("a", ended).last == pytest.approx(0.25)
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["a  0.2500", "b  1.0000"]


def test_test_losses_below_all_training_losses_are_drawn_as_they_are() -> None:
    steps, losses = np.array([0.0, 1.0, 2.0]), np.array([3.0, 0.5, 0.25])
    axes = drawn([Curves("a", np.array([[3.0, 2.0, 1.0]]), steps, losses)])
    thick, thin = axes.lines
    assert np.asarray(thick.get_ydata()).tolist() == [3, 2, 1]
    assert np.asarray(thin.get_ydata()).tolist() == [0.5, 0.25]


def test_an_axis_has_ticks_whatever_it_spans() -> None:
    for losses in ([1.36, 1.35], [5.0, 1.0], [1e9, 1e-9], [3e24, 2.9e24]):
        axes = drawn([Curves("a", np.array([losses]))])
        low, high = axes.get_ylim()
        seen = [y for y in axes.get_yticks() if low <= y <= high]
        assert 2 <= len(seen) <= 10, losses


def test_a_chart_in_a_page_takes_its_colours_and_keeps_its_text() -> None:
    def svg(title: str) -> str:
        with style.chart() as figure:
            axes = figure.add_subplot()
            axes.plot([0, 1], [0, 1], color=style.colour(0))
            axes.set_title(title)
        return Chart(figure).inline('a "label" <')

    one, other = svg('#0072b2 12.345678 id="x" <script>'), svg("another")
    assert "var(--series-0, #0072B2)" in one
    assert "currentColor" in one
    assert '#0072b2 12.345678 id="x" &lt;script&gt;' in one
    assert 'aria-label="a &#34;label&#34; &lt;"' in one
    ids = [set(re.findall(r' id="([^"]+)"', text)) for text in (one, other)]
    assert not ids[0] & ids[1]
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', one)) <= ids[0]
    assert one == svg('#0072b2 12.345678 id="x" <script>'), "the same chart, the same file"


def test_a_page_has_a_chart_without_its_title_and_panels_one_by_one() -> None:
    with style.chart(layout=None) as figure:
        for i in range(2):
            axes = figure.add_axes((0.5 * i + 0.1, 0.1, 0.3, 0.7))
            axes.plot([0, 1], [0, 1], color=style.colour(i))
            axes.set_xlabel(f"panel {i}")
        title(figure.axes[0], "The title")
    chart = Chart(figure)
    whole, panels = chart.inline("both"), [chart.inline_panel(i, BOXES[i], "one") for i in (0, 1)]
    assert b"The title" in chart.svg
    assert "The title" not in whole
    assert [view(svg)[2] for svg in (whole, *panels)] == [576, 288, 288]
    assert view(whole)[1] > 0, "nor is there room for it"
    for i, svg in enumerate(panels):
        assert (f"panel {i}" in svg, f"panel {1 - i}" in svg) == (True, False)
        assert view(svg)[0] == 288 * i


BOXES = ((0.0, 0.0, 4.0, 4.8), (4.0, 0.0, 4.0, 4.8))  # inches


def view(svg: str) -> list[float]:
    found = re.search(r'viewBox="([^"]*)"', svg)
    assert found
    return [float(number) for number in found[1].split()]


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    assert style.shortened("short\n name\x07") == "short name"
    long = style.shortened("the share of houses with a garden, 2019", 20)
    assert len(long) == 20
    assert (long[:5], long[-4:]) == ("the s", "2019")


@pytest.fixture(scope="module")
def run() -> Descent:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(50, 3, generator=generator)
    network = Network.mlp(3, 5, 1, activation=Tanh, seed=0)
    return descend(network, MSE, x, x[:, :1], lr=0.1, steps=40)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(load_diabetes(), parse_models("linear,tanh:3"), steps=20, seeds=2)


def test_frames(run: Descent, comparison: Comparison) -> None:
    frame = run.to_frame()
    assert frame.columns == ["step", "loss"]
    assert frame["loss"].to_list() == run.losses.tolist()
    assert frame["step"].to_list() == list(range(41))
    models = comparison.to_frame()
    assert models["model"].to_list() == ["linear", "tanh(3)"]
    assert models["test_loss"].to_list() == [r.test_loss for r in comparison.results]
    assert pandas.DataFrame(models.to_dict(as_series=False)).shape == (2, len(models.columns))


def test_plots_are_axes(run: Descent, comparison: Comparison) -> None:
    from matplotlib import pyplot

    with matplotlib.rc_context({"backend": "agg"}):
        mine = Figure().add_subplot()
        assert run.plot(ax=mine) is mine
        assert mine.lines[0].get_ydata()[-1] == pytest.approx(run.train_loss)  # type: ignore[index]
        assert len(comparison.plot(ax=Figure().add_subplot()).lines) == 4
        assert len(comparison.plot(ax=Figure().add_subplot(), test=False).lines) == 2
        before = pyplot.get_fignums()
        new = comparison.plot()
        assert len(pyplot.get_fignums()) == len(before) + 1, "a notebook shows it by itself"
        pyplot.close(new.figure)  # type: ignore[arg-type]


def test_a_card_speaks_french(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVABLE_LANG", "fr")
    x, y = torch.eye(4), torch.ones(4, 1)
    network = Network.mlp(4, 2, 1, seed=0)
    content = descend(network, MSE, x, y, method="lbfgs", steps=2)._repr_html_()
    assert (
        "<td>exact\u00a0; des pas propres à la méthode, et non ceux de la descente de gradient</td>"
        in content
    )


def test_what_a_notebook_shows(run: Descent, comparison: Comparison) -> None:
    content = run._repr_html_()
    assert f"→ {numbers.number(run.train_loss)}" in content
    assert content.count("<svg") == 1
    content = comparison._repr_html_()
    assert content.count("<svg") == 1
    for result in comparison.results:
        assert f"{result.test_loss:.4f} ±" in content
    assert "<script" not in content
    assert repr(comparison).startswith("Comparison(linear, tanh(3) on diabetes, 20 steps; lowest")


class Handle:
    """What IPython's display gives back: every picture that was shown, as it then was."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def update(self, picture: Any) -> None:
        self.shown.append(picture._repr_html_())


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Handle:
    """As if this ran in a notebook: an IPython whose shell has a kernel."""
    handle = Handle()

    def display(picture: Any, *, display_id: bool) -> Handle:
        assert display_id
        handle.update(picture)
        return handle

    ipython = types.SimpleNamespace(
        version_info=(9, 0),  # matplotlib asks, where no figure was drawn before
        get_ipython=lambda: types.SimpleNamespace(kernel=object()),
        display=types.SimpleNamespace(display=display),
    )
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setattr(progress, "PAUSE", 0.0)
    return handle


def test_progress_in_a_notebook_is_one_picture_that_stays(notebook: Handle) -> None:
    found = compare(load_diabetes(), parse_models("linear,tanh:3"), steps=1200, watch=True)
    first, last = notebook.shown[0], notebook.shown[-1]
    assert first.count("waiting") == 2
    assert "waiting" not in last
    assert last.count("1,200 / 1,200") == 2
    for result in found.results:
        assert f"loss {numbers.number(result.descent.train_loss)}" in last
    assert "<polyline" in last
    assert "<script" not in last


def test_progress_that_is_broken_off_leaves_where_it_was(notebook: Handle) -> None:
    def broken_off() -> None:
        with progress.bars(["<a>", "b"], 10, visible=True) as update:
            update("<a>", 3, 0.5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert "3 / 10" in notebook.shown[-1]
    assert "<b>&lt;a&gt;</b>" in notebook.shown[-1]
    assert "waiting" in notebook.shown[-1]


def test_a_long_descent_does_not_fill_the_notebook(
    notebook: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PAUSE", 1e9)
    with progress.bars([""], 10_000, visible=True) as update:
        for step in range(1, 10_001):
            update("", step, 1 / step)
    assert len(notebook.shown) == 2, "the first and the last"
    points = re.findall(r'points="([^"]+)"', notebook.shown[-1])[0].split()
    assert progress.POINTS / 2 <= len(points) <= progress.POINTS + 1
    assert (float(points[0].split(",")[0]), float(points[-1].split(",")[0])) == (0, progress.WIDE)


def points_of(picture: str) -> list[float]:
    """The horizontal positions of the points of a small curve."""
    found = re.findall(r'points="([^"]+)"', picture)[0].split()
    return [float(point.split(",")[0]) for point in found]


def test_the_small_curve_of_a_flow_that_is_integrated_again_goes_forward(
    notebook: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PAUSE", 1e9)
    x = torch.randn(200, 8)
    network, seen = Network.mlp(8, 10, 1), []
    with progress.bars(["flow"], 20_000, visible=True) as update:

        def on_block(state: State) -> None:
            seen.append(state.step)
            update("flow", state.step, state.loss)

        run = descend(
            network, MSE, x, torch.sin(x[:, :1]), lr=1e-3, steps=20_000, method=Flow(),
            on_block=on_block,
        )  # fmt: skip
    assert seen != sorted(seen), "it went back to its start"
    at = points_of(notebook.shown[-1])
    assert at == sorted(at)
    assert len(set(at)) > 5
    assert (at[0], at[-1]) == (0, progress.WIDE)
    assert run.steps == 20_000


def test_progress_without_anybody_to_see_it(capfd: pytest.CaptureFixture[str]) -> None:
    x = torch.randn(20, 2)
    descend(Network.linear(2), MSE, x, x[:, :1], lr=0.1, steps=5, on_block=progress.ProgressBar())
    out, err = capfd.readouterr()
    assert out == err == ""


def test_progress_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    with progress.bars(["tanh(3)", "relu(3)"], 20, visible=True) as update:
        update("tanh(3)", 10, 0.75)
        update("tanh(3)", 20, 0.25)
        update("relu(3)", 5, 0.25)
    assert "loss 0.2500 0:00 left" in screen.getvalue()
    assert "tanh(3)" in screen.getvalue()
    assert "20/20" in screen.getvalue()
    assert "loss 0.2500" in screen.getvalue()


def test_the_notebook_in_examples_runs(notebook: Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib import pyplot

    monkeypatch.setattr(pyplot, "install_repl_displayhook", lambda: None)  # it wants a real IPython
    content = json.loads((ROOT / "examples" / "comparison.ipynb").read_text(encoding="utf-8"))
    names: dict[str, Any] = {}
    cells = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]
    with matplotlib.rc_context({"backend": "agg"}):
        for cell in cells:
            exec(compile(cell, "comparison.ipynb", "exec"), names)
        pyplot.close("all")
    assert isinstance(names["comparison"], Comparison)
    assert names["ax"].get_title() == "Three models on 442 patients"
    assert all(not cell.get("outputs") for cell in content["cells"])
    assert "1,000 / 1,000" in notebook.shown[-1]


def test_the_time_left_is_named_from_the_first_update(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, now = {name: progress.Row(100) for name in "ab"}, [0.0]
    monkeypatch.setattr(progress, "time", types.SimpleNamespace(monotonic=lambda: now[0]))

    def updated(name: str, done: int, at: float) -> progress.Row:
        now[0] = at
        return progress._noted(rows, name, done, 1.0, 0.5)

    assert updated("a", 0, 1.5).left is None
    assert rows["a"].time(Words("en")) == "0:01", "what it took so far"
    rows["a"] = progress.Row(100)
    assert updated("a", 10, 2.5).left == pytest.approx(18), "by all of the time since it began"
    row = updated("a", 20, 3.5)
    assert row.left == pytest.approx(8), "by the steps since then"
    assert row.time(Words("en")) == "0:08 left"
    assert row.time(Words("fr")) == "reste 0:08"
    assert updated("a", 5, 4.0).left == pytest.approx(3.5 / 5 * 95), "it went back to its start"
    assert updated("a", 100, 12.5).time(Words("en")) == "0:12", "what it took"
    assert updated("b", 50, 14.5).left == pytest.approx(2), "it began where the other one ended"
    assert progress.clock(3723.4) == "1:02:03"
    picture = progress.Picture(rows | {"c": progress.Row(100)}, Words("en"))
    lines = ["a  100 / 100  loss 1.0000  12 s", "b  50 / 100  loss 1.0000  0:02 left",
             "c  0 / 100  waiting"]  # fmt: skip
    assert repr(picture).split("\n") == lines


def test_one_bar_counts_from_where_the_descent_began(
    notebook: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [7.0]
    monkeypatch.setattr(progress, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    with progress.ProgressBar() as bar:
        now[0] = 9.0
        bar(types.SimpleNamespace(step=100, steps=400, loss=1.0))
    assert "0:06 left" in notebook.shown[-1]
