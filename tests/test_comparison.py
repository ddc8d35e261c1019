"""The main job, on the real table where it is here."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy.sparse import csr_matrix

from derivable import Adam, Cosine, Loss, Network, Training, compare
from derivable.comparison import result as result_module
from derivable.comparison import test_loss as measure_test_loss
from derivable.comparison.driver import _group_of
from derivable.comparison.request import Request
from derivable.comparison.tables import READING, _polars, in_python
from derivable.data import Table, lab_split, load_diabetes, read_table
from derivable.data.options import TableOptions
from derivable.data.table import Part
from derivable.distributed import Group
from derivable.errors import DataError, InputError, SettingError
from derivable.functions import Huber
from derivable.protocol import LAB_MODELS, LAB_STEPS, SheetFigure, parse_models


def test_the_lab_gives_the_sheets_figures(california: Table) -> None:
    comparison = compare(california, parse_models(LAB_MODELS))
    at = {result.model.name: result.descent.losses for result in comparison.results}
    for result in comparison.results:
        assert result.in_sheet_spread, (result.model.name, result.test_loss)
    # the sheet's training losses at steps 0, 10,000 and 70,000; it fixed no seed
    assert at["linear"][[0, 10_000, 70_000]].tolist() == pytest.approx(
        [5.3562, 3.7395, 0.9633], rel=0.02
    )
    assert at["tanh(10)"][[0, 10_000, 70_000]].tolist() == pytest.approx(
        [5.3726, 1.3094, 0.5285], rel=0.05
    )
    assert at["relu(10)"][[0, 10_000, 70_000]].tolist() == pytest.approx(
        [5.3729, 1.3515, 0.5898], rel=0.08
    )


def test_the_sheets_figures_stand_only_beside_the_sheets_own_training(california: Table) -> None:
    short = compare(california, parse_models("linear"), steps=3)
    other = compare(load_diabetes(), parse_models("linear"), steps=LAB_STEPS)
    assert short.results[0].sheet is None
    assert short.results[0].in_sheet_spread is None
    assert other.results[0].sheet is None


def test_whether_the_sheets_figure_lies_among_those_of_the_seeds() -> None:
    (result,) = compare(load_diabetes(), parse_models("linear"), steps=3, seeds=2).results
    assert result.holds_sheet_figure is None
    low, high = sorted(result.test_losses)
    for figure, holds in ((low, True), (high, True), (0.9 * low, False), (1.1 * high, False)):
        sheet = SheetFigure(figure, 0.0, 1.0)
        assert replace(result, sheet=sheet).holds_sheet_figure is holds
    one = replace(result, sheet=SheetFigure(low, 0.0, 1.0), descents=result.descents[:1])
    assert replace(one, test_losses=(low,)).holds_sheet_figure is None


def test_several_targets_have_no_scores_in_the_data_frame() -> None:
    x, y = torch.randn(30, 3).double(), torch.randn(30, 2).double()
    drawn = Table("drawn", x, y, tuple("abc"), ("u", "v"))
    frame = compare(drawn, "linear", steps=3).to_frame()
    assert "r2" not in frame.columns
    one = compare(replace(drawn, y=y[:, :1], targets=("u",)), "linear", steps=3).to_frame()
    assert set(one.columns) - set(frame.columns) >= {"r2"}


def test_without_matplotlib_a_notebook_shows_text(monkeypatch: pytest.MonkeyPatch) -> None:
    found = compare(load_diabetes(note="<a>"), "linear", steps=3)
    monkeypatch.setattr(result_module, "is_installed", lambda name: False)
    assert found._repr_html_() == f"<pre>{escape(repr(found))}</pre>"


def test_a_missing_whole_number_of_pandas_is_a_missing_value() -> None:
    frame = pd.DataFrame({"a": pd.array([1, None, 3], dtype="Int64")})
    found = _polars(frame)["a"].to_list()  # of pandas before 3 None, later NaN
    assert [value if value == value else None for value in found] == [1, None, 3]


@pytest.mark.parametrize(
    ("models", "training", "message"),
    [
        ("linear", Training(patience=3), "early"),
        ("auto", Training(), "auto"),
        ("linear", Training(), ""),
    ],
)
def test_what_needs_all_rows_in_each_process(models: str, training: Training, message: str) -> None:
    table, group = load_diabetes(), Group.alone()
    parted = replace(table, part=Part(group, (range(442),), 0, 442, "digest"))
    given = parse_models(models), Request(), training
    if not message:
        assert _group_of(parted, *given) is group
        return
    with pytest.raises(SettingError, match=message):
        _group_of(parted, *given)


def test_what_a_program_reads() -> None:
    table = load_diabetes(note="a note")
    seen = []
    comparison = compare(
        table,
        parse_models("linear,relu:3x2"),
        steps=20,
        seed=5,
        watch=lambda model, step, loss: seen.append((model.name, step)),
    )
    document = comparison.to_dict()
    assert document["data"] == "diabetes"
    assert document["note"] == "a note"
    assert (document["steps"], document["seed"], document["protocol"]) == (20, 5, "lab")
    assert (document["train_rows"], document["test_rows"]) == (353, 89)
    linear, relu = document["models"]
    assert linear["model"] == "linear"
    assert relu["model"] == "relu(3x2)"
    assert relu["parameters"] == 10 * 3 + 3 + 3 * 2 + 2 + 2 * 1 + 1
    assert all(math.isfinite(linear[key]) for key in ("train_loss", "test_loss", "seconds"))
    assert (linear["method"], relu["method"]) == ("spectral", "steps")
    assert seen == [("linear", 20), ("relu(3x2)", 20)]


def test_the_test_loss_is_the_mean_squared_error_of_the_test_rows() -> None:
    comparison = compare(load_diabetes(), parse_models("tanh:3"), steps=20)
    split = lab_split(load_diabetes())
    (result,) = comparison.results
    yhat = result.descent.network(split.x_test).detach()
    expected = torch.nn.functional.mse_loss(yhat, split.y_test).item()
    assert result.test_loss == pytest.approx(expected)
    assert measure_test_loss(result.descent.network, split.x_test, split.y_test) == result.test_loss


def own_table(outputs: int = 1) -> Table:
    """A table whose target is far from standardised, with a missing value."""
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(211, 3, generator=generator, dtype=torch.float64) * 7 + 3
    y = 1000 * torch.sin(x[:, :outputs] / 7) + 250_000
    x[5, 1] = torch.nan
    return Table("own", x, y, ("a", "b", "c"), tuple("uvw"[:outputs]))


def test_the_sound_protocol_tells_losses_in_the_targets_own_units() -> None:
    comparison = compare(own_table(), parse_models("tanh:5"), protocol="sound", steps=3000)
    facts, (result,) = comparison.facts, comparison.results
    assert facts.in_words == "mean squared error of u"
    errors = result.predictions - facts.y_test
    assert result.test_loss == pytest.approx((errors**2).mean().item(), rel=1e-4)
    assert result.losses[0, -1] == result.train_loss
    variance = facts.y_test.var().item()
    assert result.test_loss < 0.5 * variance, "it has learnt something"
    assert result.losses[0, 0] == pytest.approx(variance, rel=0.5), "at first it predicts the mean"
    assert "half of the largest" in result.lr_reason
    assert result.sheet is None


def test_the_test_loss_is_known_along_the_way() -> None:
    comparison = compare(own_table(), parse_models("linear,tanh:5"), protocol="sound", steps=2500)
    for result in comparison.results:
        curve = result.test_curve
        assert (curve.steps[0].item(), curve.steps[-1].item()) == (0, 2500)
        assert curve.losses[-1].item() == pytest.approx(result.test_loss, rel=1e-5)
        assert curve.losses[0] > curve.losses[-1]


def test_several_targets_have_a_loss_in_standard_deviations() -> None:
    comparison = compare(own_table(2), parse_models("linear"), protocol="sound", steps=100)
    (result,) = comparison.results
    assert "in standard deviations, summed over 2 targets" in comparison.facts.in_words
    assert result.unit == 1
    errors = (result.predictions - comparison.facts.y_test) / comparison.facts.scaler.y_std
    assert result.test_loss == pytest.approx((errors**2).mean(0).sum().item(), rel=1e-5)


def test_a_learning_rate_can_be_asked_for() -> None:
    asked = compare(own_table(), parse_models("linear"), protocol="sound", lr=0.01, steps=10)
    assert (asked.results[0].descent.lr, asked.results[0].lr_reason) == (0.01, "as asked")
    lab = compare(load_diabetes(), parse_models("linear"), lr="auto", steps=10)
    assert lab.results[0].descent.lr != lab.results[0].model.lr
    with pytest.raises(SettingError, match="lr must be a positive number or auto, got 'fast'"):
        compare(load_diabetes(), parse_models("linear"), lr="fast")
    with pytest.raises(SettingError, match="protocol must be one of lab, sound; got 'other'"):
        compare(load_diabetes(), parse_models("linear"), protocol="other")


def houses() -> dict[str, Any]:
    """The columns of a table with a text, a truth value and a number of the row."""
    draw = np.random.default_rng(0)
    surface, rooms = draw.uniform(20, 200, 113), draw.integers(1, 7, 113)
    return {
        "surface": surface,
        "rooms": rooms,
        "garden": draw.random(113) > 0.5,
        "town": draw.choice(["Lyon", "Nice"], 113),
        "id": np.arange(113),
        "price": 3000 * surface + 1e4 * rooms,
    }


KINDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "pandas": pd.DataFrame,
    "pandas with its own types": lambda columns: pd.DataFrame(columns).convert_dtypes(),
    "pandas with categories": lambda columns: pd.DataFrame(columns).astype({"town": "category"}),
    "pandas with an index": lambda columns: pd.DataFrame(columns).set_index(np.arange(113) * 2),
    "polars": pl.DataFrame,
    "polars, lazy": lambda columns: pl.DataFrame(columns).lazy(),
    "a mapping": lambda columns: columns,
}


@pytest.mark.parametrize("kind", KINDS)
def test_from_python_as_from_the_shell(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "houses.csv"
    pd.DataFrame(houses()).to_csv(file, index=False)
    options: dict[str, Any] = {"one_hot": True, "ignore": "id", "steps": 60}
    named = read_table(file, target="price", one_hot=True, ignore="id")
    expected = compare(named, parse_models("linear,tanh:5"), protocol="sound", steps=60)
    for source in (file, str(file), KINDS[kind](houses())):
        found = compare(source, ["linear", "tanh:5"], target="price", **options)
        assert found.facts.protocol == "sound"
        assert found.facts.features == ("surface", "rooms", "garden", "town=Lyon", "town=Nice")
        assert found.facts.digest == expected.facts.digest
        assert [r.test_loss for r in found.results] == [r.test_loss for r in expected.results]


def test_missing_values_of_a_data_frame() -> None:
    frame = pd.DataFrame(houses() | {"rooms": [None, *houses()["rooms"][1:]]})
    options: dict[str, Any] = {"target": "price", "one_hot": True, "steps": 5}
    with pytest.raises(DataError, match=r"data frame, row 1, column 'rooms' .* missing='drop' le"):
        compare(frame, "linear", **options)
    found = compare(frame, "linear", missing="median", **options)
    assert "1 missing value filled" in found.facts.note
    assert compare(frame, "linear", missing="drop", **options).facts.train_rows == 89


def test_losses_and_methods_by_name_or_as_objects() -> None:
    settings: dict[str, Any] = {"steps": 30, "lr": 0.01}
    named = compare("diabetes", "tanh:3", loss="huber:delta=0.5", method="adam", **settings)
    given = compare("diabetes", "tanh:3", loss=Loss(Huber, delta=0.5), method=Adam(), **settings)
    training = Training("huber:delta=0.5", penalty=0.1)
    assert named.facts.loss == given.facts.loss == "Huber(delta=0.5)"
    assert named.results[0].test_loss == given.results[0].test_loss
    penalised = compare("diabetes", "tanh:3", training=training, method=Adam(), **settings)
    assert penalised.facts.loss == "Huber(delta=0.5)"
    assert penalised.results[0].train_loss > named.results[0].train_loss
    assert (named.facts.name, named.facts.protocol) == ("diabetes", "lab")


NETWORK: Any = Network.linear(3)
ONE_HOT: Any = {"onehot": True}
STEPZ: Any = {"stepz": 3}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: compare(houses()), SettingError, "Name it by target, for example target='price'"),
        (lambda: compare(houses(), target="prize"), DataError, "which target names; did you mean"),
        (lambda: compare(houses(), target="price"), DataError, "one_hot=True makes a feature of"),
        (lambda: compare("no.csv", target="y"), DataError, "no.csv cannot be read"),
        (lambda: compare(own_table(), target="u"), SettingError, "this table is read already"),
        (lambda: compare(np.eye(7), target="u"), DataError, "path of a file, or a data frame"),
        (
            lambda: compare("diabetes", **ONE_HOT),
            InputError,
            "no option 'onehot'; did you mean one",
        ),
        (lambda: compare(houses(), target="price", **ONE_HOT), InputError, "did you mean one_hot"),
        (lambda: compare(houses(), target="price", **STEPZ), InputError, "did you mean steps"),
        (lambda: wrong(class_weight="even"), SettingError, "class_weight must be 'balanced' or"),
        (
            lambda: compare(csr_matrix(np.eye(7)), target="u"),
            DataError,
            "sparse",
        ),
        (lambda: compare("diabetes", ignore="age"), SettingError, "ignore says how to read a file"),
        (lambda: compare("diabetes", "linaer"), SettingError, "'linaer' names no model"),
        (lambda: compare("diabetes", ["linear", "linear"]), SettingError, "is named twice"),
        (lambda: compare("diabetes", NETWORK), SettingError, "models must be text, such"),
        (
            lambda: compare("diabetes", [NETWORK]),
            SettingError,
            r"descend\(network, loss,",
        ),
        (lambda: compare("diabetes", loss="mes"), SettingError, "did you mean mse"),
        (lambda: compare("diabetes", method="sgd"), SettingError, "method must be one of auto"),
        (lambda: wrong(seeds=0), SettingError, "seeds must be a whole number, 1 or more, got 0"),
        (lambda: wrong(seeds=1.5), SettingError, "seeds must be a whole number, 1 or more"),
        (lambda: wrong(seeds="3"), SettingError, "seeds must be a whole number, .* got '3'"),
        (lambda: wrong(seed=1.5), SettingError, "seed must be a whole number"),
        (lambda: wrong(watch=1), SettingError, r"watch must be True, False or a function .* got 1"),
        (lambda: wrong(training="fast"), SettingError, "training must be a Training, got 'fast'"),
        (lambda: wrong(keeper=3), SettingError, "keeper must be a Keeper, got 3"),
        (lambda: wrong(schedule=Cosine(0.1)), SettingError, "schedule must be text such as 'cosin"),
        (lambda: wrong(schedule=3), SettingError, "schedule must be text .* got 3"),
        (lambda: wrong(patience=3), SettingError, "^patience goes with early_stopping; give"),
        (lambda: counted(target=7), DataError, "^the data frame has no column '7', "),
        (lambda: counted(target=True), SettingError, "target must be the name of a co"),
        (lambda: counted(target=2, one_hot=5), DataError, "'5', which one_hot names;"),
        (lambda: counted(target=2, separator=3), SettingError, "separator must be"),
        (lambda: counted(target=2, header="a"), SettingError, "header must be the num"),
        (lambda: counted(target=2, na=[b"?"]), SettingError, "na must be a spelling"),
    ],
)
def test_what_is_wrong_in_a_call_of_compare_has_one_message(
    call: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()


def wrong(**options: Any) -> None:
    """A comparison with options without a meaning."""
    compare("diabetes", "linear", **options)


def counted(**options: Any) -> None:
    """A comparison on the columns 0, 1, 2 and 3."""
    compare(numbered(), "linear", **options)


def numbered() -> pd.DataFrame:
    """Columns that have numbers for names."""
    return pd.DataFrame(torch.randn(60, 4, generator=torch.Generator().manual_seed(1)).numpy())


def test_columns_with_numbers_for_names() -> None:
    quick: Any = {"steps": 3, "lr": 0.01, "ignore": [np.int64(2)]}
    found = compare(numbered(), "linear", target=3, na=-999, **quick)
    assert (found.facts.targets, found.facts.features) == (("3",), ("0", "1"))
    columns = {k: numbered()[k].tolist() for k in range(4)}
    del quick["ignore"]
    again = compare(columns, "linear", target=[3, 0], **quick)
    assert again.facts.targets == ("3", "0")


def test_a_schedule_that_makes_one_of_each_rate() -> None:
    quick: Any = {"steps": 9, "lr": 0.01}
    named = compare("diabetes", "linear", schedule="cosine:warm_up=2", **quick)
    made = compare("diabetes", "linear", schedule=partial(Cosine, warm_up=2), **quick)
    assert torch.equal(named.results[0].descent.losses, made.results[0].descent.losses)


def test_messages_in_french_name_options_as_python_has_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DERIVABLE_LANG", "fr")
    frame = numbered()
    with pytest.raises(SettingError, match="omettez loss, ou bien task='classification' prend"):
        compare(frame, target=2, loss="crossentropy")
    with pytest.raises(DataError, match="le data frame n'a pas de colonne '7', indiquée par one_"):
        compare(frame, target=2, one_hot=7)


def test_two_columns_of_one_name() -> None:
    frame = pd.DataFrame(np.eye(7), columns=list("abcdefa"))
    with pytest.raises(DataError, match="two columns have the name 'a'"):
        compare(frame, target="b")


def test_compare_takes_each_option_of_read_table() -> None:
    assert set(READING) == {field.name for field in fields(TableOptions)}


@pytest.mark.parametrize(
    ("command", "python"),
    [
        ("--one-hot makes features", "one_hot=True makes features"),
        ("--one-hot 'town' does", "one_hot='town' does"),
        ("--ignore 'a,b', or --missing drop", "ignore='a,b', or missing='drop'"),
        ("--decimal . or --decimal ,", "decimal='.' or decimal=','"),
        ("--units skip; --no-header", "units='skip'; no_header=True"),
        ("name one with --sheet: 'a'", "name one with sheet: 'a'"),
        ("another character with --separator", "another character with separator"),
    ],
)
def test_messages_name_options_as_python_has_them(command: str, python: str) -> None:
    assert in_python(command) == python
