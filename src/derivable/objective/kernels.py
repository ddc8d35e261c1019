"""The compiled pass of the fused objective: a whole network on one block of rows at a time.

Everything that a block needs (its rows, units and gradients) stays in the innermost cache, and
nothing of the table's length is ever stored. `tiles.py` says how a block lies in memory.

A pass over the table is cut into tasks, each of which adds up the gradient of its own blocks in
float64; the tasks are then added in a fixed order. So the same call gives the same bits, with any
number of threads.

`passes` knows nothing of the type of numbers, the network or the order of derivative: these are in
the routines that it calls, `block` here or that of `second_order.py`, and `finish`. So it is
compiled once. What these need lies in a job, an array of whole numbers and addresses.

The stages of a chain, Linear layers, LayerNorms and activations, are routines, called by kind. In
scratch lies the output of each. Going backward, the gradient of an activation's input z overwrites
z, and that of another stage's input lies behind them all.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import get_thread_id, prange, types

from derivable.compiler.jit import Entry, Routine
from derivable.compiler.memory import array, call, inner, memory, part, routine, tail
from derivable.objective.activation import ACTIVATE, VJP, VJP_ONE_OUTPUT
from derivable.objective.chain import ACTIVATION, LINEAR, NORM
from derivable.objective.losses import LOSS
from derivable.objective.norms import FACTS, NORM_VJP, NORMALISE, ROUTINES
from derivable.objective.tiles import ADD_GRADIENT, ADD_PRODUCT, AFFINE
from derivable.partition import GRAIN, ROWS

# Places in a job: numbers; addresses; the addresses of the routines of `activation.py`, `tiles.py`,
# `losses.py` and `norms.py` from CODES on, the widths of the stages from inputs to outputs from
# SIZES on, and after them their kinds. EPS has a number of each stage.
PARAMETERS, LAYERS, COLUMNS, SPARE, WEIGHTED, MOVES = range(6)
BLOCKS, GRAINS, TABLE_ROWS, BLOCK_BYTES, SPARE_BYTES, TASKS, FIRST_TASK = range(6, 13)
TABLE, SCRATCH, THETA, DIRECTION, RESULT, DECAY, EPS, BLOCK, FINISH, CODES = range(13, 23)
SIZES = CODES + ROUTINES


def _passes(losses: Any, job: Any, sums: Any, rates: Any) -> None:
    """A pass over the table for each entry of `losses`, which becomes the loss before its step.

    `sums` (tasks, P + 1) is where each task adds up its gradient and its losses. `rates` are the
    factor of the sums, which is the scale of the loss, and the learning rate. Where the other tasks
    of the table are another process's, there is no FINISH: the sums are all that is wanted.
    """
    all_tasks, blocks, grains = job[TASKS], job[BLOCKS], job[GRAINS]
    for k in range(losses.size):
        for place in prange(sums.shape[0]):
            mine, own = sums[place], job[SCRATCH] + get_thread_id() * job[SPARE_BYTES]
            mine[:] = 0
            task = job[FIRST_TASK] + place
            for i in range(task * blocks // all_tasks, (task + 1) * blocks // all_tasks):
                first, end = i * grains // blocks, (i + 1) * grains // blocks
                count = min(end * GRAIN, job[TABLE_ROWS]) - first * GRAIN
                rows = job[TABLE] + i * job[BLOCK_BYTES]
                call(job[BLOCK], (count, rows, own, job[THETA], job[DIRECTION]), (job, mine))
        if job[FINISH]:
            addresses = all_tasks, job[RESULT], job[THETA], job[DECAY]
            call(job[FINISH], addresses, (job, sums, rates))
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
    """What every block asks of a job: numbers, routines, widths and kinds of stages, their eps."""
    job = array(job, SIZES + 2 * array(job, SIZES)[LAYERS] + 1)
    numbers = job[PARAMETERS], job[LAYERS], job[COLUMNS], job[SPARE], job[WEIGHTED]
    sizes = part(job, SIZES, job[LAYERS] + 1)
    return numbers, part(job, CODES, ROUTINES), sizes, tail(job, SIZES + sizes.size), job[EPS]


@inner
def lengths(kind: int, below: int, width: int) -> int:
    """How many parameters a stage has: those of a Linear layer or LayerNorm, weights first."""
    if kind == LINEAR:
        return (below + 1) * width
    return 2 * width if kind == NORM else 0


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
            gradient = decay[p] * theta[p]
            result[p] += gradient
            squares += gradient * theta[p]
        total[parameters] += squares / 2 / rates[0]
    if job[MOVES]:
        for p in range(parameters):
            theta[p] -= theta.dtype.type(rates[1]) * result[p]


def _block(
    count: Any, rows: Any, scratch: Any, theta: Any, direction: Any, job: Any, sums: Any
) -> None:
    """Forward and backward of one block: add to `sums`, the gradient and the loss."""
    (parameters, layers, columns, spare, weighted), routines, sizes, kinds, eps = opened(job)
    rows, scratch, eps = array(rows, columns), array(scratch, spare), memory(theta, eps, layers)
    theta, sums = array(theta, parameters), array(sums, parameters + 1)
    facts = tail(scratch, spare - FACTS * ROWS)
    source, end, place, largest = part(rows, 0, sizes[0] * ROWS), 0, 0, 0
    for layer in range(layers):
        below, width = sizes[layer], sizes[layer + 1]
        out, length = part(scratch, place, width * ROWS), lengths(kinds[layer], below, width)
        mine = part(theta, end, length)
        if kinds[layer] == LINEAR:
            call(
                routines[AFFINE],
                (count, below, width),
                (source, mine, tail(mine, below * width), out),
            )
        elif kinds[layer] == NORM:
            call(routines[NORMALISE], (count, width), (source, mine, tail(eps, layer), out, facts))
        else:
            call(routines[ACTIVATE], (out.size,), (source, out))
        source, end, place = out, end + length, place + out.size
        largest = max(largest, out.size)

    # a gradient goes to the first side of what is left, or to the second if it is made from there
    grad, rest, side = source, tail(scratch, place), 0
    arrays = tail(rows, sizes[0] * ROWS), grad, rest, tail(sums, parameters)
    call(routines[LOSS], (sizes[layers], count, weighted), arrays)
    for layer in range(layers - 1, -1, -1):
        below, width = sizes[layer], sizes[layer + 1]
        above, length = end, lengths(kinds[layer], below, width)
        end, place = end - length, place - width * ROWS
        out, source = part(scratch, place, width * ROWS), part(rows, 0, below * ROWS)
        if layer > 0:
            source = part(scratch, place - below * ROWS, below * ROWS)
        w, gradient = part(theta, end, length), part(sums, end, length)
        if kinds[layer] == LINEAR:
            arrays = source, grad, gradient, tail(gradient, below * width)
            call(routines[ADD_GRADIENT], (count, below, width, 1), arrays)
            if layer > 0 and not (width == 1 and kinds[layer - 1] == ACTIVATION):
                grad_y = part(rest, side * largest, source.size)
                _fill_product(routines, (count, width, below, 1, width), grad, w, grad_y)
                grad, side = grad_y, 1 - side
        elif kinds[layer] == NORM:
            grad_x = part(rest, side * largest, source.size)
            arrays = source, w, tail(eps, layer), grad, grad_x, gradient, facts
            call(routines[NORM_VJP], (count, width, layer > 0), arrays)
            grad, side = grad_x, 1 - side
        else:
            if kinds[layer + 1] == LINEAR and sizes[layer + 2] == 1:
                # the gradient of each unit's output is its weight times `grad`
                w = part(theta, above, width)
                call(routines[VJP_ONE_OUTPUT], (out.size, ROWS), (source, out, grad, w))
            else:
                call(routines[VJP], (out.size,), (source, out, grad))
            grad, side = source, 0


@inner
def _fill_product(routines: Any, lengths: Any, grad: Any, w: Any, out: Any) -> None:
    """Fill `out` with the gradient of the input of a Linear layer."""
    for i in range(out.size):
        out[i] = 0
    call(routines[ADD_PRODUCT], lengths, (grad, w, out))
