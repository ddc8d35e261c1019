"""Standard scores of predictions for test rows."""

from __future__ import annotations

import torch
from torch import Tensor

Scores = dict[str, float | None]  # by name; None where a score is not defined

SMALLEST = 1e-15  # probability in a log loss, so that it is finite; as in scikit-learn up to 1.2


def of_numbers(true: Tensor, predicted: Tensor) -> Scores:
    """The scores of predictions (N,) where the true values are `true` (N,).

    "r2" is the share of the variance that is explained, None where the true values do not vary.
    "rmse" (root of the mean squared error), "mae" (mean absolute error) and "median_ae" (median
    absolute error) are in the unit of the values.
    """
    errors = (predicted.double() - true.double()).abs()
    return {
        "r2": r2_of(true, predicted),
        "rmse": rmse_of(true, predicted),
        "mae": errors.mean().item(),
        "median_ae": _median(errors),
    }


def r2_of(true: Tensor, predicted: Tensor) -> float | None:
    """The share of the variance of `true` (N,) that is explained; None where it does not vary."""
    true = true.double()
    total = (true - true.mean()).square().sum().item()
    residual = (predicted.double() - true).square().sum().item()
    return 1 - residual / total if total > 0 else None


def rmse_of(true: Tensor, predicted: Tensor) -> float:
    """The root of the mean squared error, in the unit of `true` (N,)."""
    return (predicted.double() - true.double()).square().mean().sqrt().item()


def log_losses(labels: Tensor, probabilities: Tensor) -> Tensor:
    """The log loss (N,) of each row in nats, for labels (N,) and probabilities (N, C); finite."""
    own = probabilities.double().gather(1, labels[:, None])[:, 0]
    return -own.clamp(min=SMALLEST).log()


def _median(values: Tensor) -> float:
    """The median of values (N,); the mean of the middle two where their number is even."""
    ordered = values.sort().values
    return (ordered[(len(values) - 1) // 2] + ordered[len(values) // 2]).item() / 2


def of_classes(labels: Tensor, probabilities: Tensor) -> Scores:
    """The scores of probabilities (N, C) where the classes are `labels` (N,), from 0 to C - 1.

    "accuracy" is the share of rows whose most probable class is the right one;
    "balanced_accuracy" the mean over the classes that occur of this share among the rows of the
    class; "log_loss" the mean of -log of the probability of the right class, in nats. "roc_auc" is
    the area under the ROC curve for two classes that both occur, otherwise None: the share of
    pairs of a row of each class in which the row of the second class has the higher probability
    of it, where pairs with equal probabilities count half.
    """
    right = probabilities.argmax(1) == labels
    occurring = labels.unique()
    return {
        "accuracy": right.double().mean().item(),
        "balanced_accuracy": sum(right[labels == c].double().mean().item() for c in occurring)
        / len(occurring),
        "log_loss": log_losses(labels, probabilities).mean().item(),
        "roc_auc": _area(labels, probabilities[:, 1])
        if probabilities.size(1) == 2 and len(occurring) == 2
        else None,
    }


def _area(labels: Tensor, score: Tensor) -> float:
    """The area under the ROC curve, by the ranks of the second class (Mann and Whitney)."""
    _, position, counts = torch.unique(score, return_inverse=True, return_counts=True)
    ends = counts.cumsum(0).double()
    ranks = (ends - (counts - 1) / 2)[position]  # the mean rank of equal scores, counted from 1
    second = labels == 1
    n, m = int(second.sum()), int((~second).sum())
    return float(ranks[second].sum() - n * (n + 1) / 2) / (n * m)
