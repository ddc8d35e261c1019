"""The two charts of the lab: how each loss fell, and where each model ended."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, ScalarFormatter

from derivable.comparison import Comparison
from derivable.report import style


def loss_curves(comparison: Comparison) -> Figure:
    """Training loss against steps, one curve per model, on a logarithmic loss axis."""
    with style.chart() as figure:
        axes = figure.add_subplot()
        for i, result in enumerate(comparison.results):
            runs = result.losses
            steps = _sampled(runs.shape[1])
            runs = runs[:, steps]
            if len(runs) > 1:
                lowest, highest = np.nanmin(runs, 0), np.nanmax(runs, 0)
                axes.fill_between(
                    steps, lowest, highest, color=style.colour(i), alpha=0.2, linewidth=0
                )
            axes.plot(
                steps,
                np.nanmean(runs, 0),
                color=style.colour(i),
                linestyle=style.dashes(i),
                linewidth=2,
                label=result.model.name,
            )
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.yaxis.set_minor_formatter(_plain_minor_ticks())
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
        axes.set_xlim(0, max(comparison.steps, 1))
        axes.set_title(f"How the training loss fell: {comparison.facts.name}{_seeds(comparison)}")
        axes.set_xlabel("gradient-descent steps")
        axes.set_ylabel("training loss (mean squared error)")
        axes.grid(axis="y", which="both")
        _label_ends(axes, comparison)
        return figure


def test_loss_bars(comparison: Comparison) -> Figure:
    """Test loss of each model as a bar with its value on top; a line marks the sheet's figure."""
    longest = max(len(result.model.name) for result in comparison.results)
    wide = 0.8 + 0.12 * longest * len(comparison.results)  # inches: names must not meet
    with style.chart(width=max(6.8, wide)) as figure:
        axes = figure.add_subplot()
        names, tops = [], []
        for i, result in enumerate(comparison.results):
            sheet = result.sheet.test_loss if result.sheet else 0.0
            tops.append(max(result.test_loss, sheet))
            names.append(result.model.name)
            axes.bar(i, result.test_loss, width=0.6, color=style.colour(i))
            if result.deviation is not None:
                lowest, highest = min(result.test_losses), max(result.test_losses)
                reach = [[result.test_loss - lowest], [highest - result.test_loss]]
                axes.errorbar(i, result.test_loss, reach, color="black", capsize=8)
                tops[i] = max(tops[i], highest)
            if result.sheet:
                names[i] += f"\nsheet {sheet:.4f}"
                label = "" if _labelled(axes) else "the lab sheet's own figure"
                line = [i - 0.36, i + 0.36], [sheet, sheet]
                axes.plot(*line, color=style.GREY, linestyle=(0, (4, 2)), label=label)
        for i, result in enumerate(comparison.results):
            text = f"{result.test_loss:.4f}"
            if result.deviation is not None:
                text += f" ± {result.deviation:.4f}"
            axes.text(
                i,
                tops[i] + 0.02 * max(tops),
                text,
                ha="center",
                weight="bold",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},  # hides the grid
            )
        axes.set_xticks(range(len(names)), names)
        axes.set_xlim(-0.6, len(names) - 0.4)
        axes.set_ylim(0, 1.12 * max(tops))
        axes.set_title(
            f"Test loss after {comparison.steps:,} steps: "
            f"{comparison.facts.name}{_seeds(comparison)}"
        )
        axes.set_ylabel("test loss (mean squared error)")
        axes.grid(axis="y")
        axes.tick_params(axis="x", length=0)
        if _labelled(axes):
            axes.legend(frameon=False, loc="upper right")
        return figure


def _labelled(axes: Axes) -> bool:
    """Whether something in the axes has a label for the legend."""
    return bool(axes.get_legend_handles_labels()[1])


def _seeds(comparison: Comparison) -> str:
    """How many, where there are several: their mean is drawn, and their range."""
    count = len(comparison.seeds)
    return f", {count} seeds" if count > 1 else ""


def _sampled(length: int, points: int = 1000) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """At most `points` positions out of `length`, first and last included, denser at the start."""
    if length <= points:
        return np.arange(length)
    even = np.linspace(0, length - 1, points // 2)
    early = np.geomspace(1, length - 1, points // 2)
    return np.unique(np.concatenate([even, early]).round().astype(int))


def _plain_minor_ticks() -> ScalarFormatter:
    """Plain numbers on the ticks between powers of ten, so that no axis is left without any."""
    formatter = ScalarFormatter()
    formatter.set_scientific(False)
    return formatter


def _label_ends(axes: Axes, comparison: Comparison) -> None:
    """The model's name at the end of its curve, spread out where the curves end close together."""
    ends = sorted(
        (float(np.log(result.train_loss)), i) for i, result in enumerate(comparison.results)
    )
    low, high = np.log(axes.get_ylim())
    gap = min(0.06, 1 / len(ends)) * (high - low)
    heights = [end for end, _ in ends]
    for k in range(1, len(ends)):  # upwards, so that none meets the one below ...
        heights[k] = max(heights[k], heights[k - 1] + gap)
    for k in range(len(ends)):  # ... and all down again from the top that they may have passed
        heights[k] = min(heights[k], high - gap * (len(ends) - 1 - k))
    for (_, i), height in zip(ends, heights, strict=True):
        result = comparison.results[i]
        axes.annotate(
            f"{result.model.name}  {result.train_loss:.4f}",
            (comparison.steps, np.exp(height)),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=style.colour(i),
            weight="bold",
            annotation_clip=False,
        )
