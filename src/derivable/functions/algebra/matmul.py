"""MatMul: the matrix product of vectors, matrices and batches of matrices."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.algebra._operands import fit, require_broadcast
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error


class MatMul(Function):
    """Matrix product over the last two dimensions; those before are a batch and broadcast.

    Forward   output = input other                                        (..., N, H)
    Backward  d loss / d input = grad_output other^H, summed to its shape (..., N, K)
              d loss / d other = input^H grad_output, summed to its shape (..., K, H)
    Shapes    input (..., N, K), other (..., K, H) -> (..., N, H); a vector (K,) stands for one
              row as input and for one column as other, and its dimension is missing in output
    Kinks     none
    Saves     input, other
    Raises    ShapeError if the shapes do not fit, NotATensorError
    Source    output_nh = sum_k input_nk other_kh, so d loss / d input_nk = sum_h grad_output_nh
              conj(other_kh), and d loss / d other_kh = sum_n conj(input_nk) grad_output_nh.
    """

    @staticmethod
    def forward(ctx: Any, input: Tensor, other: Tensor) -> Tensor:
        _check(input, other)
        ctx.save_for_backward(input, other)
        return input @ other  # (..., N, H)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, Tensor | None]:
        input, other = ctx.saved_tensors
        left = input if input.ndim > 1 else input.unsqueeze(0)  # (..., N, K)
        right = other if other.ndim > 1 else other.unsqueeze(1)  # (..., K, H)
        grad = grad_output if other.ndim > 1 else grad_output.unsqueeze(-1)  # (..., H)
        grad = grad if input.ndim > 1 else grad.unsqueeze(-2)  # (..., N, H)
        grad_input = grad_other = None
        if ctx.needs_input_grad[0]:
            grad_input = fit(grad @ right.mH, left).reshape(input.shape)  # (..., N, K)
        if ctx.needs_input_grad[1]:
            if right.ndim == 2:  # one matrix for the whole batch: its rows are those of one matrix
                left, grad = left.flatten(0, -2), grad.flatten(0, -2)  # (N', K), (N', H)
            grad_other = fit(left.mH @ grad, right).reshape(other.shape)  # (..., K, H)
        return grad_input, grad_other

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(5, 3), normal(3, 2)), (normal(2, 4, 3), normal(3))]


def _check(input: Tensor, other: Tensor) -> None:
    require_tensors("MatMul", input=input, other=other)
    for name, value in (("input", input), ("other", other)):
        if value.ndim == 0:
            raise shape_error("MatMul", name, say("one_dimension"), value, say("multiply"))
    rows = other.size(-2) if other.ndim > 1 else other.size(0)
    if input.size(-1) != rows:
        raise shape_error(
            "MatMul",
            "other",
            say("rows_to_meet", rows=input.size(-1), shape=tuple(input.shape)),
            other,
            say("summed_with"),
        )
    if input.ndim > 2 and other.ndim > 2:
        require_broadcast("MatMul", "input", input, "other", other, trailing=2)
