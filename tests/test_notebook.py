"""What a real kernel shows: charts stay where they were before `derivable` drew one."""

from __future__ import annotations

from typing import Any

import matplotlib
import pytest
import torch

from derivable.data import Table, load_diabetes
from derivable.display import style

DESCEND = """
import torch
from derivable import MSE, Network, descend

x = torch.randn(50, 3)
run = descend(Network.linear(3), MSE, x, x[:, :1], lr=1e-2, steps=20)
run.plot();
"""
OWN = """
import matplotlib.pyplot as plt

plt.plot([1, 2, 3])
plt.isinteractive()
"""


def executed(*cells: str) -> list[list[Any]]:
    """The outputs of each of these cells, from a real kernel."""
    import nbformat
    from nbclient import NotebookClient

    v4 = nbformat.v4
    node = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])  # type: ignore[no-untyped-call]
    NotebookClient(node, timeout=300).execute()
    return [cell.outputs for cell in node.cells]


def images(outputs: list[Any]) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs)


def test_charts_of_ones_own_are_shown_after_the_first_chart_of_a_run() -> None:
    first, second, third = executed(DESCEND, OWN, OWN)
    assert images(first) == images(second) == images(third) == 1
    assert second[0]["data"]["text/plain"] == "True"


def broken_off() -> None:
    """A chart whose drawing sets something of its own, then fails."""
    with style.context():
        assert matplotlib.rcParams["font.size"] == 11
        matplotlib.rcParams["interactive"] = not matplotlib.rcParams["interactive"]
        raise KeyError


def test_the_style_sets_back_its_own_settings_and_no_others() -> None:
    size, interactive = matplotlib.rcParams["font.size"], matplotlib.rcParams["interactive"]
    try:
        with pytest.raises(KeyError):
            broken_off()
        assert matplotlib.rcParams["font.size"] == size
        assert matplotlib.rcParams["interactive"] is not interactive
    finally:
        matplotlib.rcParams["interactive"] = interactive


def test_a_table_shows_its_first_rows_in_print() -> None:
    lines = repr(load_diabetes("A <note>.")).splitlines()
    assert lines[0].startswith("diabetes: 442 rows of 10 features; to predict: progression")
    assert lines[1].split()[:3] == ["age", "sex", "bmi"]
    assert lines[2].split()[0] == "0.0380759"
    assert len(lines) == 9
    assert lines[-2:] == ["437 rows and 3 columns not shown.", "A <note>."]
    assert len({len(line) for line in lines[1:7]}) == 1, "the columns are aligned"


def test_a_table_shows_its_first_rows_in_a_notebook() -> None:
    x = torch.tensor([[1.5, torch.nan], [2.0, 3.0]], dtype=torch.float64)
    names = ("<b>", "a name that is much too long for a column")
    table = Table("<own>", x, x[:, :1], names, ("y",), note="<note>")
    html = table._repr_html_()
    assert "<p><b>&lt;own&gt;: 2 rows of 2 features; to predict: y</b></p>" in html
    assert "&lt;b&gt;" in html
    assert "&lt;note&gt;" in html
    assert "<b>" not in html.replace("<p><b>", "")
    assert "<td>1.5</td>\n<td></td>\n<td>1.5</td>" in html, "what is missing is empty"
    assert "a name that is much too…" in html
