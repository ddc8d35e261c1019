"""Mini-batches: another part of the table at every call."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.objective.base import Objective
from derivable.objective.by_hand import ByHand
from derivable.problem import Problem


class Batches(Objective):
    """The loss and gradient of the next `size` rows, in an order drawn anew for every epoch.

    The k-th call has the same rows for the same `seed`, wherever the count begins: `done` is the
    number of the first. The last batch of an epoch may be smaller. `hvp` is that of the whole
    table, and `value` that of the next batch, without going on to the one after it.
    """

    name = "mini-batches"

    def __init__(self, problem: Problem, *, size: int, seed: int, done: int) -> None:
        super().__init__(problem)
        self.size, self.seed, self.done = size, seed, done
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.long)

    def data_value(self, theta: Tensor) -> Tensor:
        """The loss () at `theta` (P,) on the next batch."""
        return ByHand(self.problem.part(self._rows(self.done))).data_value(theta)

    def data_value_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The loss () and its gradient (P,) at `theta` (P,) on the next batch."""
        rows = self._rows(self.done)
        self.done += 1
        return ByHand(self.problem.part(rows)).data_value_and_gradient(theta)

    def data_hvp(self, theta: Tensor, direction: Tensor) -> Tensor:
        """The Hessian (P, P) of the whole table at `theta` (P,) times `direction` (P,)."""
        return ByHand(self.problem).data_hvp(theta, direction)

    def _rows(self, call: int) -> Tensor:
        rows = self.problem.rows
        epoch, batch = divmod(call, -(-rows // self.size))
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed((self.seed * 1_000_003 + epoch) % 2**63)
            self._epoch, self._order = epoch, torch.randperm(rows, generator=generator)
        return self._order[batch * self.size : (batch + 1) * self.size]
