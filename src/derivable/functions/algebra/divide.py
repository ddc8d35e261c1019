"""Divide: the quotient of two tensors, entry by entry."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal, uniform
from derivable.functions.algebra._operands import (
    Operand,
    check_operands,
    conj,
    fit,
    keep_operands,
    kept_operands,
)


class Divide(Function):
    """Quotient of two operands entry by entry, with broadcasting.

    Forward   output = input / other                                                     (...)
    Backward  d loss / d input =  grad_output / conj(other), summed to its shape         input
              d loss / d other = -grad_output conj(input / other / other), the same way  other
    Shapes    input and other broadcast to (...); either may be a number
    Kinks     none (at other = 0 there is no value: inf or NaN, as in torch.div)
    Saves     input, other
    Raises    ShapeError if the shapes do not broadcast, NotATensorError
    Source    output_i other_i = input_i; differentiating both sides, d output_i other_i
              + output_i d other_i = d input_i, so the slopes are 1 / other and -output / other.
              Dividing twice, and not by the square, keeps large and small numbers in range.
    """

    @staticmethod
    def forward(ctx: Any, input: Operand, other: Operand) -> Tensor:
        check_operands("Divide", input=input, other=other)
        keep_operands(ctx, input, other)
        return torch.div(input, other)  # type: ignore[arg-type]  # (...)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, Tensor | None]:
        input, other = kept_operands(ctx)
        grad_input = grad_other = None
        if ctx.needs_input_grad[0]:
            grad_input = fit(grad_output / conj(other), input)  # input
        if ctx.needs_input_grad[1]:
            grad_other = fit(-grad_output * conj(input / other / other), other)  # other
        return grad_input, grad_other

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(4, 3), uniform(0.5, 2, 3))]
