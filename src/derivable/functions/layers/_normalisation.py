"""What the normalisations share: their statistics, and the backward of (x - mean) / deviation."""

from __future__ import annotations

import torch
from torch import Tensor


def inverse_size(input: Tensor, dims: tuple[int, ...], eps: float) -> Tensor:
    """1 / sqrt(mean square + eps) over `dims`, which keep size 1."""
    return (input.square().mean(dims, keepdim=True) + eps).rsqrt()


def recorded_statistics(
    mean: Tensor, rstd: Tensor, input: Tensor, dims: tuple[int, ...], eps: float
) -> tuple[Tensor, Tensor]:
    """Mean and 1 / sqrt(variance + eps) over `dims`, which keep size 1.

    They are those given, unless derivatives may pass through them: PyTorch's fused forwards
    return their statistics as constants, which is fast and right for a first derivative, and
    silently wrong for a second one.
    """
    if not torch.is_grad_enabled():
        return mean, rstd
    mean = input.mean(dims, keepdim=True)
    return mean, inverse_size(input - mean, dims, eps)


def normalised_slope(
    grad: Tensor,
    deviation: Tensor,
    rstd: Tensor,
    mean: Tensor | None,
    overlap: Tensor,
    out: Tensor | None = None,
) -> Tensor:
    """Of x^ = (x - mean) r, d loss / d x but for the factor r; `grad` is g = d loss / d x^.

    One set of M values has deviations d_m = x_m - mean, the factor r = (sum d^2 / M + eps)^(-1/2),
    `rstd`, and normalised values x^_m = d_m r. Moving x_m moves d_k by delta_km - 1/M and r by
    -r^3 d_m / M (where the mean has no part, because the d sum to zero), so

        d x^_k / d x_m = r (delta_km - 1/M) - d_k r^3 d_m / M = r (delta_km - 1/M - x^_k x^_m / M)

    and therefore

        d loss / d x = r (g - sum(g) / M - x^ sum(g x^) / M) = r * normalised_slope(...)

    `mean` is sum(g) / M, or None where no mean was taken away from x; `overlap` is sum(g d) / M.
    Both are given, because callers have cheaper ways to them than two passes over g.
    """
    slope = torch.addcmul(grad, deviation, rstd.square() * overlap, value=-1, out=out)
    return slope if mean is None else torch.sub(slope, mean, out=out)
