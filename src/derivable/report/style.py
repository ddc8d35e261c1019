"""One look for every chart: colour-blind-safe colours, no clutter, labels where the eye is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito, "Color Universal Design" (2008): safe for the common colour deficiencies. The
# dashes tell the models apart where there is no colour at all, and their number has no factor in
# common with that of the colours, so that many models are told apart by both together.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))
GREY = "#6b6b6b"

_STYLE: dict[Any, Any] = {
    "font.size": 11,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 14,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.8,
    "svg.fonttype": "none",
    "svg.hashsalt": "derivable",  # the same chart gives the same file
}


@contextmanager
def chart(width: float = 8.0, height: float = 4.8) -> Iterator[Figure]:
    """A figure in the house style, drawn without a window and without pyplot's global state."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), dpi=144, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


def colour(position: int) -> str:
    """The colour of the model at `position`; they repeat after seven."""
    return COLOURS[position % len(COLOURS)]


def dashes(position: int) -> object:
    """The line style of the model at `position`."""
    return DASHES[position % len(DASHES)]
