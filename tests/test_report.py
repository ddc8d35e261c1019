"""Charts and run folders."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from derivable import Comparison, compare
from derivable.data import load_diabetes
from derivable.display import style
from derivable.protocol import parse_models
from derivable.report import charts, panels, run_folder


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(load_diabetes(), parse_models("linear,tanh:10,relu:32x16"), steps=1500)


def texts(figure: Figure) -> list[str]:
    return [artist.get_text() for artist in figure.findobj(Text) if isinstance(artist, Text)]


def test_the_loss_curves_are_labelled(comparison: Comparison) -> None:
    figure = charts.loss_curves(comparison)
    (axes,) = figure.axes
    assert axes.get_xlabel() == "gradient-descent steps"
    assert axes.get_ylabel() == "training loss (mean squared error)"
    assert len(axes.lines) == 3
    for line, result in zip(axes.lines, comparison.results, strict=True):
        steps, losses = map(np.asarray, line.get_data())
        assert (steps[0], steps[-1]) == (0, 1500)
        assert losses[-1] == pytest.approx(result.descent.train_loss)
        assert any(text.startswith(result.model.name) for text in texts(figure))
    assert len({line.get_color() for line in axes.lines}) == 3
    assert len({str(style.dashes(i)) for i in range(3)}) == 3, "distinguishable without colour"


def test_the_bars_carry_their_values(comparison: Comparison) -> None:
    figure = charts.test_loss_bars(comparison)
    (axes,) = figure.axes
    heights = [bar.get_height() for bar in axes.patches]  # type: ignore[attr-defined]
    assert heights == [result.test_loss for result in comparison.results]
    for result in comparison.results:
        assert f"{result.test_loss:.4f}" in texts(figure)


@pytest.fixture(scope="module")
def many_models() -> Comparison:
    """Many models of long names whose curves end close together."""
    names = ",".join(f"tanh:{n}x{n}x{n}x{n}" for n in range(11, 20))
    return compare(load_diabetes(), parse_models(names), steps=2)


def _boxes(figure: Figure, wanted: Callable[[str], bool]) -> list[Bbox]:
    figure.draw_without_rendering()
    found = [artist for artist in figure.findobj(Text) if isinstance(artist, Text)]
    found = [artist for artist in found if artist.get_visible() and wanted(artist.get_text())]
    return [artist.get_window_extent() for artist in found]


def test_many_curves_keep_their_names_beside_the_axes(many_models: Comparison) -> None:
    figure = charts.loss_curves(many_models)
    boxes = _boxes(figure, lambda text: text.startswith("tanh("))
    assert len(boxes) == len(many_models.results) == 9
    for i, box in enumerate(boxes):
        assert box.count_overlaps(boxes[:i]) == 0
    axes = figure.axes[0].get_window_extent()
    middles = [(box.y0 + box.y1) / 2 for box in boxes]
    assert axes.y0 <= min(middles) < max(middles) <= axes.y1 + 1
    styles = {(style.colour(i), str(style.dashes(i))) for i in range(28)}
    assert len(styles) == 28


@pytest.mark.parametrize("size", [1.0, 1e5, -3e6])
def test_labels_of_panels_are_not_cut_off(comparison: Comparison, size: float) -> None:
    facts = replace(comparison.facts, y_test=size * comparison.facts.y_test)
    results = tuple(replace(r, predictions=size * r.predictions) for r in comparison.results)
    scaled = replace(comparison, facts=facts, results=results)
    figure = panels.predicted(scaled)
    figure.draw_without_rendering()
    assert figure.axes[0].yaxis.label.get_window_extent().x0 >= 0


def test_many_bars_keep_their_names_apart(many_models: Comparison) -> None:
    boxes = _boxes(charts.test_loss_bars(many_models), lambda text: text.startswith("tanh("))
    assert len(boxes) == 9
    for i, box in enumerate(boxes):
        assert box.count_overlaps(boxes[:i]) == 0


def test_what_is_written_of_a_run(comparison: Comparison, tmp_path: Path) -> None:
    paths = run_folder.write_run(comparison, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "dependence.png", "dependence.svg", "history.csv", "importance.png", "importance.svg",
        "losses.png", "losses.svg", "metrics.json", "predictions.png",
        "predictions.svg", "report.html", "residuals.png", "residuals.svg", "test_loss.png",
        "test_loss.svg", "weights.png", "weights.svg",
    ]  # fmt: skip
    assert [path.name for path in paths] == ["losses.png", "test_loss.png"]
    assert json.loads((tmp_path / "metrics.json").read_text()) == comparison.to_dict()
    with (tmp_path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1501
    for result in comparison.results:
        written = [float(row[result.model.name]) for row in rows]
        losses = torch.tensor(written, dtype=torch.float64)
        torch.testing.assert_close(losses, result.descent.losses, rtol=1e-8, atol=0)
