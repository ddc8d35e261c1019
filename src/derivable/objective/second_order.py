"""The compiled pass for the curvature: forward over reverse, by hand, on one block at a time.

Everything that `kernels.py` computes is differentiated along one direction of the parameters.
With a dot for that derivative, forward: dz = x dw + dx w + db and dy = slope dz; and backward, for
the gradient g of z: dg = slope dgrad_y + grad_y curvature dz, where grad_y = w g and
dgrad_y = dw g + w dg. The result is the Hessian times the direction, exactly, and not a difference
of two gradients.
"""

from __future__ import annotations

from typing import Any

from numba import prange

from derivable.function.jit import njit
from derivable.objective.activation import ACTIVATE, PULL_BOTH, PUSH, run
from derivable.objective.kernels import add_tasks
from derivable.objective.tiles import (
    FAST,
    INNER,
    ROWS,
    add_gradient,
    add_product,
    affine,
    subtract,
    weigh,
)


@njit(parallel=True, **FAST)
def curvature(
    theta: Any,
    direction: Any,
    sizes: Any,
    loops: Any,
    table: Any,
    rows: int,
    work: Any,
    product: Any,
) -> None:
    """Fill `product` with the Hessian times `direction`; the rest as in `loss_and_gradient`.

    The scratch of a task has twice the size, for the values and their derivatives.
    """
    scratch, partial = work
    tasks, blocks = partial.shape[0], table.shape[0]
    for task in prange(tasks):
        mine = partial[task]
        mine[:] = 0
        for i in range(task * blocks // tasks, (task + 1) * blocks // tasks):
            count = min(ROWS, rows - i * ROWS)
            _block(theta, direction, sizes, loops, table[i], count, scratch[task], mine)
    add_tasks(partial, 2 / rows, product)


@njit(**INNER)
def _block(
    theta: Any,
    direction: Any,
    sizes: Any,
    loops: Any,
    rows: Any,
    count: int,
    scratch: Any,
    product: Any,
) -> None:
    """Add one block's share to `product`."""
    layers, one = sizes.size - 1, theta.dtype.type(1)
    step = sizes.size - layers  # 1, as in `kernels.py`
    half = scratch.size // 2
    values, dots = scratch[:half], scratch[half:]
    source = dsource = rows[: sizes[0] * ROWS]
    end, place = 0, 0
    for layer in range(layers):
        width, length = sizes[layer + 1], sizes[layer] * sizes[layer + 1]
        z, dz = values[place : place + width * ROWS], dots[place : place + width * ROWS]
        w, bias = theta[end : end + length], theta[end + length :]
        dw, dbias = direction[end : end + length], direction[end + length :]
        affine(source, w, (width, step), bias, z)
        affine(source, dw, (width, step), dbias, dz)
        if layer > 0:
            add_product(dsource, w, (width, step), dz)
        if layer < layers - 1:
            source = values[place + z.size : place + 2 * z.size]
            dsource = dots[place + z.size : place + 2 * z.size]
            run(loops[ACTIVATE], z.size, one, (z, source, z, z, z))
            run(loops[PUSH], z.size, one, (z, source, z, dz, dsource))
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
            add_gradient(rows[: below * ROWS], dgrad, product_w, product_b)
            return
        place -= 2 * below * ROWS
        size = below * ROWS
        z, dz = values[place : place + size], dots[place : place + size]
        y, dy = values[place + size : place + 2 * size], dots[place + size : place + 2 * size]
        add_gradient(y, dgrad, product_w, product_b)
        add_gradient(dy, grad, product_w, spare)  # the bias has no such term: into the spare
        grad_y, dgrad_y = spare[:size], dspare[:size]
        for i in range(size):
            grad_y[i] = 0
            dgrad_y[i] = 0
        add_product(grad, w, (step, width), grad_y)
        add_product(grad, dw, (step, width), dgrad_y)
        add_product(dgrad, w, (step, width), dgrad_y)
        run(loops[PULL_BOTH], size, one, (z, y, grad_y, dz, dgrad_y))
        grad, dgrad = z, dz
