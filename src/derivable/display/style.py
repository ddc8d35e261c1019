"""The style of every chart: colours for colour-blind readers, few lines, labels at the curves."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeAlias

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito, "Color Universal Design" (2008): safe for the common colour deficiencies. The
# dashes tell the models apart where there is no colour at all, and their number has no factor in
# common with that of the colours, so that many models are distinguished by both together. Their
# black is not quite black: SVG omits that, and a page in the dark could not turn it into white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#010101")
# The same hues, dark enough to be read as text on white (contrast 4.5 or more).
TEXTS = ("#00629a", "#a84a00", "#00704f", "#9c4a77", "#8a5f00", "#1f6f9f", "#010101")
LineStyle: TypeAlias = "str | tuple[float, tuple[float, ...]]"
DASHES: tuple[LineStyle, ...] = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))
INK, GREY, GRID, PAPER = "#1b1b1b", "#6b6b6b", "#e4e4e4", "#ffffff"

# The CSS variable of each colour where a chart is part of a page, which defines them for light and
# dark mode; without a definition, as in a notebook, the second value is used.
_ON_PAGE = {
    **{c.lower(): f"var(--series-{i}, {c})" for i, c in enumerate(COLOURS[:-1])},
    **{t: f"var(--name-{i}, {COLOURS[i]})" for i, t in enumerate(TEXTS[:-1])},
    COLOURS[-1].lower(): "currentColor",
    TEXTS[-1]: "currentColor",
    INK: "currentColor",
    GREY: "var(--soft, #808080)",
    GRID: "var(--grid, #80808040)",
    PAPER: "none",
}

_STYLE: dict[Any, Any] = {
    "font.size": 11,
    "text.color": INK,
    "text.parse_math": False,  # a column may be called "price in $ or $"
    "axes.labelcolor": INK,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 14,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.axisbelow": True,
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "svg.fonttype": "none",
    "svg.hashsalt": "derivable",  # the same chart gives the same file
}


@contextmanager
def context() -> Iterator[None]:
    """Inside, charts have the style of derivable.

    Only the settings of the style are set back afterwards. `matplotlib.rc_context` sets back all,
    also what pyplot sets where it is first imported inside: a notebook then shows no more charts.
    """
    import matplotlib

    before = {name: matplotlib.rcParams[name] for name in _STYLE}
    matplotlib.rcParams.update(_STYLE)
    try:
        yield
    finally:
        matplotlib.rcParams.update(before)


@contextmanager
def chart(
    width: float = 8.0, height: float = 4.8, layout: Literal["constrained"] | None = "constrained"
) -> Iterator[Figure]:
    """A figure in this style, drawn without a window and without pyplot's global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with context():
        figure = Figure(figsize=(width, height), dpi=144, layout=layout)
        FigureCanvasAgg(figure)
        yield figure


def colour(position: int) -> str:
    """The colour of the model at `position`; they repeat after seven."""
    return COLOURS[position % len(COLOURS)]


def name_colour(position: int) -> str:
    """The colour of a model's name."""
    return TEXTS[position % len(TEXTS)]


def on_page(colour: str) -> str:
    """A colour as a CSS variable of a page, which defines it for light and dark mode."""
    return _ON_PAGE.get(colour.lower(), colour)


def page_colour(position: int) -> str:
    """The colour of the model at `position` on a page."""
    return on_page(colour(position))


def dashes(position: int) -> LineStyle:
    """The line style of the model at `position`."""
    return DASHES[position % len(DASHES)]


def shortened(name: str, most: int = 28) -> str:
    """A name from the data for a chart: one printable line, shortened in the middle."""
    name = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    if len(name) <= most:
        return name
    end = most // 3
    return f"{name[: most - end - 1]}…{name[-end:]}"


@contextmanager
def drawing() -> Iterator[None]:
    """The style of derivable while a chart is drawn.

    A name in a script that the font lacks is drawn as boxes in a PNG, without a warning; SVG has it
    right.
    """
    with context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def save(figure: Figure, path: Path | BinaryIO, kind: str | None = None) -> None:
    """Write a chart; SVG keeps its text as text, and the same chart gives the same file."""
    kind = kind or Path(str(path)).suffix.lstrip(".")
    with drawing():
        figure.savefig(path, format=kind, metadata={"Date": None} if kind == "svg" else None)
