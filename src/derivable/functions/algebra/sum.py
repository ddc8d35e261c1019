"""Sum: the sum over dimensions."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.algebra._reduction import Dim, kept, reduced_dims
from derivable.shapes import require_tensors


class Sum(Function):
    """Sum over `dim`: one dimension, several, or all of them where it is None.

    Forward   output = sum over dim of input                          (reduced)
    Backward  d loss / d input = grad_output, repeated along dim      (...)
    Shapes    input (...) -> (...) without the dimensions dim, or with 1 there if keepdim
    Kinks     none
    Saves     nothing (the shape of input)
    Raises    SettingError if input has no such dim, NotATensorError
    Source    output is linear in every entry with slope 1, and each entry is in one sum only
    """

    @staticmethod
    def forward(ctx: Any, input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
        require_tensors("Sum", input=input)
        ctx.shape, ctx.dims = input.shape, reduced_dims("Sum", input, dim)
        return input.sum(ctx.dims, keepdim)  # (reduced)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, None]:
        return kept(grad_output, ctx.shape, ctx.dims).expand(ctx.shape), None, None  # (...)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(4, 3),), (normal(4, 3, 2), (0, 2))]
