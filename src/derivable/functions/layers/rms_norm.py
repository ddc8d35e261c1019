"""RMSNorm: every row divided by its root mean square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.layers._checks import require_rows
from derivable.functions.layers._chunks import by_rows
from derivable.functions.layers._normalisation import inverse_size, normalised_slope


class RMSNorm(Function):
    """Divide the last dimensions, of sizes `normalized_shape`, by their root mean square.

    Forward   r = 1 / sqrt(sum(x^2) / D + eps), where x is one row, all D entries of the last
              dimensions; eps=None is the machine epsilon of the dtype
              output = x^ weight with x^ = x r                             (..., *D)
    Backward  with g = grad_output * weight, and sums over one row,
              d loss / d input  = r (g - x^ sum(g x^) / D)                 (..., *D)
              d loss / d weight = sum over rows of grad_output x^          (*D)
    Shapes    input (..., *D), weight (*D) or None -> (..., *D), *D = normalized_shape
    Kinks     none
    Saves     input, weight, r
    Raises    ShapeError if input does not end in normalized_shape, or weight has another shape;
              SettingError for an empty normalized_shape or complex numbers; NotATensorError
    Source    normalised_slope of _normalisation.py with deviation x: no mean is taken away, so the
              term sum(g) / D is absent
    """

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        normalized_shape: Sequence[int],
        weight: Tensor | None = None,
        eps: float | None = None,
    ) -> Tensor:
        sizes = tuple(normalized_shape)
        require_rows("RMSNorm", input, sizes, weight)
        dims = tuple(range(-len(sizes), 0))
        eps = torch.finfo(input.dtype).eps if eps is None else eps
        rstd = inverse_size(input, dims, eps)  # (..., 1), a 1 per size
        ctx.count = torch.Size(sizes).numel()
        ctx.save_for_backward(input, weight, rstd)
        return input * rstd if weight is None else input * rstd * weight  # (..., *D)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        input, weight, rstd = ctx.saved_tensors
        rows = (rstd.numel(), ctx.count)  # N rows of D entries
        grad = grad_output.reshape(rows)  # (N, D)
        factor = grad.new_ones(ctx.count) if weight is None else weight.reshape(-1)  # (D,)
        share = factor / max(ctx.count, 1)  # (D,)

        def rule(
            out: Tensor | None, grad: Tensor, x: Tensor, rstd: Tensor
        ) -> tuple[Tensor, Tensor]:
            product = torch.mul(grad, x, out=out)  # (N, D)
            overlap = (product @ share).unsqueeze(1)  # (N, 1)
            along = rstd.squeeze(1) @ product  # (D,)
            slope = torch.mul(grad, factor, out=out)  # (N, D), where product was
            slope = normalised_slope(slope, x, rstd, None, overlap, out)  # (N, D)
            return torch.mul(slope, rstd, out=out), along

        grad_input, along = by_rows(rule, grad, input.reshape(rows), rstd.reshape(-1, 1))
        wants_weight = ctx.needs_input_grad[2]
        grad_weight = along.reshape(weight.shape) if wants_weight else None  # (*D)
        return grad_input.reshape(input.shape), None, grad_weight, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(5, 4), (4,), normal(4)), (normal(2, 4, 3), (4, 3))]
