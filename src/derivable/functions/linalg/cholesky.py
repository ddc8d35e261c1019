"""Cholesky: the triangular square root of a positive definite matrix."""

# ruff: noqa: N803 - the name of torch.linalg.cholesky

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.functions.linalg._square import invertible, require_square, required


class Cholesky(Function):
    """Lower triangular L with positive diagonal and L L^H = (A + A^H) / 2, or U = L^H if upper.

    Forward   output = L, or L^H if upper                                           (..., N, N)
    Backward  d loss / d A = L^-H (P + P^H) / 2 L^-1                                (..., N, N)
              P = lower triangle of L^H grad_L, with half of its diagonal           (..., N, N)
              grad_L is grad_output, or grad_output^H if upper
    Shapes    A (..., N, N) -> (..., N, N)
    Kinks     none
    Saves     output
    Raises    DataError if A is not positive definite, ShapeError if A is not square,
              NotATensorError
    Source    differentiating L L^H = A and multiplying with L^-1 and L^-H from both sides:
              L^-1 dL + (L^-1 dL)^H = L^-1 dA L^-H. The first term is lower triangular, so it is
              the lower triangle of the right side with half of its diagonal. The transpose of
              this map is the one above; its Hermitian part is the gradient among Hermitian A.

    torch.linalg.cholesky reads only the lower triangle of A, though its gradient is that of the
    Hermitian part. Here the Hermitian part is what is factorised, so that the gradient is true
    for every A. For a Hermitian A, which is what a caller should give, the two are the same; the
    gradient of PyTorch for complex A may only have a skew-Hermitian part besides, which has no
    meaning there.
    """

    @staticmethod
    def forward(ctx: Any, A: Tensor, upper: bool = False) -> Tensor:
        require_square("Cholesky", A=A)
        ctx.upper = upper
        with required("Cholesky", "A", "definite", "diagonal"):
            output = torch.linalg.cholesky((A + A.mH) / 2, upper=upper)  # (..., N, N)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        (output,) = ctx.saved_tensors
        lower, grad = (output.mH, grad_output.mH) if ctx.upper else (output, grad_output)
        product = lower.mH @ grad  # (..., N, N)
        half = (product.tril() + product.tril(-1)) / 2  # (..., N, N)
        middle = (half + half.mH) / 2  # (..., N, N)
        solved = torch.linalg.solve_triangular(lower.mH, middle, upper=True)  # (..., N, N)
        grad_a = torch.linalg.solve_triangular(
            lower, solved, upper=False, left=False
        )  # (..., N, N)
        return grad_a, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(invertible(3, 3),), (invertible(2, 3, 3), True)]
