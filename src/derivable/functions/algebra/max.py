"""Max: the largest entry along dimensions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.algebra._reduction import Dim, kept, reduced_dims, require_entries
from derivable.shapes import require_tensors


class Max(Function):
    """Largest entry along `dim`: one dimension, several, or all of them where it is None.

    Forward   output = largest of input along dim                                    (reduced)
    Backward  d loss / d input = grad_output / T where input = output, else 0        (...)
              T is how many entries along dim are equal to output: 1 without ties
    Shapes    input (...) -> (...) without the dimensions dim, or with 1 there if keepdim
    Kinks     ties: value chosen 1 / T for each of the T largest, values allowed 0 to 1 that
              sum to 1; as in torch.amax
    Saves     input, output
    Raises    ShapeError if there are no entries along dim, SettingError if input has no such
              dim, NotATensorError
    Source    near an input without ties the largest entry stays the same one, so output moves
              with it alone, with slope 1. At a tie the subgradients are the weighted means of
              the T unit vectors, and the even one does not depend on the order of the entries.
    """

    @staticmethod
    def forward(ctx: Any, input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
        require_tensors("Max", input=input)
        ctx.dims = reduced_dims("Max", input, dim)
        require_entries("Max", input, ctx.dims)
        output = input.amax(ctx.dims, keepdim)  # (reduced)
        ctx.save_for_backward(input, output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, None]:
        input, output = ctx.saved_tensors
        largest = input == kept(output, input.shape, ctx.dims)  # (...)
        share = torch.where(largest, kept(grad_output, input.shape, ctx.dims), 0)  # (...)
        return share / largest.sum(ctx.dims, keepdim=True), None, None  # (...)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(4, 3),), (normal(4, 3, 2), (0, 2))]
