"""Conv1d: a kernel moved along sequences."""

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


class Conv1d(Function):
    """Weighted sum over a window, moved along one axis, like torch.nn.functional.conv1d.

    With stride s, dilation d, padding p (zeros outside of the input), the kernel's entry t sees
    the input at s y + d t - p from the output's place y:

    Forward   output_nky = bias_k + sum_ct weight_kct input_nc(s y + d t - p)      (N, K, L')
    Backward  d loss / d input_ncx   = sum over k and all (y, t) with s y + d t - p = x of
                                       weight_kct grad_output_nky                  (N, C, L)
              d loss / d weight_kct  = sum_ny input_nc(s y + d t - p) grad_output_nky
                                                                                   (K, C/G, l)
              d loss / d bias_k      = sum_ny grad_output_nky                      (K,)
              nothing is averaged; complex weight and input enter the backward conjugated
    Shapes    input (N, C, L) or (C, L), weight (K, C/G, l), bias (K,) or None
              -> (N, K, L') or (K, L'), with L' = floor((L + 2 p - d (l - 1) - 1) / s) + 1
              padding 'valid' is 0, 'same' keeps the length, with the odd zero at the end; in G
              groups, the k of a group sum over the c of that group only
    Kinks     none
    Saves     input, weight
    Raises    ShapeError if the shapes do not fit, SettingError for an option, NotATensorError
    Source    output is linear in each argument, so each gradient is grad_output times the factor
              next to that argument, summed over what the argument does not index. The sum for
              the input is the transposed convolution; that for the weight is a convolution of
              the input with grad_output, stride d and dilation s; see Conv2d.
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
        ctx.how = read_geometry("Conv1d", 1, input, weight, bias, stride, padding, dilation, groups)
        ctx.save_for_backward(input, weight)
        return convolve(input, weight, bias, ctx.how)  # (N, K, L')

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        input, weight = ctx.saved_tensors
        grad_input = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_input = gradient_of_input(grad_output, weight, input.shape, ctx.how)  # (N, C, L)
        if ctx.needs_input_grad[1]:
            grad_weight = gradient_of_weight(grad_output, input, weight, ctx.how)  # (K, C/G, l)
        if ctx.needs_input_grad[2]:
            grad_bias = gradient_of_bias(grad_output, ctx.how)  # (K,)
        return grad_input, grad_weight, grad_bias, None, None, None, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [
            (normal(2, 3, 7), normal(5, 3, 2), normal(5), 2, 1),
            (normal(2, 4, 7), normal(6, 2, 3), None, 1, "same", 2, 2),
        ]
