"""Charts for a target of classes: confusion, calibration, precision against recall."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from torch import Tensor

from derivable.comparison import Comparison, Trained
from derivable.display import style
from derivable.display.words import Words
from derivable.report.layout import DIGIT, SIDE, axes_of, name_above, sheet, small_labels

MOST_CLASSES = 12  # of a confusion that is drawn
MOST_PAIRS = 10  # of classes that are taken for each other, of more classes
MOST_CURVES = 6  # classes whose precision is drawn
BINS = 10  # of calibration, with as many rows each
FEWEST = 10  # rows of a bin


def accuracy_text(comparison: Comparison, result: Trained, words: Words) -> str:
    """The accuracy of a model, in percent."""
    (scores,) = comparison.facts.scores(result.predictions).values()
    accuracy = scores["accuracy"]
    assert accuracy is not None
    return words("accurate", share=words.percent(accuracy))


def confusion_of(comparison: Comparison, result: Trained) -> Tensor:
    """The confusion matrix (C, C) of the test rows: true classes are rows."""
    facts, classes = comparison.facts, len(comparison.facts.classes)
    pairs = facts.y_test * classes + result.predictions.argmax(1)
    return pairs.bincount(minlength=classes**2).view(classes, classes)


class Confused(NamedTuple):
    """How many test rows of one class are taken for another, and how many rows that class has."""

    true: str
    predicted: str
    rows: int
    of: int


def most_confused(comparison: Comparison, result: Trained) -> list[Confused]:
    """The pairs of a true and another predicted class with the most test rows, at most MOST_PAIRS.

    They are for a matrix of more than MOST_CLASSES classes, which is too large to be drawn.
    """
    names, counts = comparison.facts.classes, confusion_of(comparison, result)
    wrong = counts.clone().fill_diagonal_(0)
    order = wrong.flatten().argsort(descending=True, stable=True)[:MOST_PAIRS].tolist()
    pairs = [(*divmod(place, len(names)), int(wrong.flatten()[place])) for place in order]
    return [
        Confused(names[true], names[predicted], rows, int(counts[true].sum()))
        for true, predicted, rows in pairs
        if rows
    ]


def confusion(comparison: Comparison, lang: str | None = None) -> Figure:
    """The confusion matrices, a panel for each model."""
    words = Words(lang)
    names, vertical = _names_of(comparison)
    with sheet(len(comparison.results)) as figure:
        panels = zip(axes_of(figure, len(comparison.results)), comparison.results, strict=True)
        for i, (axes, result) in enumerate(panels):
            counts = confusion_of(comparison, result)
            shares = (counts / counts.sum(1, keepdim=True).clamp(min=1)).numpy()
            for row, column in np.ndindex(*shares.shape):
                _cell(axes, row, column, shares[row, column].item(), style.colour(i))
                axes.text(
                    column,
                    row,
                    words.count(int(counts[row, column])),
                    ha="center",
                    va="center",
                    fontsize=9 if len(names) <= 5 else 6,
                    weight="bold" if row == column else "normal",
                )
            axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5))
            axes.set_xticks(range(len(names)), names, rotation=90 if vertical else 0)
            axes.set_yticks(range(len(names)), names)
            axes.set_xlabel("" if vertical else words("predicted"))  # the page states it as well
            axes.set_ylabel(words("true_class"))
            axes.tick_params(length=0)
            small_labels(axes)
            axes.tick_params(axis="x", labelsize=8 if vertical else 9)
            name_above(axes, result.model.name, accuracy_text(comparison, result, words))
        return figure


def _names_of(comparison: Comparison) -> tuple[list[str], bool]:
    """The names of the classes for a confusion matrix, and whether they are vertical below it."""
    classes = comparison.facts.classes
    vertical = len(classes) * (max(map(len, classes)) + 1) * DIGIT > SIDE
    return [style.shortened(name, 6 if vertical else 12) for name in classes], vertical


def _cell(axes: Axes, row: int, column: int, share: float, colour: str) -> None:
    """Draw one cell, darker for a larger share of its row."""
    axes.bar(
        column,
        0.96,
        width=0.96,
        bottom=row - 0.48,
        color=colour,
        alpha=0.04 + 0.66 * share,
        linewidth=0,
    )


class Calibration(NamedTuple):
    """The mean predicted probability and the observed share of a class, for bins of test rows."""

    predicted: list[float]
    observed: list[float]


def calibration_of(comparison: Comparison, result: Trained) -> Calibration:
    """The calibration of the second of two classes, or of the class that is predicted."""
    labels, probabilities = comparison.facts.y_test, result.predictions
    if probabilities.size(1) == 2:
        predicted_probability, observed = probabilities[:, 1], labels == 1
    else:
        predicted_probability, label = probabilities.max(1)
        observed = label == labels
    order = predicted_probability.argsort()
    bins = max(1, min(BINS, len(order) // FEWEST))
    parts = [part for part in order.tensor_split(bins) if len(part)]
    return Calibration(
        [predicted_probability[part].mean().item() for part in parts],
        [observed[part].double().mean().item() for part in parts],
    )


def calibration(comparison: Comparison, lang: str | None = None) -> Figure:
    """The observed share of a class against its predicted probability, a panel per model."""
    words = Words(lang)
    with sheet(len(comparison.results)) as figure:
        panels = zip(axes_of(figure, len(comparison.results)), comparison.results, strict=True)
        for i, (axes, result) in enumerate(panels):
            found = calibration_of(comparison, result)
            axes.plot([0, 1], [0, 1], color=style.GREY, linewidth=1, dashes=(4, 2))
            axes.plot(
                found.predicted, found.observed, color=style.colour(i), marker="o", markersize=4
            )
            _percents(axes, words)
            axes.set_xlabel(words("predicted_probability"))
            axes.set_ylabel(words("observed_share"))
            small_labels(axes)
            name_above(axes, result.model.name, "")
        return figure


class PrecisionRecall(NamedTuple):
    """The precision at each recall of a class, and the area below (average precision)."""

    recall: list[float]
    precision: list[float]
    area: float


def precision_of(comparison: Comparison, result: Trained, label: int) -> PrecisionRecall:
    """Precision against recall when rows are taken for a class from the most probable one on."""
    score, is_so = result.predictions[:, label], comparison.facts.y_test == label
    order = score.argsort(descending=True, stable=True)
    last = torch.ones(len(order), dtype=torch.bool)  # equal scores are taken together
    last[:-1] = score[order][1:] != score[order][:-1]
    hits = is_so[order].double().cumsum(0)[last]
    taken = torch.arange(1, len(order) + 1)[last]
    recall, precision = hits / hits[-1].clamp(min=1), hits / taken
    steps = torch.diff(recall, prepend=recall.new_zeros(1))
    return PrecisionRecall(recall.tolist(), precision.tolist(), (steps @ precision).item())


def drawn_classes(comparison: Comparison) -> list[int]:
    """The classes whose precision is drawn: the second of two, or the first few that occur."""
    classes, labels = comparison.facts.classes, comparison.facts.y_test
    wanted = [1] if len(classes) == 2 else range(len(classes))
    return [label for label in wanted if (labels == label).any()][:MOST_CURVES]


def precision_recall(comparison: Comparison, lang: str | None = None) -> Figure:
    """Precision against recall, a panel for each class with a curve for each model."""
    words, drawn = Words(lang), drawn_classes(comparison)
    with sheet(len(drawn)) as figure:
        for axes, label in zip(axes_of(figure, len(drawn)), drawn, strict=True):
            share = (comparison.facts.y_test == label).double().mean().item()
            axes.axhline(share, color=style.GREY, linewidth=1, dashes=(4, 2))
            for i, result in enumerate(comparison.results):
                found = precision_of(comparison, result, label)
                axes.step(
                    [0, *found.recall],
                    [found.precision[0], *found.precision],
                    where="pre",
                    color=style.colour(i),
                    linestyle=style.dashes(i),
                    linewidth=1.6,
                )
            _percents(axes, words)
            axes.set_xlabel(words("recall"))
            axes.set_ylabel(words("precision"))
            small_labels(axes)
            name_above(axes, comparison.facts.classes[label], "")
        return figure


def _percents(axes: Axes, words: Words) -> None:
    """Both axes from 0 to 100%."""
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks([0, 0.5, 1])
        axis.set_major_formatter(FuncFormatter(lambda share, _: words.percent(share)))
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.05))
