"""What was tried, with its losses on rows held out, and how much of each the model is."""

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

SHARES = tuple(k / 20 for k in range(1, 21))  # of the networks in the model, beside 0


@dataclass(frozen=True)
class Tried:
    """A model by name, and its loss on the rows held out of each fold, without the penalty."""

    model: str
    alpha: float | None  # the L2 penalty; None of a mixture
    losses: Array  # (F,)
    share: float | None = None  # of the networks, in a mixture
    left_out: float | None = None  # of a linear model, the loss on rows left out one by one

    @property
    def criterion(self) -> float:
        """What says which linear model is best: the loss on rows left out, or held out."""
        return self.loss if self.left_out is None else self.left_out

    @property
    def loss(self) -> float:
        """The mean over the folds."""
        return float(self.losses.mean())

    def row(self, *, chosen: bool) -> dict[str, Any]:
        """What a table of choices shows of it."""
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
    """Of the mean of these values (F,); nan for a single one."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")


def loss_of_outputs(loss: Loss, outputs: Tensor, table: Table) -> float:
    """The loss of outputs (N, K) for the rows of a table."""
    _, y, weight = table
    if weight is None or bool((weight == weight[0]).all()):
        return float(loss.forward(Context(), outputs, y).sum())
    weight = (weight / weight.mean()).to(outputs.dtype)
    return float(weighted_loss(loss, outputs, y, weight))


def losses_of(loss: Loss, outputs: Sequence[Tensor], held: Sequence[Table]) -> Array:
    """The loss of each fold (F,), where `outputs` are those for its rows held out."""
    pairs = zip(outputs, held, strict=False)
    return np.array([loss_of_outputs(loss, one, table) for one, table in pairs])


def mixtures(
    loss: Loss, lines: Sequence[Tensor], networks: Sequence[Tensor], held: Sequence[Table]
) -> list[Tried]:
    """Mixtures of the outputs of linear models and of networks, for each share of the networks."""
    found = []
    for share in SHARES[:-1]:
        pairs = zip(lines, networks, strict=False)
        mixed = [(1 - share) * line + share * network for line, network in pairs]
        found.append(Tried("mixture", None, losses_of(loss, mixed, held), share))
    return found
