"""How the losses of single entries become one loss, and how its gradient goes back to them."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.errors import SettingError
from derivable.functions.messages import say

REDUCTIONS = ("mean", "sum", "none")


def check_reduction(function: str, reduction: str, allowed: tuple[str, ...] = REDUCTIONS) -> None:
    """Refuse a word that names no reduction."""
    if reduction not in allowed:
        words = ", ".join(map(repr, allowed))
        raise SettingError(say("reduction", function=function, words=words, got=reduction))


def reduce(losses: Tensor, reduction: str, count: Tensor | None = None) -> Tensor:
    """The losses themselves, their sum, or their sum over `count` (default: their number M)."""
    if reduction == "none":
        return losses
    if reduction == "mean" and count is None:
        return losses.mean()  # in half precision the sum could overflow where the mean does not
    return losses.sum() / _divisor(losses.shape, reduction, count)


def spread(
    grad_output: Tensor, reduction: str, shape: torch.Size, count: Tensor | None = None
) -> Tensor:
    """The gradient of each of the losses of `shape`; 0-d where it is the same for all of them."""
    if reduction == "none":
        return grad_output
    return grad_output / _divisor(shape, reduction, count)


def _divisor(shape: torch.Size, reduction: str, count: Tensor | None) -> Tensor | int:
    """What the sum is divided by."""
    if reduction == "mean":
        return shape.numel() if count is None else count
    if reduction == "batchmean" and shape:
        return shape[0]
    return 1
