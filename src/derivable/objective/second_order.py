"""The compiled pass for the curvature: forward over reverse, by hand, on one block at a time.

Everything that `kernels.py` computes is differentiated along one direction of the parameters.
With a dot for that derivative, forward: dz = x dw + dx w + db and dy = slope dz; and backward, for
the gradient g of z: dg = slope dgrad_y + grad_y curvature dz, where grad_y = w g and
dgrad_y = dw g + w dg. The result is the Hessian times the direction, exactly, and not a difference
of two gradients.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import carray, get_thread_id, prange

from derivable.function.jit import FAST, INNER, njit
from derivable.objective import address
from derivable.objective.activation import ACTIVATE, PULL_BOTH, PUSH
from derivable.objective.address import call
from derivable.objective.kernels import add_tasks
from derivable.objective.tiles import (
    ADD_GRADIENT,
    ADD_PRODUCT,
    AFFINE,
    ROUTINES,
    ROWS,
    subtract,
    weigh,
)


@njit(parallel=True, **FAST)
def curvature(
    theta: Any,
    direction: Any,
    code: Any,
    sizes: Any,
    table: Any,
    rows: int,
    work: Any,
    product: Any,
) -> None:
    """Fill `product` with the Hessian times `direction`; the rest as in `loss_and_gradient`.

    The scratch has twice the size, for the values and their derivatives.
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
            call(block, lengths, (theta, direction, sizes, routines, table[i], own, mine))
    add_tasks(partial, 2 / rows, product)


@cache
def compiled_block(dtype: np.dtype[Any]) -> Any:
    """`_block` for numbers of that type."""
    return address.compiled(_block, "nnnnnXXNNXXS", dtype)


def _block(
    count: Any,
    parameters: Any,
    layers: Any,
    columns: Any,
    room: Any,
    theta: Any,
    direction: Any,
    sizes: Any,
    routines: Any,
    rows: Any,
    scratch: Any,
    product: Any,
) -> None:
    """Add one block's share to `product`."""
    theta, direction = carray(theta, parameters), carray(direction, parameters)
    sizes, routines = carray(sizes, layers + 1), carray(routines, ROUTINES)
    rows = carray(rows, columns)
    scratch, product = carray(scratch, room), carray(product, parameters + 1)
    half = scratch.size // 2
    values, dots = scratch[:half], scratch[half:]
    source = dsource = rows[: sizes[0] * ROWS]
    end, place = 0, 0
    for layer in range(layers):
        width, length = sizes[layer + 1], sizes[layer] * sizes[layer + 1]
        z, dz = values[place : place + width * ROWS], dots[place : place + width * ROWS]
        w, bias = theta[end : end + length], theta[end + length :]
        dw, dbias = direction[end : end + length], direction[end + length :]
        lengths = sizes[layer], width, width, 1
        call(routines[AFFINE], lengths, (source, w, bias, z))
        call(routines[AFFINE], lengths, (source, dw, dbias, dz))
        if layer > 0:
            call(routines[ADD_PRODUCT], lengths, (dsource, w, dz))
        if layer < layers - 1:
            source = values[place + z.size : place + 2 * z.size]
            dsource = dots[place + z.size : place + 2 * z.size]
            call(routines[ACTIVATE], (z.size,), (z, source))
            call(routines[PUSH], (z.size,), (z, source, dz, dsource))
            place += 2 * z.size
        end += length + width

    size = sizes[layers] * ROWS
    grad, dgrad = values[place : place + size], dots[place : place + size]
    spare, dspare = values[place + size :], dots[place + size :]
    subtract(rows[sizes[0] * ROWS :], count, grad)
    for k in range(0, size, ROWS):
        for i in range(k + count, k + ROWS):
            dgrad[i] = 0
    if rows.size > sizes[0] * ROWS + size:
        weigh(rows[sizes[0] * ROWS :], grad, dgrad)
    for layer in range(layers - 1, -1, -1):
        width, below = sizes[layer + 1], sizes[layer]
        end -= (below + 1) * width
        w, dw = theta[end : end + below * width], direction[end : end + below * width]
        product_w = product[end : end + below * width]
        product_b = product[end + below * width :]
        if layer == 0:
            arrays = rows[: below * ROWS], dgrad, product_w, product_b
            call(routines[ADD_GRADIENT], (below, width, 1), arrays)
            return
        place -= 2 * below * ROWS
        size = below * ROWS
        z, dz = values[place : place + size], dots[place : place + size]
        y, dy = values[place + size : place + 2 * size], dots[place + size : place + 2 * size]
        call(routines[ADD_GRADIENT], (below, width, 1), (y, dgrad, product_w, product_b))
        # dy = 0 for a bias, whose input is 1 whatever the parameters
        call(routines[ADD_GRADIENT], (below, width, 0), (dy, grad, product_w, product_b))
        grad_y, dgrad_y = spare[:size], dspare[:size]
        if width == 1:
            for h in range(below):
                mine = slice(h * ROWS, (h + 1) * ROWS)
                _multiples(w[h], dw[h], grad, dgrad, grad_y[mine], dgrad_y[mine])
        else:
            for i in range(size):
                grad_y[i] = 0
                dgrad_y[i] = 0
            lengths = width, below, 1, width
            call(routines[ADD_PRODUCT], lengths, (grad, w, grad_y))
            call(routines[ADD_PRODUCT], lengths, (grad, dw, dgrad_y))
            call(routines[ADD_PRODUCT], lengths, (dgrad, w, dgrad_y))
        call(routines[PULL_BOTH], (size,), (z, y, grad_y, dz, dgrad_y))
        grad, dgrad = z, dz


@njit(**INNER)
def _multiples(w: Any, dw: Any, grad: Any, dgrad: Any, grad_y: Any, dgrad_y: Any) -> None:
    """W grad and its derivative, where one output is all that a unit has above it."""
    for i in range(ROWS):
        grad_y[i] = w * grad[i]
        dgrad_y[i] = dw * grad[i] + w * dgrad[i]
