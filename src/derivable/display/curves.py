"""How losses fell: one curve for each model, both axes logarithmic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from derivable.display import style
from derivable.display.numbers import count, number, short

Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
POINTS = 600  # of one curve
LABEL_HEIGHT = 0.06  # of the axes, of a name at the end of its curve


@dataclass(frozen=True)
class Curves:
    """The losses of one model: after k steps they were train[:, k], one row for each seed."""

    name: str
    train: Numbers  # (S, n); NaN after the end of a descent that ended early
    test_steps: Numbers | None = None  # (m,)
    test: Numbers | None = None  # (m,): there

    @property
    def last(self) -> float:
        """The last training loss, the mean over the seeds."""
        ends = [row[~np.isnan(row)][-1] for row in self.train]
        return float(np.mean(ends))


def draw_losses(axes: Axes, models: Sequence[Curves], lang: str = "en") -> None:
    """Draw the training losses, their range over the seeds, and the test losses as thin lines."""
    steps = max(curves.train.shape[1] for curves in models) - 1
    lowest = _smallest_positive(models)
    for i, curves in enumerate(models):
        colour, dashes = style.colour(i), style.dashes(i)
        at = _sampled(curves.train.shape[1])
        runs = np.maximum(curves.train[:, at], lowest)
        if len(runs) > 1:
            axes.fill_between(
                at, np.nanmin(runs, 0), np.nanmax(runs, 0), color=colour, alpha=0.2, lw=0
            )
        axes.plot(at, np.nanmean(runs, 0), color=colour, ls=dashes, lw=2, label=curves.name)
    for i, curves in enumerate(models):
        if curves.test is not None and curves.test_steps is not None:
            seen = curves.test_steps > 0  # a line from 0 to the next would cross most of the axis
            losses = np.maximum(curves.test[seen], lowest)
            axes.plot(
                curves.test_steps[seen], losses, color=style.colour(i), linewidth=0.9, alpha=0.85
            )
    axes.set_xscale("symlog", linthresh=1, linscale=0.3)
    axes.set_xlim(0, max(steps, 1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: count(step, lang)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_yscale("log")
    _place_ticks(axes, lang)
    axes.grid(axis="y")
    _label_ends(axes, models, max(steps, 1), lowest, lang)


def _smallest_positive(models: Sequence[Curves]) -> float:
    """The value drawn for zero, and for negative rounding errors, on a logarithmic axis."""
    tests = [curves.test for curves in models if curves.test is not None]
    values = np.concatenate([*(curves.train.ravel() for curves in models), *tests])
    values = values[np.isfinite(values) & (values > 0)]
    return float(values.min()) if len(values) else 1.0


def _sampled(length: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """At most POINTS positions out of `length`, first and last included, denser at the start."""
    if length <= POINTS:
        return np.arange(length)
    even = np.linspace(0, length - 1, POINTS // 3)
    early = np.geomspace(1, length - 1, POINTS - POINTS // 3)
    return np.unique(np.concatenate([even, early]).round().astype(int))


def _place_ticks(axes: Axes, lang: str) -> None:
    """Few enough ticks to be read, at least some where the losses span no power of ten."""
    low, high = axes.get_ylim()
    decades = np.log10(high / low)
    if decades < 0.8:
        axes.yaxis.set_major_locator(MaxNLocator(6))
    else:
        subs = (1.0, 2.0, 5.0) if decades < 3 else (1.0,)
        axes.yaxis.set_major_locator(LogLocator(subs=subs, numticks=9))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: short(loss, lang, digits=6)))


def _label_ends(axes: Axes, models: Sequence[Curves], steps: int, lowest: float, lang: str) -> None:
    """The model's name at the end of its curve, spread out where the curves end close together."""
    ends = sorted((float(np.log(max(c.last, lowest))), i) for i, c in enumerate(models))
    low, high = np.log(axes.get_ylim())
    gap = min(LABEL_HEIGHT, 1 / len(ends)) * (high - low)
    heights = [end for end, _ in ends]
    for k in range(1, len(ends)):  # upwards, so that none meets the one below ...
        heights[k] = max(heights[k], heights[k - 1] + gap)
    for k in range(len(ends)):  # ... and all down again from the top that they may have passed
        heights[k] = min(heights[k], high - gap * (len(ends) - 1 - k))
    for (_, i), height in zip(ends, heights, strict=True):
        axes.annotate(
            f"{style.shortened(models[i].name)}  {number(models[i].last, lang)}",
            (steps, np.exp(height)),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=style.name_colour(i),
            weight="bold",
            annotation_clip=False,
        )
