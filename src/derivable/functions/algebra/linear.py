"""Linear: the affine map x w + b."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error


class Linear(Function):
    """Affine map of the last dimension of x, weights laid out (in, out).

    Forward   output = x w + b                                  (..., H)
    Backward  d loss / d x = grad_output w^T                    (..., D)
              d loss / d w = sum over rows of x^T grad_output   (D, H)
              d loss / d b = sum over rows of grad_output       the shape of b
              with w and x conjugated where they are complex
    Shapes    x (..., D), w (D, H), b (H,) or (1, H) -> (..., H)
    Kinks     none
    Saves     x, w, b (b for its shape only)
    Raises    ShapeError if the shapes do not fit, NotATensorError
    Source    output_ih = sum_d x_id w_dh + b_h is linear in each argument, so its Jacobian with
              respect to one argument is read off the other; the chain rule sums over i and h.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        _check(x, w, b)
        ctx.save_for_backward(x, w, b)
        return x @ w + b  # (..., H)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, w, b = ctx.saved_tensors
        rows = x.reshape(-1, w.size(0))  # (N, D), whatever the leading dimensions
        grad_rows = grad_output.reshape(-1, w.size(1))  # (N, H)
        grad_x = (grad_output @ w.mH).reshape(x.shape)  # (..., D)
        grad_w = rows.mH @ grad_rows  # (D, H)
        grad_b = grad_rows.sum_to_size(b.shape)  # (H,) or (1, H)
        return grad_x, grad_w, grad_b

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(5, 3), normal(3, 2), normal(2))]


def _check(x: Tensor, w: Tensor, b: Tensor) -> None:
    require_tensors("Linear", x=x, w=w, b=b)
    if w.ndim != 2:
        raise shape_error("Linear", "w", say("in_out"), w, say("two_dimensions"))
    if x.ndim == 0 or x.size(-1) != w.size(0):
        raise shape_error(
            "Linear",
            "x",
            say("columns_to_meet", columns=w.size(0), shape=tuple(w.shape)),
            x,
            say("laid_out"),
        )
    if tuple(b.shape) not in {(w.size(1),), (1, w.size(1))}:
        raise shape_error(
            "Linear",
            "b",
            say("bias_of", columns=w.size(1), shape=tuple(w.shape)),
            b,
            say("bias_per_column"),
        )
