"""L1: the absolute error."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.losses._pair import check_pair, fit
from derivable.functions.losses._reduction import reduce, spread


class L1(Function):
    """Absolute error of every entry, d = input - target; by default the mean over all M entries.

    Forward   loss = sum |d| / M                                        ()
              "sum" leaves out the 1/M, "none" the sum as well: (...)
    Backward  d loss / d input  =  sgn(d) grad_output / M               (...)
              d loss / d target = -sgn(d) grad_output / M               (...)
    Shapes    input (...), target the same -> (), or (...) for "none"
    Kinks     input = target: value chosen 0, values allowed -1 to 1
    Saves     input, target
    Raises    ShapeError if the shapes differ, SettingError for an unknown reduction,
              NotATensorError
    Source    |d| has slope 1 to the right of 0 and -1 to the left, which is sgn(d). For complex
              d, |d|^2 = d conj(d), so d |d| / d conj(d) = d / (2 |d|), and PyTorch's gradient is
              twice that: d / |d|, which is sgn(d) again.
    """

    @staticmethod
    def forward(ctx: Any, input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
        check_pair("L1", reduction, real=False, input=input, target=target)
        ctx.save_for_backward(input, target)
        ctx.reduction = reduction
        return reduce((input - target).abs(), reduction)  # () or (...)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor | None, None]:
        input, target = ctx.saved_tensors
        grad_losses = spread(grad_output, ctx.reduction, input.shape)  # () or (...)
        grad_input = grad_losses * torch.sgn(input - target)  # (...)
        grad_target = fit(-grad_input, target) if ctx.needs_input_grad[1] else None  # (...)
        return fit(grad_input, input), grad_target, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(5, 3), normal(5, 3)), (normal(5, 3), normal(5, 3), "none")]
