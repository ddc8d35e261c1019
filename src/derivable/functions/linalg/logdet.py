"""LogDet: the logarithm of a determinant."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.functions.linalg._square import invertible, require_square, required


class LogDet(Function):
    """Logarithm of the determinant of a square matrix, or of each of a batch.

    Forward   output = log det input                                   (...)
    Backward  d loss / d input = grad_output input^-H                  (..., N, N)
    Shapes    input (..., N, N) -> (...)
    Kinks     det = 0: the value is -inf, and backward raises DataError;
              det < 0, real: there is no value; output is NaN and the gradient chosen 0, as in
              torch.logdet
    Saves     input, output
    Raises    ShapeError if input is not square, NotATensorError; DataError in backward if input
              is singular
    Source    det(A + dA) = det A det(I + A^-1 dA) = det A (1 + tr(A^-1 dA)) to first order, so
              d log det A = tr(A^-1 dA): the slope in A_ij is (A^-1)_ji.
    """

    @staticmethod
    def forward(ctx: Any, input: Tensor) -> Tensor:
        require_square("LogDet", input=input)
        output = torch.logdet(input)  # (...)
        ctx.save_for_backward(input, output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        input, output = ctx.saved_tensors
        grad = torch.where(output.isnan(), 0, grad_output)[..., None, None]  # (..., 1, 1)
        with required("LogDet", "input", "invertible", "no_gradient"):
            return grad * torch.linalg.inv(input).mH  # (..., N, N)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(invertible(2, 3, 3),)]
