"""The two charts of the lab: the loss curves, and the test loss of each model."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from derivable.comparison import Comparison, Trained
from derivable.display import style
from derivable.display.chart import title
from derivable.display.curves import Curves, draw_losses
from derivable.display.words import Words

FACTOR = 8.0  # of the shortest bar, beyond which a bar is cut
WIDEST = 9.0  # inches of vertical bars; with wider names the bars are horizontal


def loss_curves(comparison: Comparison, lang: str | None = None, *, test: bool = False) -> Figure:
    """Training loss against steps, one curve per model, both axes logarithmic.

    With `test`, the loss of the test rows as thin lines.
    """
    words = Words(lang)
    with style.chart() as figure:
        axes = figure.add_subplot()
        curves = [_curves(comparison, result, test=test) for result in comparison.results]
        draw_losses(axes, curves, words.lang)
        data = style.shortened(comparison.facts.name)
        text = words("both_title" if test else "losses_title", data=data)
        title(axes, text + _seeds(comparison, words))
        axes.set_xlabel(words("steps"))
        axes.set_ylabel(_measured("loss_axis" if test else "train_axis", comparison, words))
        if test:
            lines = [Line2D([], [], linewidth=wide, color=style.GREY) for wide in (2, 0.9)]
            labels = [words("training_rows"), words("test_rows")]
            axes.legend(lines, labels, frameon=False, loc="best")
        return figure


def _curves(comparison: Comparison, result: Trained, *, test: bool) -> Curves:
    """The losses of a model; for auto, which has no loss per step, a line at its last loss."""
    if not (result.model.automatic and comparison.counts_steps):
        return result.curves(test=test)
    longest = max(result.losses.shape[1] for result in comparison.results)
    return Curves(result.model.name, np.full((1, longest), result.train_loss))


class _Bar(NamedTuple):
    """One model's bar: the test loss, the range over the seeds, and the sheet's own figure."""

    name: str
    value: float
    low: float
    high: float
    sheet: float | None
    text: str

    @property
    def top(self) -> float:
        return max(self.high, self.sheet or 0.0)

    def cut(self, limit: float) -> _Bar:
        """The bar cut at the end of an axis; its text keeps the value."""
        low, high = min(self.low, limit), min(self.high, limit)
        return self._replace(value=min(self.value, limit), low=low, high=high)


def _limit(bars: list[_Bar]) -> float:
    """The end of the axis: the longest bar, or a cut of it if it is much longer than the others."""
    ordinary = FACTOR * min(bar.top for bar in bars)
    tops = [bar.top for bar in bars]
    if not 0 < ordinary < max(tops):
        return max(tops)
    return 1.3 * max(top for top in tops if top <= ordinary)


def test_loss_bars(comparison: Comparison, lang: str | None = None) -> Figure:  # noqa: PT028 (no test)
    """Test loss of each model as a bar with its value; a line marks the sheet's figure.

    The bars are vertical, or horizontal if their names would not fit below them.
    """
    words = Words(lang)
    bars = _bars(comparison, words)
    longest = max(len(word) for bar in bars for word in (bar.name.split("\n")[0], bar.text))
    wide = max(6.8, 0.8 + 0.12 * longest * len(bars))
    horizontal = wide > WIDEST
    size = (8.0, 1.2 + 0.42 * len(bars)) if horizontal else (wide, 4.8)
    with style.chart(*size) as figure:
        axes = figure.add_subplot()
        label = _measured("test_axis", comparison, words)
        (_horizontal if horizontal else _vertical)(axes, bars, label, words)
        steps, data = words.count(comparison.steps), style.shortened(comparison.facts.name)
        stopped = any(run.stopped for result in comparison.results for run in result.descents)
        key = "bars_title_stopped" if stopped else "bars_title"
        if any(result.model.automatic for result in comparison.results):
            key = "bars_title_auto"
        title(axes, words(key, steps=steps, data=data) + _seeds(comparison, words))
        if axes.get_legend_handles_labels()[1]:
            axes.legend(frameon=False, loc="lower right" if horizontal else "upper right")
        return figure


def _bars(comparison: Comparison, words: Words) -> list[_Bar]:
    bars = []
    for result in comparison.results:
        text = words.number(result.test_loss, result.deviation)
        sheet = result.sheet.test_loss if result.sheet else None
        name = style.shortened(result.model.name)
        if sheet is not None:
            name += "\n" + words("sheet_value", value=words.number(sheet))
        low, high = min(result.test_losses), max(result.test_losses)
        bars.append(_Bar(name, result.test_loss, low, high, sheet, text))
    return bars


def _pieces(bar: _Bar, limit: float) -> list[tuple[float, float]]:
    """The start and the length of a bar; two pieces with a gap if it is cut."""
    if bar.value <= limit:
        return [(0, bar.value)]
    return [(0, 0.8 * limit), (0.84 * limit, 0.16 * limit)]


def _vertical(axes: Axes, bars: list[_Bar], label: str, words: Words) -> None:
    highest = _limit(bars)
    for i, bar in enumerate(one.cut(highest) for one in bars):
        for begin, length in _pieces(bars[i], highest):
            axes.bar(i, length, width=0.6, bottom=begin, color=style.colour(i))
        if bar.low < bar.high:
            axes.errorbar(i, bar.value, _reach(bar), color=style.INK, capsize=8)
        if bar.sheet is not None:
            axes.plot([i - 0.36, i + 0.36], [bar.sheet] * 2, **_sheet_line(axes, words))
        axes.text(
            i,
            bar.top + 0.02 * highest,
            bar.text,
            ha="center",
            weight="bold",
            bbox={"facecolor": style.PAPER, "edgecolor": "none", "pad": 1},  # hides the grid
        )
    axes.set_xticks(range(len(bars)), [bar.name for bar in bars])
    axes.set_xlim(-0.6, len(bars) - 0.4)
    axes.set_ylim(0, 1.12 * highest or 1)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: words.short(loss)))
    axes.set_ylabel(label)
    axes.grid(axis="y")
    axes.tick_params(axis="x", length=0)


def _horizontal(axes: Axes, bars: list[_Bar], label: str, words: Words) -> None:
    highest = _limit(bars)
    for i, bar in enumerate(one.cut(highest) for one in bars):
        for begin, length in _pieces(bars[i], highest):
            axes.barh(i, length, height=0.6, left=begin, color=style.colour(i))
        if bar.low < bar.high:
            axes.errorbar(bar.value, i, xerr=_reach(bar), color=style.INK, capsize=4)
        if bar.sheet is not None:
            axes.plot([bar.sheet] * 2, [i - 0.36, i + 0.36], **_sheet_line(axes, words))
        axes.text(bar.top + 0.015 * highest, i, bar.text, va="center", weight="bold")
    axes.set_yticks(range(len(bars)), [bar.name for bar in bars])
    axes.set_ylim(len(bars) - 0.4, -0.6)
    longest = max(len(bar.text) for bar in bars)
    axes.set_xlim(0, (1.05 + 0.02 * longest) * highest or 1)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda loss, _: words.short(loss)))
    axes.set_xlabel(label)
    axes.tick_params(axis="y", length=0)


def _reach(bar: _Bar) -> list[list[float]]:
    return [[bar.value - bar.low], [bar.high - bar.value]]


def _sheet_line(axes: Axes, words: Words) -> dict[str, Any]:
    """The line style of the sheet's figure, with its label in the legend once."""
    labelled = axes.get_legend_handles_labels()[1]
    label = "" if labelled else words("sheet_figure")
    return {"color": style.GREY, "linestyle": (0, (4, 2)), "label": label}


def _measured(key: str, comparison: Comparison, words: Words) -> str:
    """The label of an axis of losses, with what they measure."""
    return words(key, measure=words.of(comparison.facts.measure))


def _seeds(comparison: Comparison, words: Words) -> str:
    """How many, where there are several: their mean is drawn, and their range."""
    count = len(comparison.seeds)
    return words("seeds_title", n=words.count(count)) if count > 1 else ""
