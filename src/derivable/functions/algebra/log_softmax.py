"""LogSoftmax: the logarithm of softmax."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.algebra._reduction import one_dim
from derivable.shapes import require_tensors


class LogSoftmax(Function):
    """Logarithm of softmax along `dim`, safe where softmax itself would be rounded to 0.

    Forward   output = input - log sum over dim of exp(input)                           (...)
    Backward  d loss / d input = grad_output - exp(output) sum over dim of grad_output  (...)
    Shapes    input (...) -> (...)
    Kinks     none; where all entries along dim are -inf, value and gradient are NaN, as in
              torch.log_softmax
    Saves     output
    Raises    SettingError if dim is no dimension of input, NotATensorError
    Source    d output_i / d input_j = [i = j] - exp(input_j) / sum_k exp(input_k), and the
              fraction is exp(output_j); the chain rule sums grad_output_i of it over i.
    """

    @staticmethod
    def forward(ctx: Any, input: Tensor, dim: int) -> Tensor:
        require_tensors("LogSoftmax", input=input)
        ctx.dim = one_dim("LogSoftmax", input, dim)
        output = torch.log_softmax(input, ctx.dim)  # (...)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        (output,) = ctx.saved_tensors
        total = grad_output.sum(ctx.dim, keepdim=True)  # (..., 1, ...)
        return grad_output - output.exp() * total, None  # (...)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(4, 3), 1)]
