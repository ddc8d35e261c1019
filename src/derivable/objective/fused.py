"""The fused objective: forward and backward of a whole network in one compiled pass (Numba)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from derivable.distributed import Shard
from derivable.extras import is_installed
from derivable.formula import Refusal, Scale, kernel_of
from derivable.function.kernel import Kernel
from derivable.functions import Tanh
from derivable.objective.base import Objective
from derivable.objective.chain import Chain
from derivable.objective.messages import say
from derivable.objective.team import Team
from derivable.partition import ROWS
from derivable.problem import Problem
from derivable.row_losses import scale_of
from derivable.storage import allocate

if TYPE_CHECKING:
    from derivable.compiler.jit import Compiled
    from derivable.objective.passes import Pass

DTYPES = (torch.float32, torch.float64)


class Fused(Objective):
    """The loss of a chain of layers on x (N, D), y (N, K), or labels (N,).

    Supports Linear layers and LayerNorms with one kind of activation between them, any Function
    whose kernel can be derived, and CrossEntropy or a loss of pairs, in float32 or float64 on the
    CPU, when Numba is installed (the extra `descent`).
    Memory: one copy of the table, and one block's units for each thread.
    """

    name = "fused"
    takes_shards = True

    @classmethod
    def refusal(cls, problem: Problem) -> str:
        """Why it cannot have this problem here; empty where it can."""
        chain = Chain.of(problem)
        if chain is None:
            return say("fused")
        if not (
            is_installed("numba")
            and len({activation.kernel for activation in chain.activations}) <= 1
            and all(p.dtype in DTYPES and p.is_cpu for p in problem.network.parameters())
        ):
            return say("fused_kinds")
        for activation in chain.activations[:1]:
            kernel = activation.kernel
            if isinstance(kernel, Refusal):
                return say("fused_activation", why=kernel.text)
        scale = scale_of(problem.loss)
        if isinstance(scale, Refusal):
            return say("fused_loss", why=scale.text)
        return ""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        chain = Chain.of(problem)
        assert chain is not None  # `refusal` has checked it
        from derivable.objective import losses, passes  # Numba, only where it is used

        labels = not problem.y.is_floating_point()
        parts = [problem.x, problem.y.to(self.dtype).view(len(problem.y), -1)]
        if problem.weight is not None:
            parts.append(problem.weight.view(-1, 1))
        shard = problem.shard or Shard.of_all(problem.rows)
        self.table = blocks(parts, shard)  # (blocks, columns * ROWS)
        kernel = chain.activations[0].kernel if chain.activations else kernel_of(Tanh)
        scale = scale_of(problem.loss)
        assert isinstance(kernel, Kernel)  # the same
        assert isinstance(scale, Scale)
        rows = passes.Rows(
            shard, problem.weight is not None, scale.factor(problem.rows, chain.sizes[-1])
        )
        loss = losses.loops(problem.loss, self.table.dtype, labels=labels)
        self.gradient = torch.empty_like(problem.theta)  # (P,)
        self._team = Team()
        self._pass = partial(passes.Pass, self.table, chain, kernel, loss, rows)

    def routines(self, *, hvp: bool) -> list[Compiled]:
        """What of compiled code it needs, that of `hvp` only where it is wanted."""
        needed = list(self._gradient_pass.routines)
        return [*needed, *self._hvp_pass.routines] if hvp else needed

    def data_value_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The loss () and its gradient (P,) at `theta` (P,); the gradient is a reused buffer."""
        loss = torch.empty(1, dtype=torch.float64)
        with self._mustered(theta):
            self._gradient_pass.run(loss, theta, self.gradient)
        return theta.new_tensor(loss.item()), self.gradient

    def data_hvp(self, theta: Tensor, direction: Tensor) -> Tensor:
        """The Hessian (P, P) at `theta` (P,) times `direction` (P,), exactly."""
        product, loss = torch.empty_like(self.gradient), torch.empty(1, dtype=torch.float64)
        with self._mustered(theta):
            self._hvp_pass.run(loss, theta, product, direction=direction)
        return product

    def descend(self, theta: Tensor, lr: float, losses: Tensor) -> None:
        """Move `theta` by exact steps, one for each of the `losses`, the loss before it."""
        with self._mustered(theta):
            self._gradient_pass.run(losses, theta, self.gradient, lr=lr, decay=self.decay)

    def _mustered(self, theta: Tensor) -> AbstractContextManager[None]:
        """The threads for a pass, which are chosen by timing a gradient now and then."""
        return self._team.mustered(lambda: self._gradient_pass.add_up(theta))

    @cached_property
    def _gradient_pass(self) -> Pass:
        return self._pass(order=1)

    @cached_property
    def _hvp_pass(self) -> Pass:
        return self._pass(order=2)


def blocks(parts: Sequence[Tensor], shard: Shard) -> np.ndarray[Any, Any]:
    """The rows of a shard, in tables side by side, as blocks: (blocks, columns * ROWS).

    Features lie one after the other inside a block, `ROWS` numbers apart, with 0 where a block has
    fewer rows. Filled block by block, so that there is never more than one copy of the table, which
    lies in a file where it does not fit into memory.
    """
    cut, own = shard.partition, shard.blocks
    width = sum(part.size(1) for part in parts)
    table = allocate((len(own), width, ROWS), parts[0].dtype)
    begin = cut.first_row(own.start)
    for block, number in zip(table, own, strict=True):
        start, end = (cut.first_row(one) - begin for one in (number, number + 1))
        place = 0
        for columns in parts:
            mine = columns[start:end]
            block[place : place + columns.size(1), : len(mine)] = mine.t()
            place += columns.size(1)
    return table.view(len(own), -1).numpy()
