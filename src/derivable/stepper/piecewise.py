"""Exact descent of one hidden layer of ReLUs without a pass over the table at every step.

Between two steps hardly a row changes the side of a unit. While none does, the prediction is
linear in products of parameters: with the features (x, 1) of a row written x, and s = slope where
the row lies on the side of unit h that has it,

    yhat_k = sum_h v_hk s_h (w_h . x) + c_k = a_k . phi,   phi = (s_h x for all h, and 1),
                                                           a_k = (v_hk w_h for all h, and c_k)

so that the mean squared error is a quadratic form in a_k,

    loss = sum_k a_k . G a_k - 2 a_k . r_k + mean y_k^2,   G = mean phi phi^T,  r_k = mean y_k phi,

and its gradient, by the chain rule through a, is exact. G has (H (D+1) + 1)^2 entries, whatever the
number of rows; when a row does change sides, its share of G and r is corrected. A row of weight w
has (x, 1) and y times sqrt(w), which leaves its sides and weighs its share. A penalty needs no more
than its gradient, which is a part of each weight. All of it is in
float64, so the losses are those of exact steps to the last digits of a float32.

How much that takes depends on how many rows change sides. The work is counted as it goes, and where
it comes to more than passes over the table would take, the next steps are passes of the fused loop.
Work is counted and not timed, so that the same call gives the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from derivable.extras import is_installed
from derivable.function.kernel import Kernel
from derivable.functions import MSE
from derivable.objective.messages import say
from derivable.objective.mlp import Mlp, no_mlp
from derivable.problem import Problem
from derivable.stepper.base import ExactStepper, steps_per_block
from derivable.stepper.fused import FusedSteps
from derivable.threads import on_one_thread

if TYPE_CHECKING:
    from derivable.compiler.jit import Compiled

Array = np.ndarray[Any, Any]
Counts = tuple[Array, Array, Array, Array]  # sides (H, N), slopes (2,), G, and r (K, M + 1)

MOST_PRODUCTS = 600  # entries of a: G is then 3 MB and stays in the cache
ROWS_AT_ONCE = 4096
FEW_STEPS = 1000  # fewer are not worth the count of sides with which it begins
# A pass of the fused loop takes as long as so much of the work of an evaluation of each row of each
# unit: it runs in vectors, on all threads. Measured by benchmarks/large.py.
PASS = 1 / 12
CALL = 5000.0  # and of any table, as long as this work: its threads wait for each other
STEPS_PER_PRODUCT = 10  # the count takes longer, the more products there are
PAUSE = 2000  # passes before the sides are counted again; twice as many each time


@dataclass
class _State:
    """What steps leave for those that go on from where they ended."""

    counts: Counts
    lists: tuple[Array, ...]
    scratch: tuple[Array, ...]


class PiecewiseSteps(ExactStepper):
    """Exact steps of the MSE of Linear, ReLU, Linear on x (N, D), y (N, K), over all K columns.

    Supports any activation that is two straight lines meeting in 0, with Numba (extra `descent`).

    Many steps at a time is what it is for: `block` of them after each fresh count of the sides.
    Steps that begin where the last ones ended go on with their count. Where that does not pay, a
    few thousand steps are those of the fused loop, before it is tried again.
    """

    name = "piecewise"
    block = 20_000

    @classmethod
    def refusal(cls, problem: Problem) -> str:
        """Why it cannot have this problem here; empty where it can."""
        mlp = Mlp.of(problem, (MSE,))
        if mlp is None:
            return no_mlp(cls.name, (MSE,))
        kernel = mlp.activations[0].kernel if len(mlp.activations) == 1 else None
        if not (
            is_installed("numba")
            and isinstance(kernel, Kernel)
            and kernel.slopes is not None
            and all(p.is_cpu for p in problem.network.parameters())
        ):
            return say("piecewise")
        return ""

    @classmethod
    def pays(cls, problem: Problem, steps: int) -> bool:
        """Whether a step costs far less than a pass over the table, and there are many steps."""
        products = sum(p.numel() for p in problem.network.layers[0].parameters())
        enough = steps >= max(FEW_STEPS, STEPS_PER_PRODUCT * products)
        return enough and products <= min(MOST_PRODUCTS, problem.rows // 8)

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        mlp = Mlp.of(problem, (MSE,))
        assert mlp is not None  # `refusal` has checked it
        kernel = mlp.activations[0].kernel
        assert isinstance(kernel, Kernel)
        assert kernel.slopes is not None
        self._problem = problem
        self.piece = steps_per_block(problem.rows)  # each step may be a pass over the table
        self.plain = FusedSteps(problem.in_float64())  # the same from the table
        self.objective = self.plain.objective
        self.slopes = np.array(kernel.slopes)
        self.units = mlp.sizes[1]
        x, y = problem.x, problem.y
        self.y = y.double().contiguous()  # (N, K), in the layout of the loops' signature
        self.x = torch.cat([x.t().double(), torch.ones(1, len(x), dtype=torch.float64)])  # (D+1, N)
        if problem.weight is not None:
            root = problem.weight.double().sqrt()  # (N,)
            self.x, self.y = self.x * root, self.y * root.view(-1, 1)
        self.table = tuple(t.numpy() for t in (self.x, self.x.float(), self.x.norm(dim=0), self.y))
        self._constants = (
            float((self.y**2).mean(0).sum()),
            CALL + PASS * self.x.numel() * self.units,
            float(problem.penalty),
        )
        self._end: Tensor | None = None  # where the last steps ended
        products = self.units * len(self.x)
        self._first_pause = PAUSE * max(1, products // 100)
        self._state: _State | None = None
        self._passes = 0  # steps of the fused loop that are yet to take
        self._pause = self._first_pause  # and how many the next time

    def routines(self, *, hvp: bool) -> list[Compiled]:
        """What of compiled code it needs: its loop, and for the last loss that of the table."""
        from derivable.stepper.piecewise_kernels import take_steps

        return [take_steps, *self.plain.routines(hvp=hvp)]

    def take_steps(self, theta: Tensor, lr: float, losses: Tensor) -> None:
        """Move `theta` by as many exact steps as there are `losses`, the loss before each."""
        if self._end is not None and not torch.equal(self._end, theta):
            self.begin_block()
        done = 0
        while done < len(losses):
            rest = losses[done:]
            if self._passes:
                taken = min(self._passes, len(rest))
                self._from_table(theta, lr, rest[:taken])
                self._passes -= taken
            else:
                taken = self._by_pieces(theta, lr, rest)
                if taken < len(rest):
                    self._state, self._passes, self._pause = None, self._pause, 2 * self._pause
            done += taken
        self._end = theta.clone()

    def begin_block(self) -> None:
        """Count the sides afresh at the next step."""
        self._state = None
        self._passes, self._pause = 0, self._first_pause

    def _by_pieces(self, theta: Tensor, lr: float, losses: Tensor) -> int:
        """Steps without the table, as many as are worth it; how many that were."""
        from derivable.stepper.piecewise_kernels import empty_lists, empty_scratch, take_steps

        state = self._state
        if state is None:
            lists = empty_lists(self.units, len(self.x))
            scratch = empty_scratch(self.units, len(self.x), self.y.size(1))
            state = self._state = _State(self._count(theta), lists, scratch)
        taken: int = take_steps(
            theta.numpy(),
            lr,
            losses.numpy(),
            self.table,
            state.counts,
            state.lists,
            state.scratch,
            self._constants,
        )
        return taken

    def _from_table(self, theta: Tensor, lr: float, losses: Tensor) -> None:
        """Steps of the fused loop, in the dtype of the problem, which moves half as many bytes."""
        moved = theta.to(self._fused.dtype, copy=True)
        self._fused.take_steps(moved, lr, losses)
        theta.copy_(moved)

    @cached_property
    def _fused(self) -> FusedSteps:
        """The fused loop, compiled where it is not yet: few descents need it."""
        if self._problem.dtype == self.dtype:
            return self.plain
        from derivable.compiler import ready

        fused = FusedSteps(self._problem)
        ready.make_ready(fused.routines(hvp=False))
        return fused

    def _count(self, theta: Tensor) -> Counts:
        """The sides (H, N), the slopes, the Gram matrix of phi and its moments with y."""
        edges, rows = self.x.shape
        size = self.units * edges + 1
        w = theta[: size - 1].view(edges, self.units)
        above = torch.empty(self.units, rows, dtype=torch.bool)
        gram = torch.zeros(size, size, dtype=torch.float64)
        moment = torch.zeros(self.y.size(1), size, dtype=torch.float64)
        low, high = self.slopes
        with on_one_thread(rows * size):
            for start in range(0, rows, ROWS_AT_ONCE):
                part = slice(start, start + ROWS_AT_ONCE)
                x, y = self.x[:, part].t(), self.y[part]  # (n, D + 1), (n, K)
                above[:, part] = (x @ w > 0).t()
                slope = low + (high - low) * above[:, part].t().double()  # (n, H)
                bent = slope.unsqueeze(2) * x.unsqueeze(1)  # (n, H, D + 1)
                phi = torch.cat([bent.flatten(1), x[:, -1:]], 1)  # (n, H (D + 1) + 1)
                gram += phi.t() @ phi
                moment += y.t() @ phi
        return above.numpy(), self.slopes, (gram / rows).numpy(), (moment / rows).numpy()
