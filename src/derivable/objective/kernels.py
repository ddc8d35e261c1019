"""The compiled passes of the fused objective: a whole network on one block of rows at a time.

Everything that a block needs (its rows, units and gradients) stays in the innermost cache, and
nothing of the table's length is ever stored. `tiles.py` says how a block lies in memory.

A pass over the table is cut into tasks, each of which adds up the gradient of its own blocks in
float64; the tasks are then added in a fixed order. So the same call gives the same bits, with any
number of threads.

The units of a layer lie in scratch as their inputs z, then their outputs y; going backward, the
gradient of z overwrites z.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import carray, get_thread_id, prange

from derivable.function.jit import FAST, INNER, njit
from derivable.objective import address
from derivable.objective.activation import ACTIVATE, PULL, PULL_ONE
from derivable.objective.address import call
from derivable.objective.tiles import ADD_GRADIENT, ADD_PRODUCT, AFFINE, ROUTINES, ROWS, subtract


@njit(parallel=True, **FAST)
def loss_and_gradient(
    theta: Any, code: Any, sizes: Any, table: Any, rows: int, work: Any, gradient: Any
) -> Any:
    """The mean over `rows` rows of the squared error, summed over the outputs; fills `gradient`.

    `code` is the address of `compiled_block` and those of the routines that it calls; `sizes` are
    the widths from inputs to outputs.
    `table` (blocks, (D + K) * ROWS) holds the D features and K targets of each block, the last
    one padded. `work` is the scratch (threads, ...) and the partial sums (tasks, P + 1).
    """
    block, routines = code
    scratch, partial = work
    tasks, blocks = partial.shape[0], table.shape[0]
    for task in prange(tasks):
        mine, own = partial[task], scratch[get_thread_id()]
        mine[:] = 0
        for i in range(task * blocks // tasks, (task + 1) * blocks // tasks):
            count = min(ROWS, rows - i * ROWS)
            lengths = count, theta.size, sizes.size - 1, table.shape[1], scratch.shape[1]
            call(block, lengths, (theta, sizes, routines, table[i], own, mine))
    return add_tasks(partial, 2 / rows, gradient) / rows


@njit(**FAST)
def take_steps(
    theta: Any,
    lr: float,
    losses: Any,
    code: Any,
    sizes: Any,
    table: Any,
    rows: int,
    work: Any,
    gradient: Any,
) -> None:
    """One exact step of gradient descent for each entry of `losses`, the loss before its step."""
    for k in range(losses.size):
        losses[k] = loss_and_gradient(theta, code, sizes, table, rows, work, gradient)
        for p in range(theta.size):
            theta[p] -= theta.dtype.type(lr) * gradient[p]


@njit(**INNER)
def add_tasks(partial: Any, factor: float, total: Any) -> float:
    """Factor times the sums over the tasks, in their order, into `total`; returns the last sum.

    Row after row, as they lie in memory, and not in a parallel pass, which would cut it up.
    """
    sums = partial[0]
    for task in range(1, partial.shape[0]):
        for p in range(sums.size):
            sums[p] += partial[task, p]
    for p in range(total.size):
        total[p] = factor * sums[p]
    last: float = sums[sums.size - 1]
    return last


@cache
def compiled_block(dtype: np.dtype[Any]) -> Any:
    """`_block` for numbers of that type."""
    return address.compiled(_block, "nnnnnXNNXXS", dtype)


def _block(
    count: Any,
    parameters: Any,
    layers: Any,
    columns: Any,
    room: Any,
    theta: Any,
    sizes: Any,
    routines: Any,
    rows: Any,
    scratch: Any,
    sums: Any,
) -> None:
    """Forward and backward of one block: add to `sums`, the gradient and the squared errors."""
    theta, sizes = carray(theta, parameters), carray(sizes, layers + 1)
    routines = carray(routines, ROUTINES)
    rows, scratch, sums = carray(rows, columns), carray(scratch, room), carray(sums, parameters + 1)
    source, end, place = rows[: sizes[0] * ROWS], 0, 0
    for layer in range(layers):
        width, length = sizes[layer + 1], sizes[layer] * sizes[layer + 1]
        z = scratch[place : place + width * ROWS]
        w, bias = theta[end : end + length], theta[end + length : end + length + width]
        call(routines[AFFINE], (sizes[layer], width, width, 1), (source, w, bias, z))
        if layer < layers - 1:
            y = scratch[place + z.size : place + 2 * z.size]
            call(routines[ACTIVATE], (z.size,), (z, y))
            source, place = y, place + 2 * z.size
        end += length + width

    grad = scratch[place : place + sizes[layers] * ROWS]
    spare = scratch[place + grad.size :]
    sums[-1] += subtract(rows[sizes[0] * ROWS :], count, grad)
    for layer in range(layers - 1, -1, -1):
        width, below = sizes[layer + 1], sizes[layer]
        end -= (below + 1) * width
        w = theta[end : end + below * width]
        if layer > 0:
            place -= 2 * below * ROWS
            z = scratch[place : place + below * ROWS]
            source = scratch[place + z.size : place + 2 * z.size]
        else:
            source = rows[: below * ROWS]
        mine = sums[end : end + below * width], sums[end + below * width :]
        call(routines[ADD_GRADIENT], (below, width, 1), (source, grad, *mine))
        if layer > 0:
            _pull(routines, w, width, grad, z, source, spare)
            grad = z


@njit(**INNER)
def _pull(routines: Any, w: Any, width: int, grad: Any, z: Any, y: Any, spare: Any) -> None:
    """Overwrite z with its gradient, from `grad`, that of the layer above through w."""
    if width == 1:  # the gradient of each unit's output is its weight times `grad`
        call(routines[PULL_ONE], (z.size, ROWS), (z, y, grad, w))
    else:
        grad_y = spare[: z.size]
        grad_y[:] = 0
        below = w.size // width
        call(routines[ADD_PRODUCT], (width, below, 1, width), (grad, w, grad_y))
        call(routines[PULL], (z.size,), (z, y, grad_y))
