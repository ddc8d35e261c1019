"""Predictions, residuals and weights: one small panel for each model, or for each target."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, MaxNLocator

from derivable.comparison import Comparison, Trained
from derivable.display import style
from derivable.display.numbers import percent
from derivable.display.words import Words
from derivable.report.layout import axes_of, name_above, sheet, small_ticks
from derivable.report.quality import r2, root_mean_square, weights

Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

DOTS = 3000  # of all panels together, so that a page stays small
MOST_FEATURES = 30  # bars of weights
MOST_TARGETS = 4  # that are drawn
OUTLIERS = 0.5  # percent of the values at either end, beyond which an axis need not go


def predicted(comparison: Comparison, lang: str | None = None, *, target: int = 0) -> Figure:
    """Predicted against true values of the test rows, a panel for each model."""
    words = Words(lang)
    true = comparison.facts.y_test[:, target].double().numpy()
    every = np.concatenate([_predictions(r, target) for r in comparison.results])
    low, high = _range(true, every)
    rows = drawn_rows(comparison)
    name = style.shortened(comparison.facts.targets[target], 22)
    with sheet(len(comparison.results)) as figure:
        for axes, i, result in _panels(figure, comparison):
            x, y = true[rows], _predictions(result, target)[rows]
            axes.plot([low, high], [low, high], color=style.GREY, linewidth=1, dashes=(4, 2))
            _dots(axes, np.clip(x, low, high), np.clip(y, low, high), style.colour(i))
            axes.set(xlim=(low, high), ylim=(low, high))
            axes.set_xlabel(words("true", target=name))
            axes.set_ylabel(words("predicted"))
            small_ticks(axes, words, "xy")
            name_above(axes, result.model.name, r2_text(comparison, result, target, words))
        return figure


def residuals(comparison: Comparison, lang: str | None = None, *, target: int = 0) -> Figure:
    """How far the predictions of the test rows lie from the truth, a panel for each model."""
    words = Words(lang)
    true = comparison.facts.y_test[:, target].double().numpy()
    off = [_predictions(result, target) - true for result in comparison.results]
    reach = max(float(np.abs(_inner(o)).max()) for o in off) or 1.0
    bins = min(max(round(math.sqrt(len(true))), 9), 31) | 1  # an odd number: one around zero
    edges = np.linspace(-reach, reach, bins + 1)
    shares = [np.histogram(np.clip(o, -reach, reach), edges)[0] / len(o) for o in off]
    with sheet(len(comparison.results)) as figure:
        for axes, i, result in _panels(figure, comparison):
            axes.stairs(shares[i], edges, fill=True, color=style.colour(i), alpha=0.75)
            axes.axvline(0, color=style.GREY, linewidth=1, dashes=(4, 2))
            axes.set(xlim=(-reach, reach), ylim=(0, 1.1 * max(share.max() for share in shares)))
            axes.set_xlabel(words("residual"))
            axes.set_ylabel(words("share_of_rows"))
            small_ticks(axes, words, "x")
            axes.yaxis.set_major_locator(MaxNLocator(4))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: percent(y, words.lang)))
            error = words.short(root_mean_square(comparison, result, target))
            name_above(axes, result.model.name, f"RMS {error}")
        return figure


class Weights(NamedTuple):
    """The weights of the linear model for one target, the largest first."""

    names: list[str]
    values: list[float]
    left: list[float]  # that are not drawn


def linear_weights(comparison: Comparison, target: int = 0) -> Weights | None:
    """Those to be drawn; None where no model is linear."""
    values = weights(comparison, target)
    if values is None:
        return None
    order = np.argsort(-np.abs(values), kind="stable")
    shown, left = order[:MOST_FEATURES], order[MOST_FEATURES:]
    names = [comparison.facts.features[k] for k in shown]
    return Weights(names, values[shown].tolist(), values[left].tolist())


def weight_bars(comparison: Comparison, lang: str | None = None, *, target: int = 0) -> Figure:
    """The weights of the linear model, the largest on top.

    Raises ValueError where no model is linear.
    """
    words = Words(lang)
    found = linear_weights(comparison, target)
    if found is None:
        raise ValueError("no model of this comparison is linear")
    names, values, _ = found
    largest = max(map(abs, values)) or 1.0
    with style.chart(8.0, 1.0 + 0.27 * len(values)) as figure:
        axes = figure.add_subplot()
        for i, value in enumerate(values):
            side = style.colour(0 if value >= 0 else 1)
            axes.barh(i, value, height=0.66, color=side)
            axes.annotate(
                words.short(value),
                (value, i),
                xytext=(4 if value >= 0 else -4, 0),
                textcoords="offset points",
                ha="left" if value >= 0 else "right",
                va="center",
                fontsize=9,
            )
        low, high = min(0.0, *values), max(0.0, *values)
        axes.set_xlim(low - 0.2 * largest * (low < 0), high + 0.16 * largest)
        axes.axvline(0, color=style.GREY, linewidth=1)
        axes.set_yticks(range(len(names)), [style.shortened(name) for name in names])
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(
            words("weight_axis", target=style.shortened(comparison.facts.targets[target]))
        )
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.short(value)))
        return figure


def drawn_targets(comparison: Comparison) -> range:
    """The targets that are drawn: all, or the first few."""
    return range(min(len(comparison.facts.targets), MOST_TARGETS))


def drawn_rows(comparison: Comparison) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The test rows whose predictions are drawn: all, or some drawn at random."""
    rows = comparison.facts.test_rows
    most = max(100, DOTS // len(comparison.results))
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(0).choice(rows, most, replace=False))


def r2_text(comparison: Comparison, result: Trained, target: int, words: Words) -> str:
    """R² of one target in two digits; a dash where all true values are the same."""
    value = r2(comparison, result, target)
    return f"R² {'–' if value is None else words.short(round(value, 2))}"


def _predictions(result: Trained, target: int) -> Numbers:
    return result.predictions[:, target].double().numpy()


def _inner(values: Numbers) -> Numbers:
    """The values without the outermost; all of them where they are few."""
    low = np.percentile(values, OUTLIERS, method="lower")
    high = np.percentile(values, 100 - OUTLIERS, method="higher")
    return np.asarray(values[(values >= low) & (values <= high)])


def _range(true: Numbers, predictions: Numbers) -> tuple[float, float]:
    """From the lowest to the highest that is to be seen, with a margin."""
    both = np.concatenate([true, _inner(predictions)])
    low, high = float(both.min()), float(both.max())
    margin = 0.04 * (high - low) or 0.04 * abs(high) or 1.0
    return low - margin, high + margin


def _dots(axes: Axes, x: Numbers, y: Numbers, colour: str) -> None:
    """Dots as one path of short strokes with round ends: a tenth of the size of so many markers."""
    width = 1e-4 * (x.max() - x.min() or 1.0)
    ends = np.stack([np.stack([x, y], 1), np.stack([x + width, y], 1)], 1).reshape(-1, 2)
    path = Path(ends, [Path.MOVETO, Path.LINETO] * len(x))
    path.should_simplify = False
    axes.add_artist(  # its limits are known; add_patch would look for those of every stroke
        PathPatch(path, fill=False, edgecolor=colour, linewidth=3, capstyle="round", alpha=0.55)
    )


def _panels(figure: Figure, comparison: Comparison) -> Iterator[tuple[Axes, int, Trained]]:
    """One axes for each model, with its number."""
    axes = axes_of(figure, len(comparison.results))
    for i, (one, result) in enumerate(zip(axes, comparison.results, strict=True)):
        yield one, i, result
