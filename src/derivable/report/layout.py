"""The layout of small panels, one for each model or class, with their names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from derivable.display import style
from derivable.display.chart import Box
from derivable.display.words import Words

ACROSS = 3  # panels beside each other
DIGIT = 0.075  # inches of a digit in small letters
SIDE, LEFT, BELOW, ABOVE, RIGHT = 2.0, 1.05, 0.55, 0.5, 0.22  # of a panel, inches


def panel_box(number: int) -> Box:
    """The position of a panel, in inches."""
    row, column = divmod(number, ACROSS)
    width, height = LEFT + SIDE + RIGHT, BELOW + SIDE + ABOVE
    return column * width, row * height, width, height


def sheet(panels: int) -> AbstractContextManager[Figure]:
    """A figure with space for the panels; their positions are fixed, without a layout engine."""
    boxes = [panel_box(i) for i in range(panels)]
    width = max(left + width for left, _, width, _ in boxes)
    height = max(top + height for _, top, _, height in boxes)
    return style.chart(width, height, layout=None)


def axes_of(figure: Figure, panels: int) -> Iterator[Axes]:
    """The axes of each panel of a `sheet`."""
    width, height = figure.get_size_inches()
    for i in range(panels):
        left, top, _, _ = panel_box(i)
        below = height - top - ABOVE - SIDE
        box = ((left + LEFT) / width, below / height, SIDE / width, SIDE / height)
        yield figure.add_axes(box)


def name_above(axes: Axes, name: str, value: str) -> None:
    """Write the name of a panel above it, and its score."""
    axes.set_title(style.shortened(name, 20), fontsize=11, pad=20)
    axes.annotate(
        value,
        (0, 1),
        xytext=(0, 5),
        xycoords="axes fraction",
        textcoords="offset points",
        color=style.GREY,
        fontsize=10,
    )


def small_ticks(axes: Axes, words: Words, which: str) -> None:
    """Few ticks, in small letters, with numbers in the language of the page."""
    for axis in (axes.xaxis, axes.yaxis)[: len(which)]:
        axis.set_major_locator(MaxNLocator(4))
        axis.set_major_formatter(FuncFormatter(lambda value, _: words.short(value)))
    axes.xaxis.set_major_locator(MaxNLocator(_room(axes, words)))
    small_labels(axes)


def _room(axes: Axes, words: Words) -> int:
    """The largest number of steps between ticks whose numbers do not overlap."""
    low, high = axes.get_xlim()
    for steps in (4, 3, 2):
        ticks = [tick for tick in MaxNLocator(steps).tick_values(low, high) if low <= tick <= high]
        longest = max((len(words.short(tick)) for tick in ticks), default=0)
        if len(ticks) * (longest + 2) * DIGIT <= SIDE:
            return steps
    return 1


def small_labels(axes: Axes) -> None:
    """Small letters beside the axes of a panel."""
    axes.tick_params(labelsize=9)
    axes.xaxis.label.set_fontsize(9)
    axes.yaxis.label.set_fontsize(9)
