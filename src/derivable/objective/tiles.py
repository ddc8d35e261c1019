"""Small matrix products on one block of rows, compiled: what the fused objective is made of.

A block holds ROWS rows of the table features-major: feature d is the stretch [d * ROWS,
(d + 1) * ROWS) of a flat array, and so are units and their gradients. The innermost loops run
along a stretch, which is what the compiler turns into vector instructions; they are written out
for two units and up to eight inputs at a time, so that each number that is loaded is used twice
and all weights of a loop stay in registers. Arrays are flat because the compiler gives up where
it must prove that many slices do not overlap.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from derivable.compiler.jit import Routine
from derivable.compiler.memory import array, inner, part, routine, tail
from derivable.objective.activation import LOOPS
from derivable.objective.registers import (
    INPUTS,
    UNITS,
    add_products_of,
    rows_of_tile,
    tile_of,
)
from derivable.partition import GRAIN, ROWS

MANY = 10  # inputs, from which on sums are kept in registers
AT_ONCE = 32  # of these
start_tile, add_tile = tile_of(ROWS, starts=True), tile_of(ROWS, starts=False)
add_products = add_products_of(ROWS)

# Places of the compiled products among the routines of a pass, after the activation's loops.
AFFINE, ADD_PRODUCT, ADD_GRADIENT = range(LOOPS, LOOPS + 3)
PRODUCTS = LOOPS + 3


@inner
def padded(count: int) -> int:
    """The rows that loops run over in a block of `count` rows."""
    return (count + GRAIN - 1) & -GRAIN  # a compiler knows what divides it


@cache
def products(dtype: np.dtype[Any]) -> tuple[Routine, Routine, Routine]:
    """The three products for numbers of that type, in the order of their places."""
    return (
        routine(affine, "nnnXXXX", dtype, seconds=1.5),
        routine(add_product, "nnnnnXXX", dtype, seconds=0.4),
        routine(add_gradient, "nnnnXXSS", dtype, seconds=1.1),
    )


def affine(count: Any, inputs: Any, units: Any, x: Any, w: Any, bias: Any, out: Any) -> None:
    """Each unit: bias + sum over the inputs of weight * x, with w flat from (inputs, units)."""
    x, w = array(x, inputs * ROWS), array(w, inputs * units)
    bias, out = array(bias, units), array(out, units * ROWS)
    rows, strides = padded(count), (units, 1)
    eights, done = inputs >= 8, 0
    if inputs >= MANY:
        done = units - units % UNITS
        first = min(inputs, AT_ONCE)
        _start_tiles(rows, part(x, 0, first * ROWS), w, strides, bias, part(out, 0, done * ROWS))
        rest = tail(x, first * ROWS), tail(w, first * units)
        _add_tiles(rows, *rest, strides, part(out, 0, done * ROWS))
    for u in range(done, units - 1, 2):
        pair = part(out, u * ROWS, 2 * ROWS)
        mine = tail(w, u)
        if eights:
            _start_8(rows, x, mine, strides, bias[u], bias[u + 1], pair)
            if inputs > 8:
                _add_pair(rows, tail(x, 8 * ROWS), tail(mine, 8 * units), strides, pair)
        else:
            _fill(rows, part(pair, 0, ROWS), bias[u])
            _fill(rows, tail(pair, ROWS), bias[u + 1])
            _add_pair(rows, x, mine, strides, pair)
    if units % 2:
        last, mine = tail(out, (units - 1) * ROWS), tail(w, units - 1)
        if eights:
            _start_8_single(rows, x, mine, units, bias[units - 1], last)
            _add_single(rows, tail(x, 8 * ROWS), tail(mine, 8 * units), units, last)
        else:
            _fill(rows, last, bias[units - 1])
            _add_single(rows, x, mine, units, last)


def add_product(
    count: Any, inputs: Any, units: Any, per_input: Any, per_unit: Any, x: Any, w: Any, out: Any
) -> None:
    """Add to each unit the sum over the inputs of weight * x.

    The weight of input d and unit u is w[d * per_input + u * per_unit]: a layer forwards with
    width and 1, and multiplies a gradient by the transpose of the same w with 1 and width.
    """
    rows = padded(count)
    x, w, out = array(x, inputs * ROWS), array(w, inputs * units), array(out, units * ROWS)
    strides, done = (per_input, per_unit), 0
    if inputs >= MANY:
        done = units - units % UNITS
        _add_tiles(rows, x, w, strides, part(out, 0, done * ROWS))
    for u in range(done, units - 1, 2):
        _add_pair(rows, x, tail(w, u * per_unit), strides, part(out, u * ROWS, 2 * ROWS))
    if units % 2:
        _add_single(
            rows, x, tail(w, (units - 1) * per_unit), per_input, tail(out, (units - 1) * ROWS)
        )


def add_gradient(
    count: Any, inputs: Any, units: Any, biases: Any, x: Any, grad: Any, grad_w: Any, grad_b: Any
) -> None:
    """Add this block's share to the gradient of w, flat from (inputs, units), and of b.

    `biases` is how much of the latter: 1, or 0 for none.
    """
    rows = padded(count)
    x, grad = array(x, inputs * ROWS), array(grad, units * ROWS)
    grad_w, grad_b = array(grad_w, inputs * units), array(grad_b, units)
    done = 0
    if inputs >= MANY:
        done = units - units % UNITS
        _add_products(rows, x, part(grad, 0, done * ROWS), grad_w, units)
        for u in range(done):
            grad_b[u] += biases * _sum(rows, part(grad, u * ROWS, ROWS))
    for u in range(done, units - 1, 2):
        pair = part(grad, u * ROWS, 2 * ROWS)
        if inputs >= 8:
            sums = _dot_8(rows, x, pair, tail(grad_w, u), units)
        else:
            sums = _sum(rows, pair), _sum(rows, tail(pair, ROWS))
        grad_b[u] += biases * sums[0]
        grad_b[u + 1] += biases * sums[1]
        d = min(inputs // 8, 1) * 8
        while d + 8 <= inputs:
            _dot_8(rows, tail(x, d * ROWS), pair, tail(grad_w, d * units + u), units)
            d += 8
        if d + 4 <= inputs:
            _dot_4(rows, tail(x, d * ROWS), pair, tail(grad_w, d * units + u), units)
            d += 4
        if d < inputs:
            _dot_single(rows, tail(x, d * ROWS), pair, tail(grad_w, d * units + u), units)
            _dot_single(
                rows, tail(x, d * ROWS), tail(pair, ROWS), tail(grad_w, d * units + u + 1), units
            )
    if units % 2:
        last, mine = tail(grad, (units - 1) * ROWS), tail(grad_w, units - 1)
        total = _dot_8_single(rows, x, last, mine, units) if inputs >= 8 else _sum(rows, last)
        grad_b[units - 1] += biases * total
        d = min(inputs // 8, 1) * 8
        _dot_single(rows, tail(x, d * ROWS), last, tail(mine, d * units), units)


@inner
def _start_tiles(rows: int, x: Any, w: Any, strides: Any, bias: Any, out: Any) -> None:
    """Fill units, whose number UNITS divides."""
    inputs, step = x.size // ROWS, rows_of_tile(x)
    for i in range(0, rows, step):
        for u in range(0, out.size // ROWS, UNITS):
            weights, place = tail(w, u * strides[1]), tail(out, u * ROWS + i)
            start_tile(inputs, tail(x, i), weights, strides, tail(bias, u), place)


@inner
def _add_tiles(rows: int, x: Any, w: Any, strides: Any, out: Any) -> None:
    """The same of units that have a value, as many inputs at a time as stay in the cache."""
    step = rows_of_tile(x)
    for d in range(0, x.size // ROWS, AT_ONCE):
        inputs = min(x.size // ROWS - d, AT_ONCE)
        for i in range(0, rows, step):
            mine = tail(x, d * ROWS + i)
            for u in range(0, out.size // ROWS, UNITS):
                weights, place = tail(w, d * strides[0] + u * strides[1]), tail(out, u * ROWS + i)
                add_tile(inputs, mine, weights, strides, weights, place)


@inner
def _add_products(rows: int, x: Any, grad: Any, grad_w: Any, step: int) -> None:
    inputs = x.size // ROWS
    whole = inputs - inputs % INPUTS
    for d in range(0, whole, INPUTS):
        for u in range(0, grad.size // ROWS, UNITS):
            mine = tail(grad_w, d * step + u)
            add_products(rows, tail(x, d * ROWS), tail(grad, u * ROWS), mine, step)
    for u in range(grad.size // ROWS):
        _dot_single(
            rows,
            tail(x, whole * ROWS),
            part(grad, u * ROWS, ROWS),
            tail(grad_w, whole * step + u),
            step,
        )


@inner
def _fill(rows: int, out: Any, value: Any) -> None:
    for i in range(rows):
        out[i] = value


@inner
def _add_pair(rows: int, x: Any, w: Any, strides: Any, out: Any) -> None:
    per_input, per_unit = strides
    inputs = x.size // ROWS
    d = 0
    while d + 8 <= inputs:
        _add_8(rows, tail(x, d * ROWS), tail(w, d * per_input), strides, out)
        d += 8
    if d + 4 <= inputs:
        _add_4(rows, tail(x, d * ROWS), tail(w, d * per_input), strides, out)
        d += 4
    if d < inputs:
        x, w = tail(x, d * ROWS), tail(w, d * per_input)
        _add_single(rows, x, w, per_input, part(out, 0, ROWS))
        _add_single(rows, x, tail(w, per_unit), per_input, tail(out, ROWS))


@inner
def _start_8(rows: int, x: Any, w: Any, strides: Any, b: Any, c: Any, out: Any) -> None:
    # _add_8 on a stretch filled with the bias does the same, with a store and a load more for each
    step, second = strides
    p0, p1, p2, p3 = w[0], w[step], w[2 * step], w[3 * step]
    p4, p5, p6, p7 = w[4 * step], w[5 * step], w[6 * step], w[7 * step]
    w = tail(w, second)
    q0, q1, q2, q3 = w[0], w[step], w[2 * step], w[3 * step]
    q4, q5, q6, q7 = w[4 * step], w[5 * step], w[6 * step], w[7 * step]
    for i in range(rows):
        x0, x1, x2, x3 = x[i], x[ROWS + i], x[2 * ROWS + i], x[3 * ROWS + i]
        x4, x5, x6, x7 = x[4 * ROWS + i], x[5 * ROWS + i], x[6 * ROWS + i], x[7 * ROWS + i]
        low = p0 * x0 + p1 * x1 + p2 * x2 + p3 * x3
        out[i] = b + low + p4 * x4 + p5 * x5 + p6 * x6 + p7 * x7
        low = q0 * x0 + q1 * x1 + q2 * x2 + q3 * x3
        out[ROWS + i] = c + low + q4 * x4 + q5 * x5 + q6 * x6 + q7 * x7


@inner
def _start_8_single(rows: int, x: Any, w: Any, step: int, b: Any, out: Any) -> None:
    p0, p1, p2, p3 = w[0], w[step], w[2 * step], w[3 * step]
    p4, p5, p6, p7 = w[4 * step], w[5 * step], w[6 * step], w[7 * step]
    for i in range(rows):
        x0, x1, x2, x3 = x[i], x[ROWS + i], x[2 * ROWS + i], x[3 * ROWS + i]
        x4, x5, x6, x7 = x[4 * ROWS + i], x[5 * ROWS + i], x[6 * ROWS + i], x[7 * ROWS + i]
        low = p0 * x0 + p1 * x1 + p2 * x2 + p3 * x3
        out[i] = b + low + p4 * x4 + p5 * x5 + p6 * x6 + p7 * x7


@inner
def _add_8(rows: int, x: Any, w: Any, strides: Any, out: Any) -> None:
    step, second = strides
    p0, p1, p2, p3 = w[0], w[step], w[2 * step], w[3 * step]
    p4, p5, p6, p7 = w[4 * step], w[5 * step], w[6 * step], w[7 * step]
    w = tail(w, second)
    q0, q1, q2, q3 = w[0], w[step], w[2 * step], w[3 * step]
    q4, q5, q6, q7 = w[4 * step], w[5 * step], w[6 * step], w[7 * step]
    for i in range(rows):
        x0, x1, x2, x3 = x[i], x[ROWS + i], x[2 * ROWS + i], x[3 * ROWS + i]
        x4, x5, x6, x7 = x[4 * ROWS + i], x[5 * ROWS + i], x[6 * ROWS + i], x[7 * ROWS + i]
        low = p0 * x0 + p1 * x1 + p2 * x2 + p3 * x3
        out[i] += low + p4 * x4 + p5 * x5 + p6 * x6 + p7 * x7
        low = q0 * x0 + q1 * x1 + q2 * x2 + q3 * x3
        out[ROWS + i] += low + q4 * x4 + q5 * x5 + q6 * x6 + q7 * x7


@inner
def _add_4(rows: int, x: Any, w: Any, strides: Any, out: Any) -> None:
    step, second = strides
    p0, p1, p2, p3 = w[0], w[step], w[2 * step], w[3 * step]
    w = tail(w, second)
    q0, q1, q2, q3 = w[0], w[step], w[2 * step], w[3 * step]
    for i in range(rows):
        x0, x1, x2, x3 = x[i], x[ROWS + i], x[2 * ROWS + i], x[3 * ROWS + i]
        out[i] += p0 * x0 + p1 * x1 + p2 * x2 + p3 * x3
        out[ROWS + i] += q0 * x0 + q1 * x1 + q2 * x2 + q3 * x3


@inner
def _add_single(rows: int, x: Any, w: Any, step: int, out: Any) -> None:
    inputs, d = x.size // ROWS, 0
    while d + 4 <= inputs:
        _add_4_single(rows, tail(x, d * ROWS), tail(w, d * step), step, out)
        d += 4
    while d < inputs:
        _add_multiple(rows, w[d * step], tail(x, d * ROWS), out)
        d += 1


@inner
def _add_4_single(rows: int, x: Any, w: Any, step: int, out: Any) -> None:
    p0, p1, p2, p3 = w[0], w[step], w[2 * step], w[3 * step]
    for i in range(rows):
        low = p0 * x[i] + p1 * x[ROWS + i]
        out[i] += low + p2 * x[2 * ROWS + i] + p3 * x[3 * ROWS + i]


@inner
def _add_multiple(rows: int, p: Any, x: Any, out: Any) -> None:
    for i in range(rows):
        out[i] += p * x[i]


@inner
def _dot_8(rows: int, x: Any, grad: Any, grad_w: Any, step: int) -> Any:
    """Eight inputs against the gradients of two units; returns the sums of the two gradients."""
    p0 = p1 = p2 = p3 = p4 = p5 = p6 = p7 = sum_p = x.dtype.type(0)
    q0 = q1 = q2 = q3 = q4 = q5 = q6 = q7 = sum_q = x.dtype.type(0)
    for i in range(rows):
        p, q = grad[i], grad[ROWS + i]
        sum_p, sum_q = sum_p + p, sum_q + q
        x0, x1, x2, x3 = x[i], x[ROWS + i], x[2 * ROWS + i], x[3 * ROWS + i]
        x4, x5, x6, x7 = x[4 * ROWS + i], x[5 * ROWS + i], x[6 * ROWS + i], x[7 * ROWS + i]
        p0, p1, p2, p3 = p0 + p * x0, p1 + p * x1, p2 + p * x2, p3 + p * x3
        p4, p5, p6, p7 = p4 + p * x4, p5 + p * x5, p6 + p * x6, p7 + p * x7
        q0, q1, q2, q3 = q0 + q * x0, q1 + q * x1, q2 + q * x2, q3 + q * x3
        q4, q5, q6, q7 = q4 + q * x4, q5 + q * x5, q6 + q * x6, q7 + q * x7
    for d, (p, q) in enumerate(
        ((p0, q0), (p1, q1), (p2, q2), (p3, q3), (p4, q4), (p5, q5), (p6, q6), (p7, q7))
    ):
        grad_w[d * step] += p
        grad_w[d * step + 1] += q
    return sum_p, sum_q


@inner
def _dot_4(rows: int, x: Any, grad: Any, grad_w: Any, step: int) -> None:
    p0 = p1 = p2 = p3 = q0 = q1 = q2 = q3 = x.dtype.type(0)
    for i in range(rows):
        p, q = grad[i], grad[ROWS + i]
        x0, x1, x2, x3 = x[i], x[ROWS + i], x[2 * ROWS + i], x[3 * ROWS + i]
        p0, p1, p2, p3 = p0 + p * x0, p1 + p * x1, p2 + p * x2, p3 + p * x3
        q0, q1, q2, q3 = q0 + q * x0, q1 + q * x1, q2 + q * x2, q3 + q * x3
    for d, (p, q) in enumerate(((p0, q0), (p1, q1), (p2, q2), (p3, q3))):
        grad_w[d * step] += p
        grad_w[d * step + 1] += q


@inner
def _dot_8_single(rows: int, x: Any, grad: Any, grad_w: Any, step: int) -> Any:
    p0 = p1 = p2 = p3 = p4 = p5 = p6 = p7 = total = x.dtype.type(0)
    for i in range(rows):
        p = grad[i]
        total += p
        x0, x1, x2, x3 = x[i], x[ROWS + i], x[2 * ROWS + i], x[3 * ROWS + i]
        x4, x5, x6, x7 = x[4 * ROWS + i], x[5 * ROWS + i], x[6 * ROWS + i], x[7 * ROWS + i]
        p0, p1, p2, p3 = p0 + p * x0, p1 + p * x1, p2 + p * x2, p3 + p * x3
        p4, p5, p6, p7 = p4 + p * x4, p5 + p * x5, p6 + p * x6, p7 + p * x7
    for d, p in enumerate((p0, p1, p2, p3, p4, p5, p6, p7)):
        grad_w[d * step] += p
    return total


@inner
def _dot_single(rows: int, x: Any, grad: Any, grad_w: Any, step: int) -> None:
    for d in range(x.size // ROWS):
        grad_w[d * step] += _dot(rows, tail(x, d * ROWS), grad)


@inner
def _dot(rows: int, x: Any, grad: Any) -> Any:
    total = x.dtype.type(0)
    for i in range(rows):
        total += grad[i] * x[i]
    return total


@inner
def _sum(rows: int, grad: Any) -> Any:
    total = grad.dtype.type(0)
    for i in range(rows):
        total += grad[i]
    return total
