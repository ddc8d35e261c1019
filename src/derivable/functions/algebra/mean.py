"""Mean: the mean over dimensions."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.algebra._reduction import Dim, kept, reduced_dims
from derivable.shapes import require_tensors


class Mean(Function):
    """Mean over `dim`: one dimension, several, or all of them where it is None.

    Forward   output = (sum over dim of input) / M                        (reduced)
    Backward  d loss / d input = grad_output / M, repeated along dim      (...)
              M is how many entries are in one mean: the product of the sizes along dim
    Shapes    input (...) -> (...) without the dimensions dim, or with 1 there if keepdim
    Kinks     none (the mean of no entries is NaN, as in torch.mean)
    Saves     nothing (the shape of input)
    Raises    SettingError if input has no such dim, NotATensorError
    Source    output is linear in every entry with slope 1 / M, and each entry is in one mean only
    """

    @staticmethod
    def forward(ctx: Any, input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
        require_tensors("Mean", input=input)
        ctx.shape, ctx.dims = input.shape, reduced_dims("Mean", input, dim)
        return input.mean(ctx.dims, keepdim)  # (reduced)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, None]:
        count = math.prod(ctx.shape[d] for d in ctx.dims)
        grad_input = kept(grad_output / count, ctx.shape, ctx.dims).expand(ctx.shape)  # (...)
        return grad_input, None, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(4, 3),), (normal(4, 3, 2), (0, 2))]
