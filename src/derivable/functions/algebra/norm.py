"""Norm: the p-norm of vectors."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from derivable.errors import SettingError
from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.algebra._reduction import Dim, kept, reduced_dims, require_entries
from derivable.functions.messages import say
from derivable.shapes import require_tensors


class Norm(Function):
    """The p-norm along `dim` (all dimensions where it is None): length, for p = 2.

    Forward   output = (sum over dim of |input|^p)^(1/p), for p = inf the largest |input|  (reduced)
    Backward  d loss / d input = grad_output sgn(input) (|input| / output)^(p - 1)         (...)
              for p = inf = grad_output sgn(input) / T where |input| = output, else 0      (...)
              sgn(z) = z / |z|; T is how many entries along dim have |input| = output
    Shapes    input (...) -> (...) without the dimensions dim, or with 1 there if keepdim
    Kinks     output = 0 (the zero vector): value chosen 0;
              p = 1, input = 0: value chosen 0, values allowed -1 to 1;
              p = inf, ties: value chosen 1 / T for each of the T largest
    Saves     input, output
    Raises    SettingError if p is no number from 1 to inf or input has no such dim,
              ShapeError if p is inf and there are no entries along dim, NotATensorError
    Source    output^p = sum_i |input_i|^p; differentiating both sides, p output^(p - 1) d output
              = sum_i p |input_i|^(p - 1) d |input_i|, and d |z| / d z = sgn(z). The quotient
              before the power cannot overflow: it is at most 1.
    """

    @staticmethod
    def forward(
        ctx: Any, input: Tensor, p: float = 2.0, dim: Dim = None, keepdim: bool = False
    ) -> Tensor:
        ctx.p, ctx.dims = p, _check(input, p, dim)
        output = torch.linalg.vector_norm(input, p, ctx.dims, keepdim)  # (reduced)
        ctx.save_for_backward(input, output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, None, None]:
        input, output = ctx.saved_tensors
        norm = kept(output, input.shape, ctx.dims)  # (..., 1, ...)
        slope = _slope(input, norm, ctx.p, ctx.dims)  # (...)
        return kept(grad_output, input.shape, ctx.dims) * slope, None, None, None  # (...)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(4, 3),), (normal(4, 3), 3, 1), (normal(4, 3), math.inf, 1)]


def _slope(input: Tensor, norm: Tensor, p: float, dims: tuple[int, ...]) -> Tensor:
    """What one entry moves the norm by."""
    if p == 1:
        return input.sgn()  # (...)
    if p == math.inf:
        largest = input.abs() == norm  # (...)
        return torch.where(largest, input.sgn(), 0) / largest.sum(dims, keepdim=True)  # (...)
    # Where a quotient is not wanted its parts are 1, so that its own derivative is no NaN either.
    length = torch.where(norm == 0, 1, norm)  # (..., 1, ...)
    if p == 2:
        return torch.where(norm == 0, 0, input / length)  # (...)
    ratio = torch.where(input == 0, 1, input.abs() / length)  # (...)
    return input.sgn() * ratio ** (p - 1)  # (...)


def _check(input: Tensor, p: float, dim: Dim) -> tuple[int, ...]:
    require_tensors("Norm", input=input)
    if not isinstance(p, int | float) or not p >= 1:
        raise SettingError(say("norm_p", got=p))
    dims = reduced_dims("Norm", input, dim)
    if p == math.inf:
        require_entries("Norm", input, dims)
    return dims
