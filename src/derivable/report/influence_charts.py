"""Charts of the influence of each column on the best model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from derivable.comparison import Comparison
from derivable.display import style
from derivable.display.words import Words
from derivable.report.influence import Dependence, Importance
from derivable.report.layout import axes_of, name_above, sheet, small_labels, small_ticks

MOST_BARS = 15
MOST_LINES = 5  # classes or targets in a panel


def importance_bars(
    comparison: Comparison, importances: Sequence[Importance], lang: str | None = None
) -> Figure:
    """The growth of the error when a column is shuffled, the largest on top."""
    words, shown = Words(lang), importances[:MOST_BARS]
    place = comparison.results.index(comparison.best)
    with style.chart(8.0, 1.0 + 0.27 * len(shown)) as figure:
        axes = figure.add_subplot()
        for i, one in enumerate(shown):
            axes.barh(i, one.mean, height=0.66, color=style.colour(place))
            axes.errorbar(one.mean, i, xerr=one.deviation, color=style.INK, capsize=3, linewidth=1)
        ends = [max(0.0, one.mean + one.deviation) for one in shown]
        reach = max(*ends, 1e-300)
        for i, (one, end) in enumerate(zip(shown, ends, strict=True)):
            axes.text(end + 0.012 * reach, i, words.short(one.mean, 2), va="center", fontsize=9)
        low = min(0.0, *(one.mean - one.deviation for one in shown))
        axes.set_xlim(1.1 * low, 1.14 * reach)
        axes.set_yticks(range(len(shown)), [style.shortened(one.column) for one in shown])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.axvline(0, color=style.GREY, linewidth=1)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.short(value)))
        axes.set_xlabel(words(growth_key(comparison)))
        return figure


def growth_key(comparison: Comparison) -> str:
    """The key of the message that names the error which grows when a column is shuffled."""
    if comparison.facts.classes:
        return "growth_classes"
    return "growth_number" if len(comparison.facts.targets) == 1 else "growth_several"


def dependence_panels(
    comparison: Comparison, dependences: Sequence[Dependence], lang: str | None = None
) -> Figure:
    """The mean prediction against the values of a column, a panel for each column."""
    words = Words(lang)
    names = drawn_lines(comparison)
    with sheet(len(dependences)) as figure:
        panels = zip(axes_of(figure, len(dependences)), dependences, strict=True)
        for axes, one in panels:
            _lines(axes, one, comparison, words)
            if len(names) == 1:
                of_class = words("probability_of", value=names[0])
                label = of_class if comparison.facts.classes else names[0]
                axes.set_ylabel(style.shortened(label, 24))
            else:
                axes.set_ylabel(words("probability" if comparison.facts.classes else "predicted"))
            small_labels(axes)
            name_above(axes, one.column, "")
        return figure


def drawn_lines(comparison: Comparison) -> list[str]:
    """The targets, or the classes, of which there are lines: of two classes, the second."""
    facts = comparison.facts
    if len(facts.classes) == 2:
        return [facts.classes[1]]
    return list((facts.classes or facts.targets)[:MOST_LINES])


def _lines(axes: Axes, one: Dependence, comparison: Comparison, words: Words) -> None:
    first = 1 if len(comparison.facts.classes) == 2 else 0
    drawn = one.means[:, first : first + len(drawn_lines(comparison))].numpy()
    best = comparison.results.index(comparison.best)
    is_category = isinstance(one.values[0], str)
    places = np.arange(len(one.values)) if is_category else np.asarray(one.values, dtype=float)
    for i, values in enumerate(drawn.T):
        place = best if drawn.shape[1] == 1 else i
        dashes, marker = ("", "o") if is_category else (style.dashes(i), "")
        axes.plot(places, values, color=style.colour(place), linestyle=dashes, marker=marker)
    small_ticks(axes, words, "xy")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.cell(value)))
    if is_category:
        names = [style.shortened(str(value), 9) for value in one.values]
        axes.set_xticks(places, names, rotation=90 if len(names) > 3 else 0)
        axes.set_xlim(-0.5, len(names) - 0.5)
    if comparison.facts.classes:
        axes.set_ylim(-0.03, 1.03)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: words.percent(share)))
