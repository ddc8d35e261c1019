"""Hinge: the loss of the support vector machine."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.losses._pair import check_pair, fit
from derivable.functions.losses._reduction import reduce, spread


class Hinge(Function):
    """How far the score on the right side, target * input, falls short of the margin; mean over M.

    Forward   loss = sum max(0, margin - target input) / M                      ()
              "sum" leaves out the 1/M, "none" the sum as well: (...)
    Backward  d loss / d input  = -target grad_output / M   where target input < margin, else 0
              d loss / d target = -input grad_output / M    where target input < margin, else 0
    Shapes    input (...), target the same, of -1 and 1 -> (), or (...) for "none"
    Kinks     target input = margin: value chosen 0, values allowed 0 to -target (for input)
              and 0 to -input (for target)
    Saves     input, target
    Raises    ShapeError if the shapes differ, SettingError for an unknown reduction or
              complex numbers, NotATensorError
    Source    the slope of max(0, s) in the shortfall s = margin - target input is 1 where s > 0
              and 0 where s < 0; and s is linear in input and in target. PyTorch has no such loss
              (hinge_embedding_loss, which pulls pairs apart, is another).
    """

    @staticmethod
    def forward(
        ctx: Any, input: Tensor, target: Tensor, margin: float = 1.0, reduction: str = "mean"
    ) -> Tensor:
        check_pair("Hinge", reduction, input=input, target=target)
        ctx.save_for_backward(input, target)
        ctx.margin, ctx.reduction = margin, reduction
        return reduce(torch.relu(margin - target * input), reduction)  # () or (...)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor | None, None, None]:
        input, target = ctx.saved_tensors
        grad_losses = spread(grad_output, ctx.reduction, input.shape)  # () or (...)
        short = target * input < ctx.margin  # (...)
        # where, not a product: an infinite grad_output times a slope of 0 would be NaN.
        grad_input = torch.where(short, -target * grad_losses, 0.0)  # (...)
        grad_target = None
        if ctx.needs_input_grad[1]:
            grad_target = fit(torch.where(short, -input * grad_losses, 0.0), target)  # (...)
        return fit(grad_input, input), grad_target, None, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        target = torch.randn(5, 3, dtype=torch.float64).sign().requires_grad_()
        return [(normal(5, 3), target), (normal(5, 3), target, 0.5, "none")]
