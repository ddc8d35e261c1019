"""PoissonNLL: the negative log-likelihood of counts."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal, uniform
from derivable.functions.losses._pair import check_pair, fit
from derivable.functions.losses._reduction import reduce, spread


class PoissonNLL(Function):
    """Negative log-likelihood of the counts t = target under Poisson laws; mean over all M entries.

    input is the logarithm of the rate, or the rate itself if log_input is False.

    Forward   l = exp(input) - t input                 or  input - t log(input + eps)
              full adds t log t - t + log(2 pi t) / 2 where t > 1
              loss = sum l / M                                                          ()
              "sum" leaves out the 1/M, "none" the sum as well: (...)
    Backward  d l / d input = exp(input) - t           or  1 - t / (input + eps)        (...)
              d l / d t     = -input                   or  -log(input + eps)            (...)
              full adds log t + 1 / (2 t) where t > 1
              each times grad_output / M
    Shapes    input (...), target the same -> (), or (...) for "none"
    Kinks     target = 1 with full, where the loss jumps: value chosen the slope without the
              term of full, values allowed that one
    Saves     input, target
    Raises    ShapeError if the shapes differ, SettingError for an unknown reduction or
              complex numbers, NotATensorError
    Source    -log(exp(-r) r^t / t!) = r - t log r + log t! with the rate r; Stirling's formula
              stands for log t!, which is 0 for t = 0 and 1. eps keeps log away from 0.
    """

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        target: Tensor,
        log_input: bool = True,
        full: bool = False,
        eps: float = 1e-8,
        reduction: str = "mean",
    ) -> Tensor:
        check_pair("PoissonNLL", reduction, input=input, target=target)
        ctx.save_for_backward(input, target)
        ctx.log_input, ctx.full, ctx.eps, ctx.reduction = log_input, full, eps, reduction
        rate = input.exp() if log_input else input  # (...)
        losses = rate - target * _log_rate(input, log_input, eps)  # (...)
        if full:
            t = _above_one(target)  # (...)
            stirling = t * t.log() - t + 0.5 * (2 * math.pi * t).log()  # (...)
            losses = losses + torch.where(target > 1, stirling, 0.0)  # (...)
        return reduce(losses, reduction)  # () or (...)

    @staticmethod
    def backward(
        ctx: Any, grad_output: Tensor
    ) -> tuple[Tensor, Tensor | None, None, None, None, None]:
        input, target = ctx.saved_tensors
        grad_losses = spread(grad_output, ctx.reduction, input.shape)  # () or (...)
        slope = input.exp() - target if ctx.log_input else 1 - target / (input + ctx.eps)  # (...)
        grad_input = fit(grad_losses * slope, input)  # (...)
        if not ctx.needs_input_grad[1]:
            return grad_input, None, None, None, None, None
        slope = -_log_rate(input, ctx.log_input, ctx.eps)  # (...)
        if ctx.full:
            t = _above_one(target)  # (...)
            slope = slope + torch.where(target > 1, t.log() + 0.5 / t, 0.0)  # (...)
        return grad_input, fit(grad_losses * slope, target), None, None, None, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [
            (normal(5, 3), uniform(0, 4, 5, 3)),
            (uniform(0.5, 2, 5, 3), uniform(0, 4, 5, 3), False, True, 1e-3, "none"),
        ]


def _log_rate(input: Tensor, log_input: bool, eps: float) -> Tensor:
    return input if log_input else (input + eps).log()  # (...)


def _above_one(target: Tensor) -> Tensor:
    """The counts above 1, and 1 for the others, whose logarithm nobody wants."""
    return torch.where(target > 1, target, 1)  # (...)
