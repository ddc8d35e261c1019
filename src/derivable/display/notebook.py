"""The display in notebooks: axes with loss curves, and a small table with a small chart."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from derivable.display import style
from derivable.display.chart import Chart
from derivable.display.curves import Curves, draw_losses
from derivable.display.words import Words
from derivable.templates import shared


def plot_losses(models: Sequence[Curves], ax: Axes | None) -> Axes:
    """Draw loss curves into `ax`, or into a new figure that a notebook shows by itself."""
    words = Words()
    if ax is None:
        from matplotlib import pyplot  # imported here, because pyplot searches for a display

    with style.context():
        if ax is None:
            _, ax = pyplot.subplots(figsize=(8.0, 4.8), layout="constrained")
        draw_losses(ax, models, words.lang)
        _label(ax, words)
    return ax


def card(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    models: Sequence[Curves],
    *,
    best: int | None = None,
) -> str:
    """A table and a small chart of the losses, in the colours of the notebook."""
    words = Words()
    with style.chart(6.0, 2.9) as figure:
        axes = figure.add_subplot()
        draw_losses(axes, models, words.lang)
        _label(axes, words)
    ends = ", ".join(f"{curves.name} {words.number(curves.last)}" for curves in models)
    svg = Chart(figure).inline(words("losses_alt", ends=ends))
    return shared.card(shared.table(heads, rows, best=best), svg)


def _label(axes: Axes, words: Words) -> None:
    axes.set_xlabel(words("steps"))
    axes.set_ylabel(words("loss"))
