"""Multiply: the product of two tensors, entry by entry."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.algebra._operands import (
    Operand,
    check_operands,
    conj,
    fit,
    keep_operands,
    kept_operands,
)


class Multiply(Function):
    """Product of two operands entry by entry, with broadcasting.

    Forward   output = input other                                                  (...)
    Backward  d loss / d input = grad_output conj(other), summed to its shape       input
              d loss / d other = grad_output conj(input), summed to its shape       other
    Shapes    input and other broadcast to (...); either may be a number
    Kinks     none
    Saves     input, other
    Raises    ShapeError if the shapes do not broadcast, NotATensorError
    Source    output_i = input_i other_i is linear in each factor, with the other as its slope;
              an entry that broadcasting repeats has the sum of the gradients of its copies.
    """

    @staticmethod
    def forward(ctx: Any, input: Operand, other: Operand) -> Tensor:
        check_operands("Multiply", input=input, other=other)
        keep_operands(ctx, input, other)
        return torch.mul(input, other)  # (...)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, Tensor | None]:
        input, other = kept_operands(ctx)
        grad_input = grad_other = None
        if ctx.needs_input_grad[0]:
            grad_input = fit(grad_output * conj(other), input)  # input
        if ctx.needs_input_grad[1]:
            grad_other = fit(grad_output * conj(input), other)  # other
        return grad_input, grad_other

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(4, 3), normal(4, 1))]
