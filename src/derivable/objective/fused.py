"""The fused objective: forward and backward of a whole network in one compiled pass (Numba)."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from typing import Any

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
from derivable.objective.team import Team, threads_at_most

DTYPES = (torch.float32, torch.float64)
TASKS = 32  # shares of the table whose sums are added in order, whatever the number of threads


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
        from derivable.objective import kernels, tiles  # Numba, only where it is used

        self._kernels, self.rows_of_block = kernels, tiles.ROWS
        self.dtype, self.block = x.dtype, steps_per_block(len(x))
        self.rows = len(x)
        parts = [x, y] if weight is None else [x, y, weight.to(x.dtype).view(-1, 1)]
        self.table = blocks(parts, tiles.ROWS)  # (blocks, (D + K) * ROWS), ROWS more with weights
        self.sizes = np.array(mlp.sizes)
        self._kernel = kernel_of(mlp.activations[0] if mlp.activations else Tanh)
        self.gradient = torch.empty(network.theta.shape, dtype=x.dtype)  # (P,)
        self._team = Team()
        self._first_order = self._work(1)

    def warm_up(self, *, curvature: bool) -> None:
        """Compile the passes, or load them from the disk."""
        theta = torch.zeros_like(self.gradient)
        self.take_steps(theta, 0.0, torch.empty(1, dtype=torch.float64))
        if curvature:
            self.curvature(theta, theta)

    def value_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The loss () and its gradient (P,) at `theta` (P,); the gradient is a reused buffer."""
        with self._team.mustered(lambda: self._gradient(theta)):
            return theta.new_tensor(self._gradient(theta)), self.gradient

    def _gradient(self, theta: Tensor) -> float:
        loss: float = self._kernels.loss_and_gradient(
            theta.numpy(), self._code, *self._problem, self._first_order, self.gradient.numpy()
        )
        return loss

    def take_steps(self, theta: Tensor, lr: float, losses: Tensor) -> None:
        """Move `theta` by exact steps, one for each of the `losses`, the loss before it."""
        with self._team.mustered(lambda: self._gradient(theta)):
            self._kernels.take_steps(
                theta.numpy(),
                lr,
                losses.numpy(),
                self._code,
                *self._problem,
                self._first_order,
                self.gradient.numpy(),
            )

    def curvature(self, theta: Tensor, direction: Tensor) -> Tensor:
        """The Hessian (P, P) at `theta` (P,) times `direction` (P,), exactly."""
        from derivable.objective import second_order

        product = torch.empty_like(self.gradient)
        with self._team.mustered(lambda: self._gradient(theta)):
            second_order.curvature(
                theta.numpy(),
                direction.numpy(),
                (second_order.compiled_block(self.table.dtype).address, self._routines),
                *self._problem,
                self._second_order,
                product.numpy(),
            )
        return product

    @property
    def _code(self) -> tuple[int, Any]:
        return self._kernels.compiled_block(self.table.dtype).address, self._routines

    @cached_property
    def _routines(self) -> np.ndarray[Any, Any]:
        """The addresses of the routines that a pass calls; compiled at the first use."""
        from derivable.objective import activation, tiles

        dtype = self.table.dtype
        compiled = *activation.compiled(self._kernel, dtype), *tiles.compiled(dtype)
        return np.array([routine.address for routine in compiled], np.int64)

    @cached_property
    def _second_order(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        return self._work(2)

    @property
    def _problem(self) -> tuple[Any, ...]:
        return self.sizes, self.table, self.rows

    def _work(self, order: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Scratch of each thread, for one block's units and gradients, and the sums of each task.

        They are PyTorch's, whose arrays begin where a line of the cache does: a vector of a block
        then never lies across two.
        """
        units = 2 * int(self.sizes[1:].sum()) + int(self.sizes[1:].max())
        room = order * units * self.rows_of_block
        scratch = torch.zeros(threads_at_most(), room, dtype=self.dtype)
        tasks = min(TASKS, len(self.table))
        sums = torch.zeros(tasks, self.gradient.numel() + 1, dtype=torch.float64)
        return scratch.numpy(), sums.numpy()


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
