"""The windows of pooling: what their options mean, and what does not fit."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from derivable.errors import SettingError
from derivable.functions.layers._windows import Size, per_axis
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error


class Windows(NamedTuple):
    """How windows lie over an image: one number for each of height and width."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]


def read_windows(
    function: str,
    input: Tensor,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    ceil_mode: bool,
    dilation: Size = 1,
) -> Windows:
    """The options as numbers per axis; refuses what does not fit the input."""
    require_tensors(function, input=input)
    if input.ndim not in {3, 4} or 0 in input.shape[-3:]:
        raise shape_error(
            function, "input", say("images"), input,
            say("unsqueeze"),
        )  # fmt: skip
    kernel = per_axis(function, "kernel_size", kernel_size, 2, lowest=1)
    stride = kernel if stride is None or stride == () else stride
    windows = Windows(
        kernel,
        per_axis(function, "stride", stride, 2, lowest=1),
        per_axis(function, "padding", padding, 2, lowest=0),
        per_axis(function, "dilation", dilation, 2, lowest=1),
    )
    spans = [d * (k - 1) + 1 for d, k in zip(windows.dilation, kernel, strict=True)]
    if any(2 * p > span for p, span in zip(windows.padding, spans, strict=True)):
        raise SettingError(say("half_window", function=function, spans=tuple(spans), got=padding))
    for x, s, p, span in zip(input.shape[-2:], windows.stride, windows.padding, spans, strict=True):
        if x + 2 * p + (s - 1 if ceil_mode else 0) < span:
            raise shape_error(
                function, "input", say("space_for_window", spans=tuple(spans)), input,
                say("smaller_window", padding=windows.padding),
            )  # fmt: skip
    return windows
