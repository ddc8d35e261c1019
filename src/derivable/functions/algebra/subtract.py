"""Subtract: the difference of two tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.function.gradients import Like
from derivable.functions.algebra._operands import Operand, check_operands, conj, fit


class Subtract(Function):
    """Difference of two operands, with broadcasting; the second may be scaled by a number.

    Forward   output = input - alpha other                                          (...)
    Backward  d loss / d input = grad_output, summed to its shape                   input
              d loss / d other = -conj(alpha) grad_output, summed to its shape      other
    Shapes    input and other broadcast to (...); either may be a number
    Kinks     none
    Saves     nothing (the shapes and dtypes of input and other)
    Raises    ShapeError if the shapes do not broadcast, NotATensorError
    Source    output_i = input_i - alpha other_i, so the slopes are 1 and -alpha. An entry that
              broadcasting repeats adds to several outputs: its gradient is the sum of theirs.
    """

    @staticmethod
    def forward(ctx: Any, input: Operand, other: Operand, alpha: complex = 1) -> Tensor:
        check_operands("Subtract", input=input, other=other)
        ctx.alpha, ctx.input, ctx.other = alpha, Like.of(input), Like.of(other)
        return torch.sub(input, other, alpha=alpha)  # (...)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        grad_input = grad_other = None
        if ctx.needs_input_grad[0]:
            grad_input = fit(grad_output, ctx.input)  # input
        if ctx.needs_input_grad[1]:
            grad_other = fit(-conj(ctx.alpha) * grad_output, ctx.other)  # other
        return grad_input, grad_other, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(4, 3), normal(3), -0.7)]
