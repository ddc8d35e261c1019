"""Mini-batches: another part of the table at every call."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.function import Function
from derivable.network import Network
from derivable.objective.base import Objective, steps_per_block
from derivable.objective.by_hand import ByHand


class Batches(Objective):
    """The loss and gradient of the next `size` rows, in an order drawn anew for every epoch.

    The k-th call has the same rows for the same `seed`, wherever the count begins: `done` is the
    number of the first. The last batch of an epoch may be smaller. The curvature is that of the
    whole table.
    """

    name = "mini-batches"

    def __init__(
        self,
        network: Network,
        loss: type[Function],
        x: Tensor,
        y: Tensor,
        weight: Tensor | None = None,
        *,
        size: int,
        seed: int,
        done: int,
    ) -> None:
        self.network, self.loss, self.x, self.y, self.weight = network, loss, x, y, weight
        self.dtype, self.block = x.dtype, steps_per_block(min(size, len(x)))
        self.size, self.seed, self.done = size, seed, done
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.long)

    def value_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The loss () and its gradient (P,) at `theta` (P,) on the next batch."""
        rows = self._rows(self.done)
        self.done += 1
        weight = None if self.weight is None else self.weight[rows]
        batch = ByHand(self.network, self.loss, self.x[rows], self.y[rows], weight)
        return batch.value_and_gradient(theta)

    def curvature(self, theta: Tensor, direction: Tensor) -> Tensor:
        """The Hessian (P, P) of the whole table at `theta` (P,) times `direction` (P,)."""
        return ByHand(self.network, self.loss, self.x, self.y, self.weight).curvature(
            theta, direction
        )

    def _rows(self, call: int) -> Tensor:
        epoch, batch = divmod(call, -(-len(self.x) // self.size))
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed((self.seed * 1_000_003 + epoch) % 2**63)
            self._epoch, self._order = epoch, torch.randperm(len(self.x), generator=generator)
        return self._order[batch * self.size : (batch + 1) * self.size]
