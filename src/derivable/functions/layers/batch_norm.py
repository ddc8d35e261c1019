"""BatchNorm: every channel normalised by its statistics over the batch, or by given ones."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.errors import SettingError
from derivable.function import Function
from derivable.function.examples import normal, uniform
from derivable.functions.layers._checks import require_real, require_shape
from derivable.functions.layers._normalisation import normalised_slope, recorded_statistics
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error


class BatchNorm(Function):
    """Normalise every channel by its statistics, then scale and shift it.

    Forward   output = x^ weight + bias with x^ = (x - mean) r             (N, C, *L)
              training: mean = sum(x) / M and r = 1 / sqrt(sum((x - mean)^2) / M + eps) over the
              M = N*L entries x of one channel (divided by M, not by M - 1)
              otherwise: mean = running_mean and r = 1 / sqrt(running_var + eps)
    Backward  sums over the N*L entries of one channel,
              d loss / d weight = sum(grad_output x^)                      (C,)
              d loss / d bias   = sum(grad_output)                         (C,)
              training:
              d loss / d input  = weight r (grad_output - sum(grad_output) / M
                                            - x^ sum(grad_output x^) / M)  (N, C, *L)
              otherwise:
              d loss / d input        = weight r grad_output               (N, C, *L)
              d loss / d running_mean = -weight r sum(grad_output)         (C,)
              d loss / d running_var  = -weight r^2 sum(grad_output x^) / 2    (C,)
    Shapes    input (N, C, *L), the others (C,) or None -> (N, C, *L)
    Kinks     none
    Saves     input, weight, and mean, r (training) or running_mean, running_var (otherwise)
    Raises    ShapeError if there is no channel dimension, a channel has one entry (training), or
              the others do not have one entry per channel; SettingError without training if
              running_mean or running_var are absent, or for complex numbers; NotATensorError
    Source    training: the Jacobian of x^ is derived in normalised_slope of _normalisation.py.
              Otherwise x^ is linear in x and running_mean, and d r / d running_var = -r^3 / 2.

    A Function changes nothing in place: in training, unlike torch.nn.functional.batch_norm, it
    leaves running_mean and running_var as they are, and `momentum` has no effect on the output.
    `new_buffers` returns what they become: running_mean = (1 - momentum) running_mean +
    momentum mean, and so running_var with the variance divided by M - 1, as in PyTorch. A layer
    of a network keeps them.
    """

    buffers = ("running_mean", "running_var")

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        running_mean: Tensor | None = None,
        running_var: Tensor | None = None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:
        _check(input, running_mean, running_var, weight, bias, training)
        sizes = (input.size(0), input.size(1), input.shape[2:].numel())  # (N, C, L)
        ctx.sizes, ctx.training, ctx.eps = sizes, training, eps
        if not training:
            ctx.save_for_backward(input, weight, running_mean, running_var)
            output = _by_given(input.reshape(sizes), running_mean, running_var, weight, bias, eps)
            return output.reshape(input.shape)  # (N, C, *L)
        output, mean, rstd = torch.native_batch_norm(
            input, weight, bias, None, None, True, 0.0, eps
        )  # (N, C, *L), (C,), (C,)
        mean, rstd = _channels(mean), _channels(rstd)  # (1, C, 1)
        mean, rstd = recorded_statistics(mean, rstd, input.reshape(sizes), (0, 2), eps)
        ctx.save_for_backward(input, weight, mean, rstd)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        input, weight, mean, rstd = ctx.saved_tensors  # without training, running_var for rstd
        samples, channels, length = ctx.sizes
        if not ctx.training:
            rstd = (_channels(rstd) + ctx.eps).rsqrt()  # (1, C, 1)
        scale = rstd if weight is None else rstd * _channels(weight)  # (1, C, 1)
        grad = grad_output.reshape(ctx.sizes)  # (N, C, L)
        deviation = input.reshape(ctx.sizes) - _channels(mean)  # (N, C, L)
        grad_sum = grad.sum((0, 2), keepdim=True)  # (1, C, 1)
        product_sum = (grad * deviation).sum((0, 2), keepdim=True)  # (1, C, 1)
        gradients: list[Tensor | None] = [
            (-scale * grad_sum).reshape(channels),  # running_mean
            (scale * rstd.square() * product_sum / -2).reshape(channels),  # running_var
            (rstd * product_sum).reshape(channels),  # weight
            grad_sum.reshape(channels),  # bias
        ]
        if ctx.training:
            count = samples * length  # M
            grad = normalised_slope(grad, deviation, rstd, grad_sum / count, product_sum / count)
            gradients[:2] = None, None  # the running statistics were not used
        wanted = ctx.needs_input_grad[1:5]
        others = (g if wants else None for g, wants in zip(gradients, wanted, strict=True))
        return (grad * scale).reshape(input.shape), *others, None, None, None

    @staticmethod
    def new_buffers(
        input: Tensor,
        running_mean: Tensor | None = None,
        running_var: Tensor | None = None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> dict[str, Tensor]:
        """The running statistics (C,) after a forward in training, of those that are given.

        Empty without training. The arguments are those of forward, which has checked them.
        """
        if not training:
            return {}
        dims = (0, *range(2, input.ndim))
        new = {}
        if running_mean is not None:
            new["running_mean"] = running_mean.lerp(input.mean(dims), momentum)  # (C,)
        if running_var is not None:
            new["running_var"] = running_var.lerp(input.var(dims), momentum)  # (C,)
        return new

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [
            (normal(5, 2, 3), None, None, normal(2), normal(2), True),
            (normal(5, 3), normal(3), uniform(0.5, 2, 3), normal(3), normal(3)),
        ]


def _channels(values: Tensor) -> Tensor:
    """One value per channel, along the middle of (N, C, L)."""
    return values.reshape(1, -1, 1)  # (1, C, 1)


def _by_given(
    input: Tensor,
    mean: Any,  # a tensor, because _check refuses None; its type in forward is Tensor | None
    variance: Any,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> Tensor:
    """The output (N, C, L) by running statistics, from input (N, C, L)."""
    scale = (variance + eps).rsqrt()  # (C,)
    scale = scale if weight is None else scale * weight  # (C,)
    output = (input - _channels(mean)) * _channels(scale)  # (N, C, L)
    return output if bias is None else output + _channels(bias)  # (N, C, L)


def _check(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    training: bool,
) -> None:
    require_tensors("BatchNorm", input=input)
    others = {
        "running_mean": running_mean,
        "running_var": running_var,
        "weight": weight,
        "bias": bias,
    }
    require_real("BatchNorm", input=input, **others)
    if input.ndim < 2:
        raise shape_error(
            "BatchNorm", "input", say("batch_of_channels"), input, say("channel_dimension")
        )
    require_shape("BatchNorm", "entry_per_channel", (input.size(1),), **others)
    if training and input.size(0) * input.shape[2:].numel() == 1:
        raise shape_error(
            "BatchNorm",
            "input",
            say("several_entries"),
            input,
            say("larger_batch"),
        )
    if not training and (running_mean is None or running_var is None):
        raise SettingError(say("running"))
