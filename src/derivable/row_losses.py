"""Losses as sums over rows: what the sum is divided by, and what it is where rows have weights."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import one_hot

from derivable.core_messages import say
from derivable.formula import PairKernel, Refusal, Scale, pair_kernel_of
from derivable.formula.expression import evaluate
from derivable.function import Context
from derivable.functions.losses import CrossEntropy
from derivable.loss import AnyLoss, Loss

IGNORED = -100  # the label of a row that does not count, unless the loss has an ignore_index


def scale_of(loss: AnyLoss) -> Scale | Refusal:
    """What a loss of N rows and K columns divides its sum by, as it divides its gradients.

    A Refusal where it is no sum or mean over rows, or is not known to be one: known are
    CrossEntropy and the losses of pairs.
    """
    loss = Loss.of(loss)
    if loss.function is CrossEntropy:
        return _scale_of_classes(loss)
    kernel = pair_kernel_of(loss.function, **loss.options)
    return kernel if isinstance(kernel, Refusal) else kernel.scale


def _scale_of_classes(loss: Loss) -> Scale | Refusal:
    """The same of CrossEntropy, whose mean with weights of classes is no mean over rows."""
    if loss.options.get("weight") is not None:
        return Refusal(say("class_weights"))
    return Scale.ROWS if loss.options.get("reduction", "mean") == "mean" else Scale.SUM


def has_labels(loss: AnyLoss, target: Tensor) -> bool:
    """Whether the target holds labels of CrossEntropy, which are numbers of classes."""
    return Loss.of(loss).function is CrossEntropy and not target.is_floating_point()


def ignored_label(loss: AnyLoss) -> int:
    """The label of a row that does not count."""
    return int(Loss.of(loss).options.get("ignore_index", IGNORED))


def smoothing_of(loss: AnyLoss) -> float:
    """The share of each target of CrossEntropy that is spread evenly over the classes."""
    return float(Loss.of(loss).options.get("label_smoothing", 0.0))


def class_shares(loss: AnyLoss, target: Tensor, like: Tensor, classes: int) -> Tensor:
    """What CrossEntropy compares with, (N, C) in the dtype of `like`: one-hot labels, smoothed."""
    smoothing = smoothing_of(loss)
    shares = target
    if not target.is_floating_point():
        shares = one_hot(target.long(), classes).to(like.dtype)
    return (1 - smoothing) * shares + smoothing / classes if smoothing else shares


def weighted_loss(loss: AnyLoss, prediction: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """The loss () of a prediction (N, ...), of which row n counts `weight[n]` times."""
    loss = Loss.of(loss)
    values = _entries(loss, prediction, target)
    total = (weight @ values).sum()
    if loss.function is CrossEntropy:
        return total / values.numel() if scale_of(loss) is Scale.ROWS else total
    scale = scale_of(loss)
    assert isinstance(scale, Scale)
    return scale.factor(*values.shape) * total


def sums_of_rows(loss: AnyLoss, prediction: Tensor, target: Tensor) -> Tensor | None:
    """What each row of a prediction (N, ...) adds to the loss (N,), before a division by N or N K.

    None where the loss is no sum or mean over rows, or is not known to be one.
    """
    loss = Loss.of(loss)
    if isinstance(scale_of(loss), Refusal):
        return None
    return _entries(loss, prediction, target).sum(1)


def _entries(loss: Loss, prediction: Tensor, target: Tensor) -> Tensor:
    """The terms (N, K) of which the loss is the sum or mean."""
    if loss.function is CrossEntropy:
        each = Loss(CrossEntropy, **loss.options | {"reduction": "none"})
        losses = each.forward(Context(), prediction, target)  # (N, ...)
        return losses.reshape(len(losses), -1)
    kernel = pair_kernel_of(loss.function, **loss.options)
    assert isinstance(kernel, PairKernel)  # a Problem has weights only where there is one
    (values,) = evaluate([kernel.formula], {"x": prediction, "target": target})  # (N, ...)
    return values.expand_as(prediction).reshape(len(prediction), -1)
