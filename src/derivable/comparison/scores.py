"""How good predictions of test rows are, in numbers that people know."""

from __future__ import annotations

import torch
from torch import Tensor

Scores = dict[str, float | None]  # by name; None where a score is not defined

SMALLEST = 1e-15  # of a probability in a log loss, as scikit-learn had it, so that it is finite


def of_numbers(true: Tensor, predicted: Tensor) -> Scores:
    """The scores of predictions (N,) of numbers (N,), in their unit but for R².

    R² is the share of the variance that is explained, None where the numbers do not vary; then the
    root of the mean squared error, the mean absolute error and the median absolute error.
    """
    off = predicted.double() - true.double()
    return {
        "r2": r2_of(true, predicted),
        "rmse": rmse_of(true, predicted),
        "mae": off.abs().mean().item(),
        "median_ae": _median(off.abs()),
    }


def r2_of(true: Tensor, predicted: Tensor) -> float | None:
    """The share of the variance that is explained; None where the numbers (N,) do not vary."""
    true = true.double()
    around = (true - true.mean()).square().sum().item()
    off = (predicted.double() - true).square().sum().item()
    return 1 - off / around if around > 0 else None


def rmse_of(true: Tensor, predicted: Tensor) -> float:
    """The root of the mean squared error, in the unit of the numbers (N,)."""
    return (predicted.double() - true.double()).square().mean().sqrt().item()


def surprises(labels: Tensor, probabilities: Tensor) -> Tensor:
    """-log of the probability of each row's own class, (N,), of probabilities (N, C); finite."""
    own = probabilities.double().gather(1, labels[:, None])[:, 0]
    return -own.clamp(min=SMALLEST).log()


def _median(values: Tensor) -> float:
    """The median (N,) of values; of an even number, the mean of the two in the middle."""
    ordered = values.sort().values
    return (ordered[(len(values) - 1) // 2] + ordered[len(values) // 2]).item() / 2


def of_classes(labels: Tensor, probabilities: Tensor) -> Scores:
    """The scores of probabilities (N, C) where the classes are `labels` (N,).

    Accuracy; balanced accuracy, the mean over the classes that occur of the share that is found;
    log loss, the mean of -log of the probability of the class, in nats; and for two classes that
    both occur the area under the ROC curve: how often a row of the second class has a higher
    probability of it than one of the first, where equal ones count half.
    """
    found = probabilities.argmax(1) == labels
    occurring = labels.unique()
    return {
        "accuracy": found.double().mean().item(),
        "balanced_accuracy": sum(found[labels == c].double().mean().item() for c in occurring)
        / len(occurring),
        "log_loss": surprises(labels, probabilities).mean().item(),
        "roc_auc": _area(labels, probabilities[:, 1])
        if probabilities.size(1) == 2 and len(occurring) == 2
        else None,
    }


def _area(labels: Tensor, score: Tensor) -> float:
    """The area under the ROC curve, by the ranks of the second class (Mann and Whitney)."""
    _, place, counts = torch.unique(score, return_inverse=True, return_counts=True)
    ends = counts.cumsum(0).double()
    ranks = (ends - (counts - 1) / 2)[place]  # the mean rank of equal scores, from 1 on
    second = labels == 1
    n, m = int(second.sum()), int((~second).sum())
    return float(ranks[second].sum() - n * (n + 1) / 2) / (n * m)
