"""GroupNorm: the channels of one sample normalised in groups."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.errors import SettingError
from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.layers._checks import require_real, require_shape
from derivable.functions.layers._chunks import by_rows
from derivable.functions.layers._normalisation import normalised_slope, recorded_statistics
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error


class GroupNorm(Function):
    """Normalise `num_groups` groups of channels of every sample, then scale and shift channels.

    Forward   mean = sum(x) / M and r = 1 / sqrt(sum((x - mean)^2) / M + eps), where x is one
              group of one sample, M = C / num_groups * L entries (divided by M, not by M - 1)
              output = x^ weight + bias with x^ = (x - mean) r             (N, C, *L)
    Backward  with g = grad_output * weight, and sums over one group of one sample,
              d loss / d input  = r (g - sum(g) / M - x^ sum(g x^) / M)    (N, C, *L)
              d loss / d weight = sum over N and L of grad_output x^       (C,)
              d loss / d bias   = sum over N and L of grad_output          (C,)
    Shapes    input (N, C, *L), weight and bias (C,) or None -> (N, C, *L)
    Kinks     none
    Saves     input, weight, mean, r
    Raises    ShapeError if there is no channel dimension or weight or bias do not have one entry
              per channel; SettingError if num_groups does not divide C, or for complex numbers;
              NotATensorError
    Source    the Jacobian of x^ is derived in normalised_slope of _normalisation.py; weight and
              bias enter linearly, once per sample and place
    """

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        num_groups: int,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        eps: float = 1e-5,
    ) -> Tensor:
        _check(input, num_groups, weight, bias)
        samples, channels = input.shape[:2]
        length = input.shape[2:].numel()  # L, all places of one channel
        sizes = (samples, num_groups, channels // num_groups, length)  # (N, G, K, L)
        output, mean, rstd = torch.native_group_norm(
            input.contiguous(), weight, bias, samples, channels, length, num_groups, eps
        )  # (N, C, *L), (N, G), (N, G)
        mean, rstd = mean[..., None, None], rstd[..., None, None]  # (N, G, 1, 1)
        mean, rstd = recorded_statistics(mean, rstd, input.reshape(sizes), (2, 3), eps)
        ctx.sizes = sizes
        ctx.save_for_backward(input, weight, mean, rstd)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        input, weight, mean, rstd = ctx.saved_tensors
        _, _, wants_weight, wants_bias, _ = ctx.needs_input_grad
        _, groups, members, length = ctx.sizes
        grad = grad_output.reshape(ctx.sizes)  # (N, G, K, L)
        factor = grad.new_ones(groups * members) if weight is None else weight  # (C,)
        factor = factor.reshape(groups, members, 1)  # (G, K, 1)
        share = factor / max(members * length, 1)  # (G, K, 1)

        def rule(
            out: Tensor | None, grad: Tensor, x: Tensor, mean: Tensor, rstd: Tensor
        ) -> tuple[Tensor, Tensor]:
            deviation = x - mean  # (N, G, K, L)
            sums = grad.sum(3, keepdim=True)  # (N, G, K, 1)
            products = torch.mul(grad, deviation, out=out).sum(3, keepdim=True)  # (N, G, K, 1)
            means = (sums * share).sum(2, keepdim=True)  # (N, G, 1, 1)
            overlap = (products * share).sum(2, keepdim=True)  # (N, G, 1, 1)
            slope = torch.mul(grad, factor, out=out)  # (N, G, K, L)
            slope = normalised_slope(slope, deviation, rstd, means, overlap, out)
            part = torch.stack([(products * rstd).sum(0), sums.sum(0)])  # (2, G, K, 1)
            return torch.mul(slope, rstd, out=out), part

        grad_input, part = by_rows(rule, grad, input.reshape(ctx.sizes), mean, rstd)
        grad_weight, grad_bias = part.reshape(2, groups * members).unbind(0)  # (C,) each
        return (
            grad_input.reshape(input.shape),  # (N, C, *L)
            None,
            grad_weight if wants_weight else None,
            grad_bias if wants_bias else None,
            None,
        )

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(3, 4, 2), 2, normal(4), normal(4)), (normal(2, 6, 3), 3)]


def _check(input: Tensor, num_groups: int, weight: Tensor | None, bias: Tensor | None) -> None:
    require_tensors("GroupNorm", input=input)
    require_real("GroupNorm", input=input, weight=weight, bias=bias)
    if input.ndim < 2:
        raise shape_error(
            "GroupNorm", "input", say("batch_of_channels"), input, say("channel_dimension")
        )
    channels = input.size(1)
    if num_groups < 1 or channels % num_groups:
        raise SettingError(
            say("num_groups", channels=channels, shape=tuple(input.shape), got=num_groups)
        )
    require_shape("GroupNorm", "entry_per_channel", (channels,), weight=weight, bias=bias)
