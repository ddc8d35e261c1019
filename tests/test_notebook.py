"""What a real kernel shows: charts stay where they were before `derivable` drew one."""

from __future__ import annotations

from typing import Any

import matplotlib
import pytest

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
    with style.look():
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
