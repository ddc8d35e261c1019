"""Inverse: the inverse of a matrix."""

# ruff: noqa: N803 - the name of torch.linalg.inv

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.functions.linalg._square import invertible, require_square, required


class Inverse(Function):
    """Inverse of a square matrix, or of each of a batch.

    Forward   output = A^-1                                        (..., N, N)
    Backward  d loss / d A = -output^H grad_output output^H        (..., N, N)
    Shapes    A (..., N, N) -> (..., N, N)
    Kinks     none
    Saves     output
    Raises    DataError if A is singular, ShapeError if A is not square, NotATensorError
    Source    differentiating A Y = I: dA Y + A dY = 0, so dY = -Y dA Y. The loss moves by
              Re tr(grad_output^H dY) = -Re tr((Y^H grad_output Y^H)^H dA).
    """

    @staticmethod
    def forward(ctx: Any, A: Tensor) -> Tensor:
        require_square("Inverse", A=A)
        with required("Inverse", "A", "invertible", "pinv"):
            output = torch.linalg.inv(A)  # (..., N, N)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (output,) = ctx.saved_tensors
        return -(output.mH @ grad_output @ output.mH)  # (..., N, N)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(invertible(2, 3, 3),)]
