"""The compiled loops of the fused objective: loss and gradient of one block of rows at a time.

Everything that a block needs (its rows, hidden units and gradients) is small enough to stay in
the innermost cache, and nothing of the table's length is ever stored. All arrays are flat and
one-dimensional, with features along rows: unit h of a block of B rows lies in [h * B, (h + 1) * B).
The inner loops run over the rows of the block, which is what the compiler vectorises.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

IDENTITY, TANH, RELU = 0, 1, 2  # codes of the activations

_fast = njit(cache=True, fastmath=True, error_model="numpy")
_fast_parallel = njit(cache=True, fastmath=True, error_model="numpy", parallel=True)

# tanh x = x P(x^2) / Q(x^2) for |x| <= 9.1, and its value there beyond: the rational function of
# smallest relative error (2e-8), fitted by reweighted least squares on Chebyshev points. It is
# within 7 float32 ulps of tanh everywhere; a call to the C library would not vectorise.
_CLAMP = np.float32(9.1)
_P = tuple(
    np.float32(c)
    for c in (0.9999999773, 0.13374483156, 3.4878200933e-3, 2.0481321219e-5, 1.3177684301e-8)
)
_Q = tuple(
    np.float32(c) for c in (1.0, 0.46707796973, 2.5847424024e-2, 3.2729343399e-4, 7.7041174613e-7)
)


@_fast
def tanh32(x):
    """Tanh of a float32, in arithmetic that vectorises."""
    x = min(max(x, -_CLAMP), _CLAMP)
    u = x * x
    p = _P[0] + u * (_P[1] + u * (_P[2] + u * (_P[3] + u * _P[4])))
    q = _Q[0] + u * (_Q[1] + u * (_Q[2] + u * (_Q[3] + u * _Q[4])))
    return x * p / q


@_fast
def _activate(units, kind):
    """Turn x into output, in place."""
    if kind == TANH:
        if units.itemsize == 4:
            for i in range(units.size):
                units[i] = tanh32(units[i])
        else:
            for i in range(units.size):
                units[i] = np.tanh(units[i])
    elif kind == RELU:
        for i in range(units.size):
            units[i] = max(units[i], units.dtype.type(0))


@_fast
def _apply_slope(units, grad, kind):
    """Multiply `grad` by the slope of the activation, taken from its output `units`."""
    if kind == TANH:
        for i in range(units.size):
            grad[i] *= 1 - units[i] * units[i]
    elif kind == RELU:
        for i in range(units.size):
            grad[i] = grad[i] if units[i] > 0 else units.dtype.type(0)


@_fast
def _affine(w, b, units, output, block):
    """output[h] = b[h] + sum over d of w[d, h] units[d]."""
    width = b.size
    for h in range(width):
        row = output[h * block : (h + 1) * block]
        row[:] = b[h]
        for d in range(w.size // width):
            weight = w[d * width + h]
            source = units[d * block : (d + 1) * block]
            for i in range(block):
                row[i] += weight * source[i]


@_fast
def _affine_gradient(grad, units, grad_w, grad_b, block):
    """Add this block to the gradients of w and b."""
    width = grad_b.size
    for h in range(width):
        row = grad[h * block : (h + 1) * block]
        total = row.dtype.type(0)
        for i in range(block):
            total += row[i]
        grad_b[h] += total
        for d in range(grad_w.size // width):
            source = units[d * block : (d + 1) * block]
            total = row.dtype.type(0)
            for i in range(block):
                total += row[i] * source[i]
            grad_w[d * width + h] += total


@_fast
def _pull_back(w, grad, grad_units, block):
    """grad_units[d] = sum over h of w[d, h] grad[h]."""
    width = grad.size // block
    for d in range(grad_units.size // block):
        row = grad_units[d * block : (d + 1) * block]
        row[:] = 0
        for h in range(width):
            weight = w[d * width + h]
            source = grad[h * block : (h + 1) * block]
            for i in range(block):
                row[i] += weight * source[i]


@_fast
def _one_block(theta, rows, count, sizes, kinds, units, grads, gradient):
    """Forward and backward of one block; adds to `gradient`, returns its sum of squared errors.

    `units` holds the outputs of all layers one after the other, `grads` two rows of buffers.
    """
    layers = sizes.size - 1
    outputs = sizes[layers]
    block = rows.size // (sizes[0] + outputs)
    source = rows[: sizes[0] * block]
    end = 0
    place = 0
    for layer in range(layers):
        length = sizes[layer] * sizes[layer + 1]
        output = units[place : place + sizes[layer + 1] * block]
        w = theta[end : end + length]
        b = theta[end + length : end + length + sizes[layer + 1]]
        _affine(w, b, source, output, block)
        _activate(output, kinds[layer])
        end += length + sizes[layer + 1]
        place += output.size
        source = output

    squares = 0.0
    grad = grads[0, : outputs * block]
    target = rows[sizes[0] * block :]
    for k in range(outputs):
        total = source.dtype.type(0)
        for i in range(block):
            # the last block is padded: its missing rows have no error
            error = source[k * block + i] - target[k * block + i] if i < count else total * 0
            grad[k * block + i] = 2 * error
            total += error * error
        squares += total

    for layer in range(layers - 1, -1, -1):
        width = sizes[layer + 1]
        length = sizes[layer] * width
        end -= length + width
        place -= width * block
        below = rows[: sizes[0] * block]
        if layer > 0:
            below = units[place - sizes[layer] * block : place]
        _affine_gradient(
            grad,
            below,
            gradient[end : end + length],
            gradient[end + length : end + length + width],
            block,
        )
        if layer > 0:
            grad_below = grads[(layers - layer) % 2, : sizes[layer] * block]
            _pull_back(theta[end : end + length], grad, grad_below, block)
            _apply_slope(below, grad_below, kinds[layer - 1])
            grad = grad_below
    return squares


@_fast_parallel
def loss_and_gradient(theta, table, rows, sizes, kinds, units, grads, partial, gradient):
    """Mean over `rows` rows of the squared error, and its gradient, filled in.

    `table` (blocks, (D + K) * B) holds D features and K targets of B rows per block; `partial`
    (tasks, P + 1) is one gradient and loss per task, added in a fixed order, so that the same
    call gives the same bits.
    """
    tasks, blocks = partial.shape[0], table.shape[0]
    block = table.shape[1] // (sizes[0] + sizes[-1])
    for task in prange(tasks):
        mine = partial[task]
        mine[:] = 0
        for i in range(task * blocks // tasks, (task + 1) * blocks // tasks):
            count = min(block, rows - i * block)
            mine[-1] += _one_block(
                theta, table[i], count, sizes, kinds, units[task], grads[task], mine[:-1]
            )
    for p in range(gradient.size):
        total = 0.0
        for task in range(tasks):
            total += partial[task, p]
        gradient[p] = total / rows
    total = 0.0
    for task in range(tasks):
        total += partial[task, -1]
    return total / rows
