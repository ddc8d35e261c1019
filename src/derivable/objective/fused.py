"""The fused objective: forward and backward of a whole network in one compiled pass (Numba)."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from derivable.errors import SettingError
from derivable.function import Function
from derivable.function.kernel import Kernel
from derivable.functions import Tanh
from derivable.network import Network
from derivable.objective.base import Objective, steps_per_block
from derivable.objective.mlp import Mlp
from derivable.objective.team import Team

if TYPE_CHECKING:
    from derivable.compiler.jit import Compiled
    from derivable.objective.passes import Pass

DTYPES = (torch.float32, torch.float64)


class Fused(Objective):
    """MSE of a multi-layer perceptron on x (N, D), y (N, K), summed over the K columns.

    Supports Linear layers with one kind of activation between them, any Function that states its
    `kernel`, in float32 or float64 on the CPU, when Numba is installed (the extra `fast`). Raises
    SettingError otherwise. `weight` (N,) is that of each row. Memory: one copy of the table, and
    one block's units for each thread.
    """

    name = "fused"

    @staticmethod
    def supports(network: Network, loss: type[Function]) -> bool:
        """Whether it can stand for this network and loss, here."""
        mlp = Mlp.of(network, loss)
        return (
            importlib.util.find_spec("numba") is not None
            and mlp is not None
            and len(set(mlp.activations)) <= 1
            and all(kernel_of(activation) for activation in mlp.activations)
            and all(p.dtype in DTYPES and p.device.type == "cpu" for p in network.parameters())
        )

    def __init__(
        self,
        network: Network,
        loss: type[Function],
        x: Tensor,
        y: Tensor,
        weight: Tensor | None = None,
    ) -> None:
        mlp = Mlp.require(network, loss, self.name)
        if not self.supports(network, loss):
            raise SettingError(
                "the fused objective runs one kind of activation, which states its kernel, in "
                "float32 or float64 on the CPU, and needs Numba: pip install 'derivable[fast]'"
            )
        from derivable.objective import passes, tiles  # Numba, only where it is used

        self.dtype, self.block = x.dtype, steps_per_block(len(x))
        parts = [x, y] if weight is None else [x, y, weight.to(x.dtype).view(-1, 1)]
        self.table = blocks(parts, tiles.ROWS)  # (blocks, (D + K) * ROWS), ROWS more with weights
        kernel: Any = kernel_of(mlp.activations[0] if mlp.activations else Tanh)
        self.gradient = torch.empty(network.theta.shape, dtype=x.dtype)  # (P,)
        self._team = Team()
        self._pass = partial(passes.Pass, self.table, len(x), mlp.sizes, kernel)

    def routines(self, *, curvature: bool) -> list[Compiled]:
        """What of compiled code it needs, that for the curvature only where it is wanted."""
        needed = list(self._gradient_pass.routines)
        return [*needed, *self._curvature_pass.routines] if curvature else needed

    def value_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The loss () and its gradient (P,) at `theta` (P,); the gradient is a reused buffer."""
        loss = torch.empty(1, dtype=torch.float64)
        with self._mustered(theta):
            self._gradient_pass.run(loss, theta, self.gradient)
        return theta.new_tensor(loss.item()), self.gradient

    def take_steps(self, theta: Tensor, lr: float, losses: Tensor) -> None:
        """Move `theta` by exact steps, one for each of the `losses`, the loss before it."""
        with self._mustered(theta):
            self._gradient_pass.run(losses, theta, self.gradient, lr=lr)

    def curvature(self, theta: Tensor, direction: Tensor) -> Tensor:
        """The Hessian (P, P) at `theta` (P,) times `direction` (P,), exactly."""
        product, loss = torch.empty_like(self.gradient), torch.empty(1, dtype=torch.float64)
        with self._mustered(theta):
            self._curvature_pass.run(loss, theta, product, direction=direction)
        return product

    def _mustered(self, theta: Tensor) -> AbstractContextManager[None]:
        """The threads for a pass, which are chosen by timing a gradient now and then."""
        loss = torch.empty(1, dtype=torch.float64)
        return self._team.mustered(lambda: self._gradient_pass.run(loss, theta, self.gradient))

    @cached_property
    def _gradient_pass(self) -> Pass:
        return self._pass(order=1)

    @cached_property
    def _curvature_pass(self) -> Pass:
        return self._pass(order=2)


def kernel_of(activation: type[Function]) -> Kernel | None:
    """The kernel that a Function states; None if it states none of its own."""
    return activation.__dict__.get("kernel")


def blocks(parts: Sequence[Tensor], rows: int) -> np.ndarray[Any, Any]:
    """Tables of N rows, side by side, as blocks of `rows` rows: (blocks, columns * rows).

    Features lie one after the other inside a block; the last block is padded with 0. Filled
    block by block, so that there is never more than one copy of the table.
    """
    total = len(parts[0])
    count, whole = -(-total // rows), total // rows
    table = torch.zeros(count, sum(part.size(1) for part in parts), rows, dtype=parts[0].dtype)
    end = 0
    for columns in parts:
        place, end = end, end + columns.size(1)
        full = columns[: whole * rows].view(whole, rows, columns.size(1))
        table[:whole, place:end] = full.transpose(1, 2)
        if whole < count:
            rest = columns[whole * rows :]
            table[whole, place:end, : len(rest)] = rest.t()
    return table.view(count, -1).numpy()
