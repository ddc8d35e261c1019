"""Solve: the solution of a system of linear equations."""

# ruff: noqa: N803 - the names of torch.linalg.solve

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.errors import SettingError
from derivable.function import Function
from derivable.function.examples import normal
from derivable.function.gradients import Like
from derivable.functions.linalg._square import invertible, require_square, required
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error


class Solve(Function):
    """Solution X of A X = B, or of X A = B if not left.

    Forward   X = A^-1 B                                               (..., N, K)
    Backward  d loss / d B =  A^-H grad_output                         (..., N, K)
              d loss / d A = -(d loss / d B) X^H                       (..., N, N)
              not left: X = B A^-1, d loss / d B = grad_output A^-H,
                        d loss / d A = -X^H (d loss / d B)
              each summed over the batch dimensions that were broadcast
    Shapes    A (..., N, N), B (..., N, K) -> (..., N, K); not left: B (..., K, N) -> (..., K, N);
              B (N,), or B with the shape of A less its last dimension, is a vector: X (..., N)
    Kinks     none
    Saves     A, X
    Raises    DataError if A is singular, ShapeError if the shapes do not fit, SettingError for a
              vector B on the right of which A would stand (left=False), NotATensorError
    Source    differentiating A X = B: dA X + A dX = dB, so dX = A^-1 (dB - dA X). The loss moves
              by Re tr(grad_output^H dX) = Re tr((A^-H grad_output)^H (dB - dA X)).
    """

    @staticmethod
    def forward(ctx: Any, A: Tensor, B: Tensor, left: bool = True) -> Tensor:
        ctx.vector, batch = _check(A, B, left)
        ctx.left, ctx.B = left, Like.of(B)
        right = B.unsqueeze(-1) if ctx.vector else B  # (..., N, K)
        right = right.expand(*batch, *right.shape[-2:])  # (..., N, K)
        with required("Solve", "A", "invertible", "lstsq"):
            output = _solve(A, right, left)  # (..., N, K)
        output = output.squeeze(-1) if ctx.vector else output  # (..., N, K)
        ctx.save_for_backward(A, output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        a, x = ctx.saved_tensors
        if ctx.vector:
            x, grad_output = x.unsqueeze(-1), grad_output.unsqueeze(-1)  # (..., N, 1) both
        grad_b = _solve(a.mH, grad_output, ctx.left)  # (..., N, K)
        grad_a = None
        if ctx.needs_input_grad[0]:
            grad_a = -(grad_b @ x.mH if ctx.left else x.mH @ grad_b)  # (..., N, N)
            grad_a = grad_a.sum_to_size(a.shape)  # (..., N, N)
        grad_b = grad_b.squeeze(-1) if ctx.vector else grad_b  # (..., N, K)
        return grad_a, grad_b.sum_to_size(ctx.B.shape), None  # (..., N, K)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [
            (invertible(3, 3), normal(3, 2)),
            (invertible(3, 3), normal(2, 3), False),
            (invertible(2, 3, 3), normal(3)),
        ]


def _solve(a: Tensor, right: Tensor, left: bool) -> Tensor:
    """The solution for a right side that already has all batch dimensions."""
    # The rule of torch.linalg.solve for vmap does not broadcast, other than along a 1.
    a = a[(None,) * (right.ndim - a.ndim)]  # (..., N, N)
    return torch.linalg.solve(a, right, left=left)  # (..., N, K)


def _check(A: Tensor, B: Tensor, left: bool) -> tuple[bool, torch.Size]:
    """Whether B is a vector, or a batch of them; and the batch dimensions of the solution."""
    require_square("Solve", A=A)
    require_tensors("Solve", B=B)
    size, shape = A.size(-1), tuple(A.shape)
    vector = B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1])
    if vector and not left:
        raise SettingError(say("left", shape=tuple(B.shape)))
    if B.ndim == 0 or B.size(-1 if vector or not left else -2) != size:
        key = "rows_of_a" if left else "columns_of_a"
        raise shape_error("Solve", "B", say(key, size=size, shape=shape), B, say("per_unknown"))
    try:
        return vector, torch.broadcast_shapes(A.shape[:-2], B.shape[: -1 if vector else -2])
    except RuntimeError:
        raise shape_error(
            "Solve",
            "B",
            say("batches_of", shape=shape),
            B,
            say("from_the_last"),
        ) from None
