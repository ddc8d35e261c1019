"""The numbers of a comparison: scores, leads with their errors, and the course of losses."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from derivable.comparison import Comparison, Trained
from derivable.comparison.scores import log_losses, r2_of, rmse_of

RISE = 0.01  # of a test loss above its lowest, from which on a model overfits
FALL = 0.01  # of a training loss over the last tenth of the steps: not yet at rest


def r2(comparison: Comparison, result: Trained, target: int) -> float | None:
    """The share of the variance of the test rows that is explained; None where they do not vary."""
    return r2_of(comparison.facts.y_test[:, target], result.predictions[:, target])


def mean_r2(comparison: Comparison, result: Trained) -> float | None:
    """The mean of R² over the targets that vary."""
    every = [r2(comparison, result, k) for k in range(len(comparison.facts.targets))]
    known = [value for value in every if value is not None]
    return sum(known) / len(known) if known else None


def root_mean_square(comparison: Comparison, result: Trained, target: int) -> float:
    """The root mean square error on the test rows, in the target's own units."""
    return rmse_of(comparison.facts.y_test[:, target], result.predictions[:, target])


def lead(comparison: Comparison, one: Trained, other: Trained) -> tuple[float, float]:
    """The lead of one model over another: the difference of their errors, with its uncertainty.

    The mean over the test rows, and twice its standard error. The error of a row is that of the
    loss where that is the mean squared error or the cross-entropy, and else the squared error; of
    several targets their sum in standard deviations.
    """
    each = row_errors(comparison, other) - row_errors(comparison, one)
    weight = row_weights(comparison)
    mean = (weight * each).mean().item()
    off = (weight * (each - mean)).square().sum().sqrt().item() / len(each)
    return mean, 2 * off if len(each) > 1 else math.inf


def row_weights(comparison: Comparison) -> Tensor:
    """How much each test row counts in the test loss, (n,); 1 on average."""
    facts = comparison.facts
    weight = comparison.training.row_weights(facts.y_test, facts)
    if weight is None:
        return torch.ones(facts.test_rows, dtype=torch.float64)
    return weight / weight.mean()


def row_errors(comparison: Comparison, result: Trained) -> Tensor:
    """The error of each test row, (n,)."""
    facts = comparison.facts
    if facts.classes:
        return log_losses(facts.y_test, result.predictions)
    off = (result.predictions - facts.y_test).double() / facts.scaler.y_std
    return off.square().sum(1)


def spread(one: Trained, other: Trained) -> float | None:
    """Twice the standard deviation of the difference of their test losses; None for one seed."""
    if one.deviation is None or other.deviation is None:
        return None
    return 2 * math.hypot(one.deviation, other.deviation)


class Turn(NamedTuple):
    """The lowest point of a test loss that has risen since."""

    step: int
    loss: float
    rise: float  # since then, as a share


def turned(result: Trained) -> Turn | None:
    """The lowest point of the test loss, if it has risen since; None otherwise."""
    losses = result.test_curve.losses
    lowest = int(losses.argmin())
    loss, last = losses[lowest].item(), losses[-1].item()
    if not last > (1 + RISE) * loss:
        return None
    return Turn(int(result.test_curve.steps[lowest]), loss, last / loss - 1 if loss else math.inf)


def still_falling(result: Trained) -> bool:
    """Whether the training loss still fell over the last tenth of the steps, without a stop."""
    if result.descent.stopped or result.model.automatic:
        return False
    losses = result.descent.losses
    before = losses[-1 - len(losses) // 10].item()
    return before - losses[-1].item() > FALL * before


def weights(
    comparison: Comparison, target: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
    """What the linear model adds to a target per standard deviation of each feature, (D,).

    None where no model is linear.
    """
    for result in comparison.results:
        if not result.model.hidden:
            w = result.descent.parameters[0][:, target].double()
            return (w * comparison.facts.scaler.y_std[target].double()).numpy()
    return None
