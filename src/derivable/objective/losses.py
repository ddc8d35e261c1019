"""A loss's loops: what a compiled pass does between its way forward and its way back.

Like those of an activation they are called through their addresses. A loss has two: `gradient`
overwrites the prediction of a block with the gradient of the loss, and `derivative` does the same
and overwrites dz, a directional derivative of the prediction, with that of the gradient. Neither
knows of the scale of a loss, by which a whole pass is multiplied in the end.

The targets of a block lie as in the table, one stretch for each column, and after them, where rows
are `weighted`, the weights. Beyond the `count` rows of a block, in those that products run over,
the gradient is 0.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba.extending import register_jitable

from derivable.compiler.jit import Routine
from derivable.compiler.memory import array, inner, part, routine, tail
from derivable.formula import PairKernel, pair_kernel_of
from derivable.formula.spelling import compiled
from derivable.function.kernel import exp, like, log, where
from derivable.functions.losses import CrossEntropy
from derivable.loss import AnyLoss, Loss
from derivable.objective.activation import VECTORS
from derivable.objective.tiles import PRODUCTS, padded
from derivable.partition import ROWS
from derivable.row_losses import smoothing_of

LOSS = PRODUCTS  # the place of the loss among the routines of a pass
ROUTINES = PRODUCTS + 1
SPARE = 5  # stretches of scratch that the loops of a loss may overwrite


class LossLoops(NamedTuple):
    """The loops of a loss."""

    gradient: Routine
    derivative: Routine


def loops(loss: AnyLoss, dtype: np.dtype[Any], *, labels: bool) -> LossLoops:
    """The loops of a loss for numbers of that type; whether its targets are `labels`."""
    loss = Loss.of(loss)
    if loss.function is CrossEntropy:
        return _loops_of_classes(dtype, labels, smoothing_of(loss))
    kernel = pair_kernel_of(loss.function, **loss.options)
    assert isinstance(kernel, PairKernel)  # the objective's `refusal` has checked it
    return _loops_of_pairs(kernel.value, kernel.slope, kernel.second_derivative, dtype)


@cache
def _loops_of_pairs(
    value: Any, slope: Any, second_derivative: Any, dtype: np.dtype[Any]
) -> LossLoops:
    parts = value, slope, second_derivative
    # inlined, because LLVM leaves a call of a long function, around which no loop is vectorised
    value, slope, second_derivative = map(register_jitable(forceinline=True), parts)

    def gradient(outputs, count, weighted, target, prediction, spare, loss):
        """Overwrite the prediction; add the loss of the block to `loss`."""
        target, loss = array(target, (outputs + weighted) * ROWS), array(loss, 1)
        prediction, weight = array(prediction, outputs * ROWS), array(spare, ROWS)
        rows = padded(count)
        plain = count == rows and not weighted
        if not plain:
            _fill_weights(count, weighted, tail(target, outputs * ROWS), weight)
        for k in range(0, outputs * ROWS, ROWS):
            mine, wanted = part(prediction, k, ROWS), part(target, k, ROWS)
            total = prediction.dtype.type(0)
            if plain:
                for i in range(rows):
                    total += value(mine[i], wanted[i])
                    mine[i] = slope(mine[i], wanted[i])
            else:
                for i in range(count):
                    total += weight[i] * value(mine[i], wanted[i])
                    mine[i] = weight[i] * slope(mine[i], wanted[i])
                for i in range(count, padded(count)):
                    mine[i] = 0
            loss[0] += total

    def derivative(outputs, count, weighted, target, prediction, dz, spare):
        """Overwrite the prediction and dz."""
        target, dz = array(target, (outputs + weighted) * ROWS), array(dz, outputs * ROWS)
        prediction, weight = array(prediction, outputs * ROWS), array(spare, ROWS)
        _fill_weights(count, weighted, tail(target, outputs * ROWS), weight)
        for k in range(0, outputs * ROWS, ROWS):
            mine, wanted, moved = (
                part(prediction, k, ROWS), part(target, k, ROWS), part(dz, k, ROWS)
            )  # fmt: skip
            for i in range(count):
                moved[i] *= weight[i] * second_derivative(mine[i], wanted[i])
                mine[i] = weight[i] * slope(mine[i], wanted[i])
            for i in range(count, padded(count)):
                mine[i] = 0
                moved[i] = 0

    return LossLoops(
        routine(gradient, "nnnXXXS", dtype, parts=parts, needs=[VECTORS], seconds=0.2),
        routine(derivative, "nnnXXXX", dtype, parts=parts, needs=[VECTORS], seconds=0.2),
    )


# Cross-entropy of shares q of the classes, whose sum in a row may be any number: with p = softmax
# of the scores z, its loss is -sum_c q_c log p_c, its gradient g_c = p_c sum q - q_c, and the
# derivative of that dg_c = p_c sum q (dz_c - sum_k p_k dz_k). Scores are taken less their largest.

# Where in `spare` begins what is known of each row of a block: its weight, the sums of exp z, q z
# and q, and its largest score.
WEIGHT, TOTAL, DOT, WHOLE, LARGEST = range(0, SPARE * ROWS, ROWS)


@cache
def _loops_of_classes(dtype: np.dtype[Any], labels: bool, smoothing: float) -> LossLoops:
    meant = _share_of_label if labels else _share
    if smoothing:
        meant = _smoothed(labels, smoothing)
    share = register_jitable(forceinline=True)(meant)
    exponentials = _exponentials(share, labels)
    gradient = _gradient_of_classes(share, exponentials, labels)
    derivative = _derivative_of_classes(share, exponentials, labels)
    facts: dict[str, Any] = {"parts": (meant,), "needs": [VECTORS], "seconds": 0.4}
    return LossLoops(
        routine(gradient, "nnnXXXS", dtype, **facts),
        routine(derivative, "nnnXXXX", dtype, **facts),
    )


def _exponentials(share: Any, labels: bool) -> Any:
    """What begins both loops."""

    @register_jitable(forceinline=True)
    def exponentials(classes, count, weighted, target, scores, spare):
        """Overwrite scores z less their largest by exp z; fill what `spare` holds of each row."""
        rows, columns = padded(count), 1 if labels else classes
        _fill_weights(count, weighted, tail(target, columns * ROWS), part(spare, WEIGHT, ROWS))
        total, dot = part(spare, TOTAL, ROWS), part(spare, DOT, ROWS)
        whole, largest = part(spare, WHOLE, ROWS), part(spare, LARGEST, ROWS)
        for i in range(rows):
            largest[i] = scores[i]
            total[i] = dot[i] = whole[i] = 0
        for c in range(1, classes):
            mine = part(scores, c * ROWS, ROWS)
            for i in range(rows):
                largest[i] = where(mine[i] > largest[i], mine[i], largest[i])
        for c in range(classes):
            mine, wanted = (
                part(scores, c * ROWS, ROWS),
                part(target, 0 if labels else c * ROWS, ROWS),
            )
            for i in range(rows):
                z, q = mine[i] - largest[i], share(wanted[i], c, classes)
                dot[i] += q * z
                whole[i] += q
                mine[i] = exp(z)
                total[i] += mine[i]

    return exponentials


def _gradient_of_classes(share: Any, exponentials: Any, labels: bool) -> Any:
    def gradient(classes, count, weighted, target, scores, spare, loss):
        """Overwrite the scores; add the loss of the block to `loss`."""
        target = array(target, ((1 if labels else classes) + weighted) * ROWS)
        scores, loss = array(scores, classes * ROWS), array(loss, 1)
        spare = array(spare, SPARE * ROWS)
        rows = padded(count)
        exponentials(classes, count, weighted, target, scores, spare)
        weight, total = part(spare, WEIGHT, ROWS), part(spare, TOTAL, ROWS)
        dot, whole = part(spare, DOT, ROWS), part(spare, WHOLE, ROWS)
        summed = scores.dtype.type(0)
        for i in range(rows):
            summed += weight[i] * (whole[i] * log(total[i]) - dot[i])
            whole[i] *= weight[i] / total[i]
        loss[0] += summed
        for c in range(classes):
            mine, wanted = (
                part(scores, c * ROWS, ROWS),
                part(target, 0 if labels else c * ROWS, ROWS),
            )
            for i in range(rows):
                mine[i] = whole[i] * mine[i] - weight[i] * share(wanted[i], c, classes)

    return gradient


def _derivative_of_classes(share: Any, exponentials: Any, labels: bool) -> Any:
    def derivative(classes, count, weighted, target, scores, dz, spare):
        """Overwrite the scores and dz."""
        target = array(target, ((1 if labels else classes) + weighted) * ROWS)
        scores, dz = array(scores, classes * ROWS), array(dz, classes * ROWS)
        spare = array(spare, SPARE * ROWS)
        rows = padded(count)
        exponentials(classes, count, weighted, target, scores, spare)
        weight, total = part(spare, WEIGHT, ROWS), part(spare, TOTAL, ROWS)
        mean, whole = part(spare, DOT, ROWS), part(spare, WHOLE, ROWS)
        for i in range(rows):
            mean[i] = 0
        for c in range(classes):
            mine, moved = part(scores, c * ROWS, ROWS), part(dz, c * ROWS, ROWS)
            for i in range(rows):
                mean[i] += mine[i] * moved[i]
        for i in range(rows):
            mean[i] /= total[i]
            whole[i] *= weight[i] / total[i]
        for c in range(classes):
            mine, moved = part(scores, c * ROWS, ROWS), part(dz, c * ROWS, ROWS)
            wanted = part(target, 0 if labels else c * ROWS, ROWS)
            for i in range(rows):
                product = whole[i] * mine[i]
                moved[i] = product * (moved[i] - mean[i])
                mine[i] = product - weight[i] * share(wanted[i], c, classes)

    return derivative


def _share(wanted: Any, c: int, classes: int) -> Any:
    """The share of class c where the target holds shares."""
    return wanted


def _share_of_label(wanted: Any, c: int, classes: int) -> Any:
    """The share of class c where the target holds the number of a class."""
    return where(wanted == like(wanted, c), like(wanted, 1), like(wanted, 0))


def _smoothed(labels: bool, smoothing: float) -> Any:
    """Either of them, less the part `smoothing` of it, which is spread evenly over the classes."""
    own = "where(wanted == like(wanted, c), like(wanted, 1), like(wanted, 0))"
    return compiled(
        "def share(wanted, c, classes):\n"
        f"    own = {own if labels else 'wanted'}\n"
        f"    even = like(wanted, {smoothing!r}) / like(wanted, classes)\n"
        f"    return like(wanted, {1 - smoothing!r}) * own + even\n"
    )


@inner
def _fill_weights(count: int, weighted: int, given: Any, weight: Any) -> None:
    """How much each row of a block counts; 0 beyond `count`."""
    for i in range(count):
        weight[i] = 1
    if weighted:
        for i in range(count):
            weight[i] = given[i]
    for i in range(count, padded(count)):
        weight[i] = 0
