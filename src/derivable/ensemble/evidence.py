"""How much better networks predict rows held out than a linear model does, and how surely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from derivable.ensemble.choice import Tried, standard_error
from derivable.ensemble.folds import Array, Table, kinds_of
from derivable.loss import Loss
from derivable.row_losses import sums_of_rows


@dataclass(frozen=True)
class Gain:
    """By how much a loss on rows held out is lower than another, and the standard error of that."""

    mean: float
    error: float

    @property
    def is_sure(self) -> bool:
        """Whether it is above zero by more than one standard error."""
        return self.mean > self.error


def gain_of(
    loss: Loss,
    candidates: Sequence[Tried],
    line: Tried,
    lines: Sequence[Tensor],
    networks: Sequence[Tensor],
    held: Sequence[Table],
) -> Gain:
    """The gain over a linear model of taking the best of the candidates, networks or mixtures.

    `lines` and `networks` are the outputs for the rows `held` out of each fold. The rows of a fold
    are predicted by the candidate with the least loss on the other folds: the least of many losses
    on the same rows is lower than the loss on new ones. The error is that of a mean over rows,
    equal rows counted as one, up to a factor; over folds where the loss is no sum over rows.
    """
    best = [_best_without(k, candidates) for k in range(len(networks))]
    gaps: list[Array] = []
    weights: list[Array] = []
    kinds: list[Array] = []
    for one, of_line, of_network, (x, y, weight) in zip(best, lines, networks, held, strict=False):
        share = 1.0 if one.share is None else one.share
        mixed = (1 - share) * of_line + share * of_network
        theirs, ours = sums_of_rows(loss, of_line, y), sums_of_rows(loss, mixed, y)
        if theirs is None or ours is None:
            folds = np.array([line.losses[k] - one.losses[k] for k, one in enumerate(best)])
            return Gain(float(folds.mean()), standard_error(folds))
        gaps.append((theirs - ours).double().numpy())
        weights.append(np.ones(len(x)) if weight is None else weight.double().numpy())
        kind = kinds_of(x.numpy(), None)[1].reshape(-1)
        kinds.append(kind + (int(kinds[-1].max()) + 1 if kinds else 0))
    return _mean_gain(*map(np.concatenate, (gaps, weights, kinds)))


def _best_without(fold: int, candidates: Sequence[Tried]) -> Tried:
    """The candidate with the least loss on the folds but one; on that where there is no other."""
    if len(candidates[0].losses) == 1:
        return min(candidates, key=lambda one: one.loss)
    return min(candidates, key=lambda one: float(np.delete(one.losses, fold).mean()))


def _mean_gain(gaps: Array, weight: Array, kind: Array) -> Gain:
    """The weighted mean of gaps (N,), and its standard error; rows of a kind (N,) are not apart."""
    mean = float(np.average(gaps, weights=weight))
    sums = np.bincount(kind, weights=weight * (gaps - mean))  # (C,)
    count = len(sums)
    error = np.sqrt(count / max(1, count - 1) * (sums**2).sum()) / weight.sum()
    return Gain(mean, float(error))
