"""The compiled pass for Hessian-vector products: forward over reverse, on one block at a time.

Everything that `kernels.py` computes is differentiated along one direction of the parameters.
With a dot for that derivative, forward: dz = x dw + dx w + db and dy = slope dz; and backward, for
the gradient g of z: dg = slope dgrad_y + grad_y second_derivative dz, where grad_y = w g and
dgrad_y = dw g + w dg. The result is the Hessian times the direction, exactly, and not a difference
of two gradients.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from derivable.compiler.jit import Routine
from derivable.compiler.memory import array, call, inner, memory, part, routine, tail
from derivable.objective.activation import ACTIVATE, JVP, VJP_TANGENT
from derivable.objective.chain import LINEAR, NORM
from derivable.objective.kernels import lengths, opened
from derivable.objective.losses import LOSS
from derivable.objective.norms import FACTS, NORM_JVP, NORM_VJP_TANGENT, NORMALISE
from derivable.objective.tiles import ADD_GRADIENT, ADD_PRODUCT, AFFINE
from derivable.partition import ROWS


@cache
def block(dtype: np.dtype[Any]) -> Routine:
    """One block's share of the product, for numbers of that type."""
    return routine(_block, "nXXXXNS", dtype, seconds=0.8)


def _block(
    count: Any, rows: Any, scratch: Any, theta: Any, direction: Any, job: Any, product: Any
) -> None:
    """Add one block's share to `product`. The scratch is for the values and their derivatives."""
    (parameters, layers, columns, floats, weighted), routines, sizes, kinds, eps = opened(job)
    rows, scratch, eps = array(rows, columns), array(scratch, floats), memory(theta, eps, layers)
    theta, direction = array(theta, parameters), array(direction, parameters)
    product, half = array(product, parameters + 1), floats // 2
    values, dots = part(scratch, 0, half), tail(scratch, half)
    facts = tail(values, half - FACTS * ROWS)
    source = dsource = part(rows, 0, sizes[0] * ROWS)
    end, place, largest, side = 0, 0, 0, 0
    # the derivative of the table, where a LayerNorm asks for it
    first = sizes[0] * ROWS if kinds[0] == NORM else 0
    zeros = part(dots, half - FACTS * ROWS - first, first)
    for i in range(first):
        zeros[i] = 0
    for layer in range(layers):
        below, width = sizes[layer], sizes[layer + 1]
        out, dout = part(values, place, width * ROWS), part(dots, place, width * ROWS)
        length = lengths(kinds[layer], below, width)
        w, dw = part(theta, end, length), part(direction, end, length)
        if kinds[layer] == LINEAR:
            sides = count, below, width
            call(routines[AFFINE], sides, (source, w, tail(w, below * width), out))
            call(routines[AFFINE], sides, (source, dw, tail(dw, below * width), dout))
            if layer > 0:
                call(routines[ADD_PRODUCT], (*sides, width, 1), (dsource, w, dout))
        elif kinds[layer] == NORM:
            if layer == 0:
                dsource = zeros
            mine = tail(eps, layer)
            call(routines[NORMALISE], (count, width), (source, w, mine, out, facts))
            call(routines[NORM_JVP], (count, width), (source, dsource, w, dw, mine, dout, facts))
        else:
            call(routines[ACTIVATE], (out.size,), (source, out))
            call(routines[JVP], (out.size,), (source, out, dsource, dout))
        source, dsource, end, place = out, dout, end + length, place + out.size
        largest = max(largest, out.size)

    grad, dgrad = source, dsource
    spare, dspare = tail(values, place), tail(dots, place)
    arrays = tail(rows, sizes[0] * ROWS), grad, dgrad, spare
    call(routines[LOSS], (sizes[layers], count, weighted), arrays)
    for layer in range(layers - 1, -1, -1):
        below, width = sizes[layer], sizes[layer + 1]
        length, size = lengths(kinds[layer], below, width), below * ROWS
        end, place = end - length, place - width * ROWS
        out, dout = part(values, place, width * ROWS), part(dots, place, width * ROWS)
        source = dsource = part(rows, 0, size)
        if layer > 0:
            source, dsource = part(values, place - size, size), part(dots, place - size, size)
        w, dw = part(theta, end, length), part(direction, end, length)
        mine = part(product, end, length)
        if kinds[layer] == LINEAR:
            of_w, of_b = part(mine, 0, below * width), tail(mine, below * width)
            call(routines[ADD_GRADIENT], (count, below, width, 1), (source, dgrad, of_w, of_b))
            if layer > 0:
                # dy = 0 for a bias, whose input is 1 whatever the parameters
                call(routines[ADD_GRADIENT], (count, below, width, 0), (dsource, grad, of_w, of_b))
                to, dto = part(spare, side * largest, size), part(dspare, side * largest, size)
                _fill_products(routines, (count, width), (w, dw), (grad, dgrad), (to, dto))
                grad, dgrad, side = to, dto, 1 - side
        elif kinds[layer] == NORM:
            if layer == 0:
                dsource = zeros
            to, dto = part(spare, side * largest, size), part(dspare, side * largest, size)
            arrays = source, dsource, w, dw, tail(eps, layer), grad, dgrad, to, dto, mine, facts
            call(routines[NORM_VJP_TANGENT], (count, width, layer > 0), arrays)
            grad, dgrad, side = to, dto, 1 - side
        else:
            call(routines[VJP_TANGENT], (out.size,), (source, out, grad, dsource, dgrad))
            grad, dgrad, side = source, dsource, 0


@inner
def _fill_products(routines: Any, sides: Any, ws: Any, grads: Any, outs: Any) -> None:
    """The gradient of the input of a Linear layer, w grad, and its derivative."""
    (count, width), (w, dw), (grad, dgrad), (grad_y, dgrad_y) = sides, ws, grads, outs
    below = grad_y.size // ROWS
    if width == 1:
        for h in range(below):
            mine, dmine = part(grad_y, h * ROWS, ROWS), part(dgrad_y, h * ROWS, ROWS)
            _multiples(w[h], dw[h], grad, dgrad, mine, dmine)
        return
    for i in range(grad_y.size):
        grad_y[i] = 0
        dgrad_y[i] = 0
    lengths = count, width, below, 1, width
    call(routines[ADD_PRODUCT], lengths, (grad, w, grad_y))
    call(routines[ADD_PRODUCT], lengths, (grad, dw, dgrad_y))
    call(routines[ADD_PRODUCT], lengths, (dgrad, w, dgrad_y))


@inner
def _multiples(w: Any, dw: Any, grad: Any, dgrad: Any, grad_y: Any, dgrad_y: Any) -> None:
    """W grad and its derivative, where one output is all that a unit has above it."""
    for i in range(ROWS):
        grad_y[i] = w * grad[i]
        dgrad_y[i] = dw * grad[i] + w * dgrad[i]
