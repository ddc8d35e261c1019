"""LogSumExp: the logarithm of a sum of exponentials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.algebra._reduction import kept, reduced_dims
from derivable.shapes import require_tensors


class LogSumExp(Function):
    """Logarithm of the sum over `dim`, one dimension or several, of exp(input): a smooth maximum.

    Forward   output = log sum over dim of exp(input)                            (reduced)
    Backward  d loss / d input = grad_output conj(exp(input - output))           (...)
    Shapes    input (...) -> (...) without the dimensions dim, or with 1 there if keepdim
    Kinks     none; where all entries along dim are -inf the value is -inf and the gradient NaN,
              as in torch.logsumexp
    Saves     input, output
    Raises    SettingError if input has no such dim, NotATensorError
    Source    with s = sum_i exp(input_i), d log s / d input_i = exp(input_i) / s, which is
              exp(input_i - log s): no exponential overflows, because log s is the larger one.
    """

    @staticmethod
    def forward(ctx: Any, input: Tensor, dim: int | Sequence[int], keepdim: bool = False) -> Tensor:
        require_tensors("LogSumExp", input=input)
        ctx.dims = reduced_dims("LogSumExp", input, dim)
        output = torch.logsumexp(input, ctx.dims, keepdim)  # (reduced)
        ctx.save_for_backward(input, output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, None]:
        input, output = ctx.saved_tensors
        share = (input - kept(output, input.shape, ctx.dims)).exp()  # (...)
        grad_input = kept(grad_output, input.shape, ctx.dims) * share.conj()  # (...)
        return grad_input, None, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(4, 3), 1), (normal(4, 3, 2), (0, 2), True)]
