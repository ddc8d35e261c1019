"""What a report shows for some comparisons alone: the sheet's figures, columns of words."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from derivable import Comparison, compare
from derivable.cli.terminal import show_comparison
from derivable.data import Table, load_diabetes, read_table
from derivable.protocol import SheetFigure, parse_models
from derivable.report.charts import test_loss_bars as loss_bars
from derivable.report.drawn import Drawn
from derivable.report.page import page


def beside_the_sheet(seeds: int) -> Comparison:
    """A comparison whose first model lies in the sheet's spread and whose second one does not."""
    made = compare(
        load_diabetes(), parse_models("linear,tanh:3"), protocol="lab", steps=30, seeds=seeds
    )
    first, second = made.results
    near = SheetFigure(first.test_loss, 0.5 * first.test_loss, 2 * first.test_loss)
    far = SheetFigure(2.5, 2.25, 2.75)
    results = (replace(first, sheet=near), replace(second, sheet=far))
    return replace(made, results=results)


@pytest.mark.parametrize(("seeds", "head"), [(1, "spread"), (2, "within")])
def test_the_sheets_figures_are_beside_ours(
    seeds: int, head: str, capsys: pytest.CaptureFixture[str]
) -> None:
    comparison = beside_the_sheet(seeds)
    first, second = comparison.results
    content = page(comparison, lang="en")
    assert content.count('data-head="within">yes<') == 1
    assert content.count('data-head="within">no<') == 1
    assert ('data-head="spread">2.2500 to 2.7500<' in content) == (seeds == 1)
    assert 'data-head="sheet">2.5000<' in content
    assert "sheet: the lab sheet&#39;s own figure" in content

    show_comparison(comparison, Path("run"), [Path("a.svg")], as_json=False)
    lines = capsys.readouterr().out.splitlines()
    (own,) = (line.split() for line in lines if line.split()[:1] == [first.model.name])
    (other,) = (line.split() for line in lines if line.split()[:1] == [second.model.name])
    assert (own[-1], other[-1]) == ("yes", "no")
    assert "2.5000" in other
    assert any(head in line for line in lines)
    assert ["chart", "a.svg"] in [line.split() for line in lines]


@pytest.mark.parametrize("many", [False, True])
def test_bars_have_the_sheets_figure_as_a_line(many: bool) -> None:
    comparison = beside_the_sheet(2)
    if many:  # their names have no room below upright bars
        names = [f"tanh:{n}x{n}x{n}x{n}" for n in range(11, 19)]
        models = [replace(comparison.results[1], model=m) for m in parse_models(",".join(names))]
        comparison = replace(comparison, results=(*comparison.results, *models))
    (axes,) = loss_bars(comparison, "en").axes
    starts = [
        (np.asarray(line.get_xdata())[0], np.asarray(line.get_ydata())[0]) for line in axes.lines
    ]
    sheet = [start for start in starts if 2.5 in start]
    assert len(sheet) == (9 if many else 1)
    legend = axes.get_legend()
    assert legend is not None
    assert len(legend.get_texts()) == 1, "named once"


def with_words(path: Path) -> Path:
    """A table whose price depends on the town, and little on the size."""
    random.seed(1)
    rows = [(random.choice(["Lyon", "Nice", "Metz"]), random.random()) for _ in range(120)]
    level = {"Lyon": 5.0, "Nice": 1.0, "Metz": 3.0}
    lines = [f"{town},{size:.3f},{level[town] + 0.2 * size:.3f}" for town, size in rows]
    path.write_text("\n".join(["town,size,price", *lines]))
    return path


def test_the_dependence_on_a_column_of_words_is_a_point_for_each_word(tmp_path: Path) -> None:
    table = read_table(with_words(tmp_path / "t.csv"), target="price", one_hot=True)
    comparison = compare(table, parse_models("linear"), protocol="sound", steps=400)
    drawn = Drawn(comparison, "en")
    town = next(one for one in drawn.dependences if one.column == "town")
    means = dict(zip(town.values, town.means[:, 0].tolist(), strict=True))
    assert set(means) == {"Lyon", "Nice", "Metz"}
    assert means["Lyon"] == pytest.approx(5.1, abs=0.1)
    assert means["Nice"] == pytest.approx(1.1, abs=0.1)
    content = page(comparison, lang="en", drawn=drawn)
    assert "Lyon" in content


def test_lines_of_several_targets_have_a_legend() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(150, 3, generator=generator, dtype=torch.float64)
    y = torch.stack([x[:, 0] * k + x[:, 1] for k in range(1, 9)], 1)
    targets = tuple(f"target {k}" for k in range(8))
    table = Table("eight", x, y, ("a", "b", "c"), targets)
    comparison = compare(table, parse_models("linear"), protocol="sound", steps=200)
    content = page(comparison, lang="en")
    assert '<span class="name">' in content
    assert "target 0" in content


def test_a_weighted_loss_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(90, 2, generator=generator, dtype=torch.float64)
    y = (x[:, :1] > 0.7).double()
    table = Table("rare", x, y, ("a", "b"), ("rare",), classes=("no", "yes"))
    made = compare(
        table, parse_models("linear"), protocol="sound", steps=20, class_weight="balanced"
    )
    show_comparison(made, Path("run"), [], as_json=False)
    (line,) = (one for one in capsys.readouterr().out.splitlines() if one.startswith("loss"))
    assert "weight" in line
