"""AvgPool2d: the mean of each window."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from derivable.errors import SettingError
from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.layers._convolution import Geometry, gradient_of_input
from derivable.functions.layers._pooling import Windows, read_windows
from derivable.functions.layers._windows import Size
from derivable.functions.messages import say


class AvgPool2d(Function):
    """Mean of each window of an image, like torch.nn.functional.avg_pool2d.

    Forward   output_q = sum over x in window q of input_x / M_q                (N, C, H', W')
    Backward  d loss / d input_x = sum over the windows q that hold x of grad_output_q / M_q
                                                                                (N, C, H, W)
              M_q is divisor_override if given; else the entries of the window that lie in the
              input, and with count_include_pad also those in the padding, but never what
              ceil_mode lets stick out beyond it
    Shapes    input (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W'); with window h,
              stride s (h if None), padding p: H' = floor((H + 2 p - h) / s) + 1, or ceil in
              ceil_mode, where the windows that would begin after the near padding and the input
              are dropped
    Kinks     none
    Saves     nothing
    Raises    ShapeError if no window fits, SettingError for an option, NotATensorError
    Source    linear in the input, with 1 / M_q for each entry x of window q: the transpose is
              the sum over q. It is the transposed convolution of grad_output / M, one channel
              at a time, with a kernel of ones; cut, or filled with zeros, to H and W.
    """

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Tensor:
        ctx.windows = read_windows("AvgPool2d", input, kernel_size, stride, padding, ceil_mode)
        _check_divisor(divisor_override)
        ctx.size = input.shape
        kernel, steps, margin, _ = ctx.windows
        ctx.count_include_pad, ctx.divisor = count_include_pad, divisor_override
        if divisor_override is None and not ceil_mode and (count_include_pad or not any(margin)):
            ctx.divisor = math.prod(kernel)  # all windows are whole
        return F.avg_pool2d(  # (N, C, H', W')
            input, kernel, steps, margin, ceil_mode, count_include_pad, divisor_override
        )

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        kernel, steps, margin, _ = ctx.windows
        channels = ctx.size[-3]
        entries = ctx.divisor or _entries(grad_output, ctx.windows, ctx.size, ctx.count_include_pad)
        ones = grad_output.new_ones([1, 1, *kernel]).expand(channels, 1, *kernel)  # (C, 1, h, w)
        how = Geometry(steps, margin, (0, 0), (1, 1), channels)
        grad_input = gradient_of_input(grad_output / entries, ones, ctx.size, how)  # (N, C, H, W)
        return grad_input, None, None, None, None, None, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(2, 5, 4), 2), (normal(1, 2, 5, 4), 3, 2, 1, True, False)]


def _entries(like: Tensor, windows: Windows, size: torch.Size, count_include_pad: bool) -> Tensor:
    """By how many entries each window divides."""
    counts = []
    for axis, (k, s, p, _) in enumerate(zip(*windows, strict=True)):
        x = size[axis - 2]
        start = torch.arange(like.shape[axis - 2], device=like.device) * s - p  # (H',) or (W',)
        end = (start + k).clamp(max=x + p)  # (H',) or (W',)
        if not count_include_pad:
            start, end = start.clamp(min=0), end.clamp(max=x)  # (H',) or (W',)
        counts.append((end - start).to(like.dtype))
    return counts[0].unsqueeze(-1) * counts[1]  # (H', W')


def _check_divisor(divisor_override: int | None) -> None:
    if divisor_override == 0:
        raise SettingError(say("divisor"))
