"""Softmax: exponentials along a dimension, made to sum to one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.algebra._reduction import one_dim
from derivable.shapes import require_tensors


class Softmax(Function):
    """Exponentials along `dim`, divided by their sum.

    Forward   output = exp(input) / sum over dim of exp(input)                          (...)
    Backward  d loss / d input = output (grad_output - sum over dim of grad_output output)
                                                                                        (...)
    Shapes    input (...) -> (...)
    Kinks     none; where all entries along dim are -inf, value and gradient are NaN, as in
              torch.softmax
    Saves     output
    Raises    SettingError if dim is no dimension of input, NotATensorError
    Source    log output_i = input_i - log sum_j exp(input_j), so d output_i / d input_j =
              output_i ([i = j] - output_j); the chain rule sums grad_output_i of it over i.
    """

    @staticmethod
    def forward(ctx: Any, input: Tensor, dim: int) -> Tensor:
        require_tensors("Softmax", input=input)
        ctx.dim = one_dim("Softmax", input, dim)
        output = torch.softmax(input, ctx.dim)  # (...)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        (output,) = ctx.saved_tensors
        mean = (grad_output * output).sum(ctx.dim, keepdim=True)  # (..., 1, ...)
        return output * (grad_output - mean), None  # (...)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(4, 3), 1)]
