"""Losses as sums over rows: what the sum is divided by, and what it is where rows have weights."""

from __future__ import annotations

from torch import Tensor

from derivable.formula import PairKernel, Refusal, Scale, pair_kernel_of
from derivable.formula.expression import evaluate
from derivable.function import Context, Function
from derivable.functions.losses import CrossEntropy

IGNORED = -100  # the label of a row that does not count


def scale_of(loss: type[Function]) -> Scale | Refusal:
    """What a loss of N rows and K columns divides its sum by, as it divides its gradients.

    A Refusal where it is no sum or mean over rows, or is not known to be one: known are
    CrossEntropy and the losses of pairs.
    """
    if loss is CrossEntropy:
        return Scale.ROWS
    kernel = pair_kernel_of(loss)
    return kernel if isinstance(kernel, Refusal) else kernel.scale


def weighted_loss(
    loss: type[Function], prediction: Tensor, target: Tensor, weight: Tensor
) -> Tensor:
    """The loss () of a prediction (N, ...), of which row n counts `weight[n]` times."""
    if loss is CrossEntropy:
        given = prediction, target, None, IGNORED, "none"
        losses = CrossEntropy.forward(Context(), *given)  # (N, ...)
        return (weight @ losses.reshape(len(losses), -1)).sum() / losses.numel()
    kernel = pair_kernel_of(loss)
    assert isinstance(kernel, PairKernel)  # a Problem has weights only where there is one
    (values,) = evaluate([kernel.formula], {"x": prediction, "target": target})  # (N, ...)
    values = values.expand_as(prediction).reshape(len(prediction), -1)  # (N, K)
    return kernel.scale.factor(*values.shape) * (weight @ values).sum()
