"""`Pass`: a pass of compiled code over a table in blocks, with the memory that it needs."""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from derivable.compiler.jit import Compiled, Routine
from derivable.distributed import Shard
from derivable.errors import SettingError
from derivable.function.kernel import Kernel
from derivable.objective import activation, kernels, norms, second_order, tiles
from derivable.objective.chain import ACTIVATION, LINEAR, NORM, Chain, Stage
from derivable.objective.losses import LOSS, SPARE, LossLoops
from derivable.objective.messages import say
from derivable.objective.team import threads_at_most
from derivable.partition import ROWS

Array = np.ndarray[Any, Any]


# What `kernels._finish` takes, called from Python.
_FINISH = ctypes.CFUNCTYPE(None, ctypes.c_int64, *(6 * [ctypes.c_void_p]))


@dataclass(frozen=True)
class Rows:
    """The rows of a table: which, whether they have weights, and the factor of their sum."""

    shard: Shard
    weighted: bool
    factor: float


class Pass:
    """The loss and gradient (order 1) or the Hessian times a direction (order 2) of a chain.

    `table` (blocks, columns * ROWS) holds the rows, `kernel` is the activation in the chain, and
    `loss` the end.
    """

    def __init__(
        self,
        table: Array,
        chain: Chain,
        kernel: Kernel,
        loss: LossLoops,
        rows: Rows,
        *,
        order: int,
    ) -> None:
        self._table, self._chain, self._rows, self._order = table, chain, rows, order
        dtype = table.dtype
        end = loss.gradient if order == 1 else loss.derivative
        shared = *activation.loops(kernel, dtype), *tiles.products(dtype)
        self._called = [*shared, end, *norms.loops(dtype)]
        self._block = kernels.block(dtype) if order == 1 else second_order.block(dtype)
        self._finish = kernels.finish(dtype)

    @property
    def routines(self) -> list[Compiled]:
        """What it runs of compiled code."""
        return [kernels.passes, self._block, self._finish, *self._needed.values()]

    @cached_property
    def _needed(self) -> dict[int, Routine]:
        """Those of the called routines that this network needs, by their places."""
        stages = self._chain.stages
        kinds, needed = {stage.kind for stage in stages}, {tiles.AFFINE, tiles.ADD_GRADIENT, LOSS}
        if ACTIVATION in kinds:
            needed.add(activation.ACTIVATE)
        if NORM in kinds:
            needed.add(norms.NORMALISE)
        if self._order == 1:
            for below, stage in pairwise(stages):
                needed |= _needed_between(below, stage)
            return self._at(needed | ({norms.NORM_VJP} if NORM in kinds else set()))
        if ACTIVATION in kinds:
            needed |= {activation.JVP, activation.VJP_TANGENT}
        if NORM in kinds:
            needed |= {norms.NORM_JVP, norms.NORM_VJP_TANGENT}
        if any(stage.kind == LINEAR for stage in stages[1:]):
            needed.add(tiles.ADD_PRODUCT)
        return self._at(needed)

    def _at(self, needed: set[int]) -> dict[int, Routine]:
        return {place: self._called[place] for place in sorted(needed)}

    @cached_property
    def _job(self) -> Array:
        """What `kernels.py` says is in a job."""
        stages = self._chain.stages
        job = np.zeros(kernels.SIZES + 1 + 2 * len(stages), np.int64)
        job[kernels.PARAMETERS] = self._chain.parameters
        job[kernels.LAYERS] = len(stages)
        job[kernels.COLUMNS] = self._table.shape[1]
        job[kernels.SPARE] = self._scratch.size(1)
        job[kernels.WEIGHTED] = self._rows.weighted
        shard, block_bytes = self._rows.shard, self._table.strides[0]
        job[kernels.BLOCKS] = shard.partition.blocks
        job[kernels.GRAINS] = shard.partition.grains
        job[kernels.TABLE_ROWS] = shard.partition.rows
        job[kernels.TASKS] = shard.partition.tasks
        job[kernels.FIRST_TASK] = shard.tasks.start
        job[kernels.BLOCK_BYTES] = block_bytes
        job[kernels.SPARE_BYTES] = self._scratch.stride(0) * self._scratch.element_size()
        job[kernels.TABLE] = self._table.ctypes.data - shard.blocks.start * block_bytes
        job[kernels.SCRATCH] = self._scratch.data_ptr()
        job[kernels.BLOCK] = self._block.address
        for place, routine in self._needed.items():
            job[kernels.CODES + place] = routine.address
        job[kernels.EPS] = self._eps.ctypes.data
        job[kernels.SIZES :] = [*self._chain.sizes, *(stage.kind for stage in stages)]
        return job

    @cached_property
    def _eps(self) -> Array:
        """A number of each stage."""
        return np.array([stage.eps for stage in self._chain.stages], self._table.dtype)

    @cached_property
    def _scratch(self) -> Tensor:
        """Of each thread, for one block's units and gradients.

        It is PyTorch's, whose arrays begin where a line of the cache does: a vector of a block then
        never lies across two.
        """
        sizes = self._chain.sizes
        units = sum(sizes[1:]) + max(2 * max(sizes[1:]), SPARE) + norms.FACTS
        if self._chain.stages[0].kind == NORM:
            units += sizes[0]  # for the derivative of the table, which is 0
        dtype = torch.from_numpy(self._table[:0]).dtype
        return torch.zeros(threads_at_most(), self._order * units * ROWS, dtype=dtype)

    @cached_property
    def _sums(self) -> Array:
        """Of each task of this process, in float64."""
        return np.zeros((len(self._rows.shard.tasks), self._chain.parameters + 1))

    def run(
        self,
        losses: Tensor,
        theta: Tensor,
        result: Tensor,
        *,
        direction: Tensor | None = None,
        decay: Tensor | None = None,
        lr: float = math.nan,
    ) -> None:
        """A pass for each of the `losses`, each followed by a step of `theta` where there is an lr.

        `losses`, in float64, become those before each step (of a second order, they mean nothing),
        and `result` (P,) the last gradient, or the product. `decay` (P,) is the penalty of each
        parameter, which is added to both. Raises SettingError for a tensor that
        compiled code would misread.
        """
        job = self._job
        job[kernels.MOVES] = not math.isnan(lr)
        job[kernels.THETA] = self._address("theta", theta)
        job[kernels.RESULT] = self._address("result", result)
        job[kernels.DIRECTION] = 0 if direction is None else self._address("direction", direction)
        job[kernels.DECAY] = 0 if decay is None else self._address("decay", decay)
        alone = self._rows.shard.group.size == 1
        job[kernels.FINISH] = self._finish.address if alone else 0
        rates, found = np.array((self._rows.factor, lr)), losses.numpy()
        if alone:
            kernels.passes(found, job, self._sums, rates)
        else:
            self._run_together(found, job, rates)

    def _run_together(self, losses: Array, job: Array, rates: Array) -> None:
        """The same with the sums of other processes, after each pass."""
        finish, mine = _FINISH(self._finish.address), torch.from_numpy(self._sums)
        places = (job[k] for k in (kernels.RESULT, kernels.THETA, kernels.DECAY))
        addresses = [int(place) for place in places]
        for k in range(len(losses)):
            kernels.passes(losses[k : k + 1], job, self._sums, rates)
            sums = self._rows.shard.gather(mine)
            finish(len(sums), *addresses, job.ctypes.data, sums.data_ptr(), rates.ctypes.data)
            losses[k] = sums[0, -1] * rates[0]

    def add_up(self, theta: Tensor) -> None:
        """The part of a pass that this process does alone, whose time is to be known."""
        job = self._job
        job[kernels.MOVES] = job[kernels.FINISH] = job[kernels.DIRECTION] = 0
        job[kernels.THETA] = self._address("theta", theta)
        kernels.passes(np.empty(1), job, self._sums, np.array((self._rows.factor, math.nan)))

    def _address(self, name: str, vector: Tensor) -> int:
        expected = self._scratch.dtype, (self._chain.parameters,)
        if (vector.dtype, tuple(vector.shape)) != expected or not vector.is_contiguous():
            gaps = {"size": expected[1][0], "dtype": expected[0], "got": vector.dtype}
            shape = str(tuple(vector.shape))
            raise SettingError(say("vector", name=name, shape=shape, **gaps))
        return vector.data_ptr()


def _needed_between(below: Stage, stage: Stage) -> set[int]:
    """The places of what takes a gradient back through a stage and to the one below it."""
    if stage.kind == LINEAR and stage.width == 1 and below.kind == ACTIVATION:
        return {activation.VJP_ONE_OUTPUT}
    needed = {tiles.ADD_PRODUCT} if stage.kind == LINEAR else set()
    return needed | ({activation.VJP} if below.kind == ACTIVATION else set())
