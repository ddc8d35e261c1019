"""Conv2d: a kernel moved over images."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.layers._convolution import (
    convolve,
    gradient_of_bias,
    gradient_of_input,
    gradient_of_weight,
    read_geometry,
)
from derivable.functions.layers._windows import Size


class Conv2d(Function):
    """Weighted sum over a window, moved over two axes of space, like torch.nn.functional.conv2d.

    Written for one axis, x = s y + d t - p being the place that the kernel's entry t sees from
    the output's place y, with stride s, dilation d, padding p (zeros outside of the input):

    Forward   output_nky = bias_k + sum_ct weight_kct input_nc(s y + d t - p)      (N, K, H', W')
    Backward  d loss / d input_ncx   = sum over k and all (y, t) with s y + d t - p = x of
                                       weight_kct grad_output_nky                  (N, C, H, W)
              d loss / d weight_kct  = sum_ny input_nc(s y + d t - p) grad_output_nky
                                                                                   (K, C/G, h, w)
              d loss / d bias_k      = sum_ny grad_output_nky                      (K,)
              nothing is averaged; complex weight and input enter the backward conjugated
    Shapes    input (N, C, H, W) or (C, H, W), weight (K, C/G, h, w), bias (K,) or None
              -> (N, K, H', W') or (K, H', W'), with H' = floor((H + 2 p - d (h - 1) - 1) / s) + 1
              stride, padding, dilation: an int or one for each axis; padding 'valid' is 0, 'same'
              keeps the size, with the odd zero at the end; in G groups, the k of a group sum over
              the c of that group only
    Kinks     none
    Saves     input, weight
    Raises    ShapeError if the shapes do not fit, SettingError for an option, NotATensorError
    Source    output is linear in each argument, so each gradient is grad_output times the factor
              next to that argument, summed over what the argument does not index. For the input
              this spreads grad_output over the windows: the transposed convolution. It ends
              where the last window ends, so the (H + 2 p - d (h - 1) - 1) mod s entries after
              that, which no window sees, are appended as zeros (output_padding). For the weight,
              read d t + s y - p as a convolution in which t is the place and y the entry of the
              kernel: grad_output is the kernel, n is what is summed over like a channel, the
              stride is d and the dilation s.
    """

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
    ) -> Tensor:
        ctx.how = read_geometry("Conv2d", 2, input, weight, bias, stride, padding, dilation, groups)
        ctx.save_for_backward(input, weight)
        return convolve(input, weight, bias, ctx.how)  # (N, K, H', W')

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        input, weight = ctx.saved_tensors
        grad_input = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_input = gradient_of_input(
                grad_output, weight, input.shape, ctx.how
            )  # (N, C, H, W)
        if ctx.needs_input_grad[1]:
            grad_weight = gradient_of_weight(grad_output, input, weight, ctx.how)  # (K, C/G, h, w)
        if ctx.needs_input_grad[2]:
            grad_bias = gradient_of_bias(grad_output, ctx.how)  # (K,)
        return grad_input, grad_weight, grad_bias, None, None, None, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [
            (normal(2, 3, 3, 5), normal(2, 3, 2, 3), normal(2), (2, 1), 1),
            (normal(4, 5, 3), normal(6, 2, 2, 3), None, 1, "same", (2, 1), 2),
        ]
