"""`Tasks`: an objective of any network on the rows of a shard, task by task."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from derivable.distributed import Shard
from derivable.formula import Refusal, Scale
from derivable.loss import Loss
from derivable.objective.messages import say
from derivable.problem import Problem
from derivable.row_losses import scale_of
from derivable.threads import on_one_thread

ALONE = 1e-4  # how far the prediction of a row may be off from that beside other rows, relative


class Tasks:
    """The tasks of this process, each a problem of its own, whose sums all processes add up.

    Each runs on one thread, because the bits of PyTorch's matrix products depend on their number.
    """

    def __init__(self, problem: Problem, shard: Shard) -> None:
        self._shard = shard
        self._parts = [problem.part(rows) for rows in shard.own_rows()]
        scale = scale_of(problem.loss)
        assert isinstance(scale, Scale)  # `refusal` has checked it
        whole = scale.factor(problem.rows, 1)
        self._factors = [whole / scale.factor(part.rows, 1) for part in self._parts]

    @staticmethod
    def refusal(problem: Problem) -> str:
        """Why the loss is not the sum over rows that lie in different processes, if it is not."""
        scale = scale_of(problem.loss)
        if isinstance(scale, Refusal):
            return say("shard_loss", loss=Loss.of(problem.loss).name, why=scale.text)
        changing = problem.network.changing
        if changing:
            return say("shard_changes", name=changing[0])
        if _mixes_rows(problem):
            return say("shard_rows")
        return ""

    def added(self, compute: Callable[[Problem], Tensor]) -> Tensor:
        """The sum over all tasks of what is computed of each (W,), a mean or sum over its rows.

        It is in the dtype of what is computed.
        """
        with on_one_thread(0):
            found = [compute(part) for part in self._parts]
        sums = [one.double() * factor for one, factor in zip(found, self._factors, strict=True)]
        total = self._shard.added(torch.stack(sums))
        return total.to(found[0].dtype)


def _mixes_rows(problem: Problem) -> bool:
    """Whether the prediction of the first row depends on the others: tried on a few."""
    network, rows = problem.network, problem.x[:3]
    if len(rows) < 2:
        return False
    with torch.no_grad(), network.unchanged():
        alone, beside = network(rows[:1])[0], network(rows)[0]
    size = float(beside.abs().max()) + float(alone.abs().max())
    return not float((alone - beside).abs().max()) <= ALONE * size
