"""LayerNorm: every row normalised by its own mean and deviation."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.layers._checks import require_rows
from derivable.functions.layers._chunks import by_rows, large
from derivable.functions.layers._normalisation import normalised_slope, recorded_statistics


class LayerNorm(Function):
    """Normalise the last dimensions, of sizes `normalized_shape`, then scale and shift them.

    Forward   mean = sum(x) / D and r = 1 / sqrt(sum((x - mean)^2) / D + eps), where x is one row,
              all D entries of the last dimensions (divided by D, not by D - 1)
              output = x^ weight + bias with x^ = (x - mean) r             (..., *D)
    Backward  with g = grad_output * weight, and sums over one row,
              d loss / d input  = r (g - sum(g) / D - x^ sum(g x^) / D)    (..., *D)
              d loss / d weight = sum over rows of grad_output x^          (*D)
              d loss / d bias   = sum over rows of grad_output             (*D)
    Shapes    input (..., *D), weight and bias (*D) or None -> (..., *D), *D = normalized_shape
    Kinks     none
    Saves     input, weight, mean, r
    Raises    ShapeError if input does not end in normalized_shape, or weight or bias have another
              shape; SettingError for an empty normalized_shape or complex numbers;
              NotATensorError
    Source    the Jacobian of x^ is derived in normalised_slope of _normalisation.py; weight and
              bias enter linearly, once per row
    """

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        normalized_shape: Sequence[int],
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        eps: float = 1e-5,
    ) -> Tensor:
        sizes = tuple(normalized_shape)
        require_rows("LayerNorm", input, sizes, weight, bias)
        dims = tuple(range(-len(sizes), 0))
        output, mean, rstd = torch.native_layer_norm(input, sizes, weight, bias, eps)  # (..., *D)
        mean, rstd = recorded_statistics(mean, rstd, input, dims, eps)  # (..., 1), a 1 per size
        ctx.sizes, ctx.count = sizes, torch.Size(sizes).numel()
        ctx.save_for_backward(input, weight, mean, rstd)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        input, weight, mean, rstd = ctx.saved_tensors
        _, _, wants_weight, wants_bias, _ = ctx.needs_input_grad
        rows = (mean.numel(), ctx.count)  # N rows of D entries
        grad = grad_output.reshape(rows)  # (N, D)
        factor = grad.new_ones(ctx.count) if weight is None else weight.reshape(-1)  # (D,)
        share = factor / max(ctx.count, 1)  # (D,)

        def rule(
            out: Tensor | None, grad: Tensor, x: Tensor, mean: Tensor, rstd: Tensor
        ) -> tuple[Tensor, Tensor]:
            deviation = x - mean  # (N, D)
            product = torch.mul(grad, deviation, out=out)  # (N, D)
            overlap = (product @ share).unsqueeze(1)  # (N, 1)
            part = torch.stack([rstd.squeeze(1) @ product, grad.sum(0)])  # (2, D)
            slope = torch.mul(grad, factor, out=out)  # (N, D), where product was
            average = slope.mean(1, keepdim=True)  # (N, 1)
            slope = normalised_slope(slope, deviation, rstd, average, overlap, out)  # (N, D)
            return torch.mul(slope, rstd, out=out), part

        statistics = mean.reshape(-1, 1), rstd.reshape(-1, 1)  # (N, 1) each
        tensors = grad, input.reshape(rows), *statistics
        if grad.dtype in (torch.float32, torch.float64) and large(*tensors, factor) and _loop():
            grad_input, part = _loop().in_one_pass(*tensors, factor)  # (N, D), (2, D)
        else:
            grad_input, part = by_rows(rule, *tensors)  # (N, D), (2, D)
        return (
            grad_input.reshape(input.shape),  # (..., *D)
            None,
            part[0].reshape(ctx.sizes) if wants_weight else None,  # (*D)
            part[1].reshape(ctx.sizes) if wants_bias else None,  # (*D)
            None,
        )

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(5, 4), (4,), normal(4), normal(4)), (normal(2, 4, 3), (4, 3))]


@functools.cache
def _loop() -> Any:
    """The same rule compiled, or None without Numba, imported only when it is about to be used."""
    try:
        from derivable.functions.layers import _layer_norm_loop
    except ImportError:  # not installed, or does not suit NumPy
        return None
    return _layer_norm_loop
