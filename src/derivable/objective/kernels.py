"""The compiled pass of the fused objective: a whole network on one block of rows at a time.

Everything that a block needs (its rows, units and gradients) stays in the innermost cache, and
nothing of the table's length is ever stored. `tiles.py` says how a block lies in memory.

A pass over the table is cut into tasks, each of which adds up the gradient of its own blocks in
float64; the tasks are then added in a fixed order. So the same call gives the same bits, with any
number of threads.

`passes` knows nothing of the type of numbers, the network or the order of derivative: these are in
the routines that it calls, `block` here or that of `second_order.py`, and `finish`. So it is
compiled once. What these need lies in a job, an array of whole numbers and addresses.

The units of a layer lie in scratch as their inputs z, then their outputs y; going backward, the
gradient of z overwrites z.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import get_thread_id, prange, types

from derivable.compiler.jit import Entry, Routine
from derivable.compiler.memory import array, call, inner, part, routine, tail
from derivable.objective.activation import ACTIVATE, PULL, PULL_ONE
from derivable.objective.losses import LOSS, ROUTINES
from derivable.objective.tiles import ADD_GRADIENT, ADD_PRODUCT, AFFINE, GRAIN, ROWS

# Places in a job: numbers; addresses; the addresses of the routines of `activation.py`, `tiles.py`
# and `losses.py` from CODES on, and the widths of the layers from inputs to outputs from SIZES on.
PARAMETERS, LAYERS, COLUMNS, SPARE, WEIGHTED, MOVES = range(6)
BLOCKS, GRAINS, TABLE_ROWS, BLOCK_BYTES, SPARE_BYTES = range(6, 11)
TABLE, SCRATCH, THETA, DIRECTION, RESULT, DECAY, BLOCK, FINISH, CODES = range(11, 20)
SIZES = CODES + ROUTINES


def _passes(losses: Any, job: Any, sums: Any, rates: Any) -> None:
    """A pass over the table for each entry of `losses`, which becomes the loss before its step.

    `sums` (tasks, P + 1) is where each task adds up its gradient and its losses. `rates` are the
    factor of the sums, which is the scale of the loss, and the learning rate.
    """
    tasks, blocks, grains = sums.shape[0], job[BLOCKS], job[GRAINS]
    for k in range(losses.size):
        for task in prange(tasks):
            mine, own = sums[task], job[SCRATCH] + get_thread_id() * job[SPARE_BYTES]
            mine[:] = 0
            for i in range(task * blocks // tasks, (task + 1) * blocks // tasks):
                first, end = i * grains // blocks, (i + 1) * grains // blocks
                count = min(end * GRAIN, job[TABLE_ROWS]) - first * GRAIN
                rows = job[TABLE] + i * job[BLOCK_BYTES]
                call(job[BLOCK], (count, rows, own, job[THETA], job[DIRECTION]), (job, mine))
        call(job[FINISH], (tasks, job[RESULT], job[THETA], job[DECAY]), (job, sums, rates))
        losses[k] = sums[0, sums.shape[1] - 1] * rates[0]


_FLAT = types.Array(types.float64, 1, "C")
passes = Entry(
    _passes,
    types.void(_FLAT, types.Array(types.int64, 1, "C"), types.Array(types.float64, 2, "C"), _FLAT),
    parallel=True,
    seconds=0.8,
)


@inner
def opened(job: Any) -> Any:
    """What every block asks of a job: its numbers, the routines, and the widths of the layers."""
    job = array(job, SIZES + array(job, SIZES)[LAYERS] + 1)
    numbers = job[PARAMETERS], job[LAYERS], job[COLUMNS], job[SPARE], job[WEIGHTED]
    return numbers, part(job, CODES, ROUTINES), tail(job, SIZES)


@cache
def block(dtype: np.dtype[Any]) -> Routine:
    """Forward and backward of one block, for numbers of that type."""
    return routine(_block, "nXXXXNS", dtype, seconds=0.6)


@cache
def finish(dtype: np.dtype[Any]) -> Routine:
    """What is left after the blocks of a pass, for numbers of that type."""
    return routine(_finish, "nXXXNSS", dtype, seconds=0.1)


def _finish(
    tasks: Any, result: Any, theta: Any, decay: Any, job: Any, sums: Any, rates: Any
) -> None:
    """Add up the tasks in their order; the result is that times a factor; move theta if asked.

    The penalty of each parameter, where there is one, is added to the result and to the loss.
    Row after row, as they lie in memory, and not in a parallel pass, which would cut it up.
    """
    job, rates = array(job, SIZES), array(rates, 2)
    parameters = job[PARAMETERS]
    sums, width = array(sums, tasks * (parameters + 1)), parameters + 1
    total = part(sums, 0, width)
    for task in range(1, tasks):
        mine = part(sums, task * width, width)
        for p in range(width):
            total[p] += mine[p]
    result, theta = array(result, parameters), array(theta, parameters)
    for p in range(parameters):
        result[p] = rates[0] * total[p]
    if job[DECAY]:
        decay, squares = array(decay, parameters), 0.0
        for p in range(parameters):
            pull = decay[p] * theta[p]
            result[p] += pull
            squares += pull * theta[p]
        total[parameters] += squares / 2 / rates[0]
    if job[MOVES]:
        for p in range(parameters):
            theta[p] -= theta.dtype.type(rates[1]) * result[p]


def _block(
    count: Any, rows: Any, scratch: Any, theta: Any, direction: Any, job: Any, sums: Any
) -> None:
    """Forward and backward of one block: add to `sums`, the gradient and the loss."""
    (parameters, layers, columns, spare, weighted), routines, sizes = opened(job)
    rows, scratch = array(rows, columns), array(scratch, spare)
    theta, sums = array(theta, parameters), array(sums, parameters + 1)
    source, end, place = part(rows, 0, sizes[0] * ROWS), 0, 0
    for layer in range(layers):
        width, length = sizes[layer + 1], sizes[layer] * sizes[layer + 1]
        z = part(scratch, place, width * ROWS)
        w, bias = part(theta, end, length), part(theta, end + length, width)
        call(routines[AFFINE], (count, sizes[layer], width), (source, w, bias, z))
        if layer < layers - 1:
            y = part(scratch, place + z.size, z.size)
            call(routines[ACTIVATE], (z.size,), (z, y))
            source, place = y, place + 2 * z.size
        end += length + width

    grad = part(scratch, place, sizes[layers] * ROWS)
    rest = tail(scratch, place + grad.size)
    arrays = tail(rows, sizes[0] * ROWS), grad, rest, tail(sums, parameters)
    call(routines[LOSS], (sizes[layers], count, weighted), arrays)
    for layer in range(layers - 1, -1, -1):
        width, below = sizes[layer + 1], sizes[layer]
        end -= (below + 1) * width
        w = part(theta, end, below * width)
        if layer > 0:
            place -= 2 * below * ROWS
            z = part(scratch, place, below * ROWS)
            source = part(scratch, place + z.size, z.size)
        else:
            source = part(rows, 0, below * ROWS)
        mine = part(sums, end, below * width), part(sums, end + below * width, width)
        call(routines[ADD_GRADIENT], (count, below, width, 1), (source, grad, *mine))
        if layer > 0:
            _pull(routines, count, w, width, grad, z, source, rest)
            grad = z


@inner
def _pull(
    routines: Any, count: int, w: Any, width: int, grad: Any, z: Any, y: Any, rest: Any
) -> None:
    """Overwrite z with its gradient, from `grad`, that of the layer above through w."""
    if width == 1:  # the gradient of each unit's output is its weight times `grad`
        call(routines[PULL_ONE], (z.size, ROWS), (z, y, grad, w))
    else:
        grad_y = part(rest, 0, z.size)
        for i in range(z.size):
            grad_y[i] = 0
        below = w.size // width
        call(routines[ADD_PRODUCT], (count, width, below, 1, width), (grad, w, grad_y))
        call(routines[PULL], (z.size,), (z, y, grad_y))
