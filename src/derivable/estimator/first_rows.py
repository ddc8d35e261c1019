"""`FirstRows`: the batches of the first calls of `partial_fit`, until there are enough rows."""

from __future__ import annotations

import numpy as np
import torch

from derivable.estimator.rows import Rows, Units

ENOUGH = 100  # rows, whose mean and deviation change little with the next ones


class FirstRows:
    """The first batches, whose rows determine units and an automatic learning rate.

    A single row has no deviation, and units of a few rows do not suit others. So the fit is
    repeated in the units of all rows each time their number has doubled, with one step for each
    batch. From `ENOUGH` rows on the units are fixed, and the batches are dropped.
    """

    def __init__(self) -> None:
        self.batches: list[Rows] = []
        self.used = 0.0  # rows of which the units are

    def add(self, rows: Rows) -> bool:
        """Keep the rows of one more call; whether the fit begins anew with them."""
        if self.used >= ENOUGH:
            return False
        self.batches.append(rows)
        seen = sum(batch.count for batch in self.batches)
        if seen < min(2 * self.used, ENOUGH):
            return False
        self.used = seen
        return True

    @property
    def joined(self) -> Rows:
        """All rows so far."""
        weights = [batch.weight for batch in self.batches]
        known = any(weight is not None for weight in weights)
        return Rows(
            np.concatenate([batch.features for batch in self.batches]),
            np.concatenate([batch.targets for batch in self.batches]),
            np.concatenate([batch.counts for batch in self.batches]) if known else None,
        )

    def steepest(self, units: Units) -> Rows:
        """The batch on which the loss of a linear model has the largest second derivative.

        A step is taken on one batch, and a learning rate has to suit each of them.
        """
        return max(self.batches, key=lambda batch: _lambda_max(batch, units))

    def forget(self) -> None:
        """Drop the batches where the units are settled."""
        if self.used >= ENOUGH:
            self.batches = []


def _lambda_max(rows: Rows, units: Units) -> float:
    x, _, _ = units.rows(rows)
    weight = torch.from_numpy(rows.counts)
    x = torch.cat([x.double(), torch.ones(len(x), 1, dtype=torch.float64)], 1)
    x = x * (weight / weight.sum()).sqrt()[:, None]
    return float(torch.linalg.matrix_norm(x, 2).item())
