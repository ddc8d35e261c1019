"""LogCosh: a smooth relative of the absolute error."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.losses._pair import check_pair, fit
from derivable.functions.losses._reduction import reduce, spread


class LogCosh(Function):
    """Log cosh of the error d = prediction - target; by default the mean over all entries.

    Forward   loss = sum log cosh d / M, with M = N K                   ()
              "sum" leaves out the 1/M, "none" the sum as well: (N, K)
    Backward  d loss / d prediction =  tanh(d) grad_output / M          (N, K)
              d loss / d target     = -tanh(d) grad_output / M          (N, K)
    Shapes    prediction (N, K) or any other, target the same -> (), or (N, K) for "none"
    Kinks     none
    Saves     prediction, target
    Raises    ShapeError if the shapes differ, SettingError for an unknown reduction or
              complex numbers, NotATensorError
    Source    the slope of log cosh d is sinh d / cosh d. cosh d itself overflows; with e^|d| / 2
              taken out of it, log cosh d = |d| + log(1 + exp(-2 |d|)) - log 2, which does not.
    """

    @staticmethod
    def forward(ctx: Any, prediction: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
        check_pair("LogCosh", reduction, prediction=prediction, target=target)
        ctx.save_for_backward(prediction, target)
        ctx.reduction = reduction
        size = (prediction - target).abs()  # (N, K)
        losses = size + F.softplus(-2 * size) - math.log(2)  # (N, K)
        return reduce(losses, reduction)  # () or (N, K)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor | None, None]:
        prediction, target = ctx.saved_tensors
        grad_losses = spread(grad_output, ctx.reduction, prediction.shape)  # () or (N, K)
        grad_prediction = grad_losses * torch.tanh(prediction - target)  # (N, K)
        grad_target = fit(-grad_prediction, target) if ctx.needs_input_grad[1] else None  # (N, K)
        return fit(grad_prediction, prediction), grad_target, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(5, 3), normal(5, 3)), (normal(5, 3), normal(5, 3), "none")]
