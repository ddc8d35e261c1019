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

from derivable.compiler.jit import Routine
from derivable.compiler.memory import array, call, inner, part, routine, tail
from derivable.objective.activation import ACTIVATE, PULL_BOTH, PUSH
from derivable.objective.kernels import opened
from derivable.objective.losses import LOSS
from derivable.objective.tiles import ADD_GRADIENT, ADD_PRODUCT, AFFINE, ROWS


@cache
def block(dtype: np.dtype[Any]) -> Routine:
    """One block's share of the product, for numbers of that type."""
    return routine(_block, "nXXXXNS", dtype, seconds=0.8)


def _block(
    count: Any, rows: Any, scratch: Any, theta: Any, direction: Any, job: Any, product: Any
) -> None:
    """Add one block's share to `product`. The scratch is for the values and their derivatives."""
    (parameters, layers, columns, room, weighted), routines, sizes = opened(job)
    rows, scratch = array(rows, columns), array(scratch, room)
    theta, direction = array(theta, parameters), array(direction, parameters)
    product = array(product, parameters + 1)
    half = scratch.size // 2
    values, dots = part(scratch, 0, half), tail(scratch, half)
    source = dsource = part(rows, 0, sizes[0] * ROWS)
    end, place = 0, 0
    for layer in range(layers):
        width, length = sizes[layer + 1], sizes[layer] * sizes[layer + 1]
        z, dz = part(values, place, width * ROWS), part(dots, place, width * ROWS)
        w, bias = part(theta, end, length), part(theta, end + length, width)
        dw, dbias = part(direction, end, length), part(direction, end + length, width)
        lengths = count, sizes[layer], width
        call(routines[AFFINE], lengths, (source, w, bias, z))
        call(routines[AFFINE], lengths, (source, dw, dbias, dz))
        if layer > 0:
            call(routines[ADD_PRODUCT], (*lengths, width, 1), (dsource, w, dz))
        if layer < layers - 1:
            source = part(values, place + z.size, z.size)
            dsource = part(dots, place + z.size, z.size)
            call(routines[ACTIVATE], (z.size,), (z, source))
            call(routines[PUSH], (z.size,), (z, source, dz, dsource))
            place += 2 * z.size
        end += length + width

    size = sizes[layers] * ROWS
    grad, dgrad = part(values, place, size), part(dots, place, size)
    spare, dspare = tail(values, place + size), tail(dots, place + size)
    arrays = tail(rows, sizes[0] * ROWS), grad, dgrad, spare
    call(routines[LOSS], (sizes[layers], count, weighted), arrays)
    for layer in range(layers - 1, -1, -1):
        width, below = sizes[layer + 1], sizes[layer]
        end -= (below + 1) * width
        w, dw = part(theta, end, below * width), part(direction, end, below * width)
        product_w = part(product, end, below * width)
        product_b = part(product, end + below * width, width)
        if layer == 0:
            arrays = part(rows, 0, below * ROWS), dgrad, product_w, product_b
            call(routines[ADD_GRADIENT], (count, below, width, 1), arrays)
            return
        place -= 2 * below * ROWS
        size = below * ROWS
        z, dz = part(values, place, size), part(dots, place, size)
        y, dy = part(values, place + size, size), part(dots, place + size, size)
        call(routines[ADD_GRADIENT], (count, below, width, 1), (y, dgrad, product_w, product_b))
        # dy = 0 for a bias, whose input is 1 whatever the parameters
        call(routines[ADD_GRADIENT], (count, below, width, 0), (dy, grad, product_w, product_b))
        grad_y, dgrad_y = part(spare, 0, size), part(dspare, 0, size)
        if width == 1:
            for h in range(below):
                mine, dmine = part(grad_y, h * ROWS, ROWS), part(dgrad_y, h * ROWS, ROWS)
                _multiples(w[h], dw[h], grad, dgrad, mine, dmine)
        else:
            for i in range(size):
                grad_y[i] = 0
                dgrad_y[i] = 0
            lengths = count, width, below, 1, width
            call(routines[ADD_PRODUCT], lengths, (grad, w, grad_y))
            call(routines[ADD_PRODUCT], lengths, (grad, dw, dgrad_y))
            call(routines[ADD_PRODUCT], lengths, (dgrad, w, dgrad_y))
        call(routines[PULL_BOTH], (size,), (z, y, grad_y, dz, dgrad_y))
        grad, dgrad = z, dz


@inner
def _multiples(w: Any, dw: Any, grad: Any, dgrad: Any, grad_y: Any, dgrad_y: Any) -> None:
    """W grad and its derivative, where one output is all that a unit has above it."""
    for i in range(ROWS):
        grad_y[i] = w * grad[i]
        dgrad_y[i] = dw * grad[i] + w * dgrad[i]
