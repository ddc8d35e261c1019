"""The models that were tried, with their losses on held-out rows, and their mixtures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from derivable.ensemble.folds import Array, Table
from derivable.function import Context
from derivable.loss import Loss
from derivable.row_losses import weighted_loss

SHARES = tuple(k / 20 for k in range(1, 20))  # of the networks in a mixture


@dataclass(frozen=True)
class Tried:
    """A model that was tried: its name, and its losses on held-out rows, without the penalty."""

    model: str
    alpha: float | None  # the L2 penalty; None for a mixture
    losses: Array  # (F,), on the rows held out from each fold
    share: float | None = None  # of the networks, for a mixture
    left_out: float | None = None  # for ridge regression, the leave-one-out loss

    @property
    def criterion(self) -> float:
        """The loss by which linear models are compared: leave-one-out where there is one."""
        return self.loss if self.left_out is None else self.left_out

    @property
    def loss(self) -> float:
        """The mean of the losses over the folds."""
        return float(self.losses.mean())

    def row(self, *, chosen: bool) -> dict[str, Any]:
        """The model as a row of the estimator's `choices_`; "error" is the standard error."""
        return {
            "model": self.model,
            "alpha": self.alpha,
            "share": self.share,
            "loss": self.loss,
            "left_out": self.left_out,
            "error": standard_error(self.losses),
            "folds": len(self.losses),
            "chosen": chosen,
        }


def standard_error(values: Array) -> float:
    """The standard error of the mean of values (F,); nan for a single value."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")


def loss_of_outputs(loss: Loss, outputs: Tensor, table: Table) -> float:
    """The loss of outputs (N, K) for the rows of a table, weighted by the weights of its rows."""
    _, y, weight = table
    if weight is None or bool((weight == weight[0]).all()):
        return float(loss.forward(Context(), outputs, y).sum())
    weight = (weight / weight.mean()).to(outputs.dtype)
    return float(weighted_loss(loss, outputs, y, weight))


def losses_of(loss: Loss, outputs: Sequence[Tensor], held: Sequence[Table]) -> Array:
    """The loss (F,) of the outputs for the held-out rows of each fold."""
    pairs = zip(outputs, held, strict=False)
    return np.array([loss_of_outputs(loss, one, table) for one, table in pairs])


def mixtures(
    loss: Loss, lines: Sequence[Tensor], networks: Sequence[Tensor], held: Sequence[Table]
) -> list[Tried]:
    """For each share of the networks, the mixture of the outputs of linear models and networks.

    `lines` and `networks` are the outputs for the rows `held` out from each fold.
    """
    found = []
    for share in SHARES:
        pairs = zip(lines, networks, strict=False)
        mixed = [(1 - share) * line + share * network for line, network in pairs]
        found.append(Tried("mixture", None, losses_of(loss, mixed, held), share))
    return found
