"""MaxPool2d: the largest entry of each window."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.layers._pooling import read_windows
from derivable.functions.layers._windows import Size


class MaxPool2d(Function):
    """Largest entry of each window of an image, like torch.nn.functional.max_pool2d.

    Forward   output_q = max over x in window q of input_x                      (N, C, H', W')
    Backward  d loss / d input_x = sum over the q whose largest entry is x of grad_output_q
                                                                                (N, C, H, W)
    Shapes    input (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W'); with window h,
              stride s (h if None), dilation d, padding p (never the largest):
              H' = floor((H + 2 p - d (h - 1) - 1) / s) + 1, or ceil in ceil_mode, where the
              windows that would begin after the near padding and the input are dropped
    Kinks     where the largest entry of a window is there twice: value chosen, all of grad_output
              to the first of them, row by row; values allowed, any share of it to each of them
    Saves     the place of each largest entry in its plane, (N, C, H', W'), integers
    Raises    ShapeError if no window fits, SettingError for an option, NotATensorError
    Source    close to an input without ties, each output is one of the entries: the slope is 1
              for that entry and 0 for all others. Windows may overlap, and then the entry that
              leads several of them collects from each, hence the sum. The places are constant
              near the input, so the second derivative in input is 0.
    """

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
    ) -> Tensor:
        kernel, steps, margin, spread = read_windows(
            "MaxPool2d", input, kernel_size, stride, padding, ceil_mode, dilation
        )
        output, places = F.max_pool2d_with_indices(
            input, kernel, steps, margin, spread, ceil_mode
        )  # (N, C, H', W'), twice
        ctx.save_for_backward(places)
        ctx.size = input.shape
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        (places,) = ctx.saved_tensors
        *planes, height, width = ctx.size
        zeros = grad_output.new_zeros([*planes, height * width])  # (N, C, H W)
        windows = [*planes, places.shape[-2] * places.shape[-1]]
        grad_flat = zeros.scatter_add(  # (N, C, H W)
            -1, places.reshape(windows), grad_output.reshape(windows)
        )
        return grad_flat.reshape(ctx.size), None, None, None, None, None  # (N, C, H, W)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(2, 5, 4), 2), (normal(1, 2, 5, 4), (3, 2), (2, 1), 1)]
