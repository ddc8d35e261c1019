"""Convolution over any number of axes of space, and its two transposes.

Written as (N, C, X) are the batch, the channels and all axes of space together.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from derivable.errors import SettingError
from derivable.functions.layers._windows import Size, per_axis
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error

_CONVOLVE: dict[int, Any] = {1: F.conv1d, 2: F.conv2d}
_TRANSPOSED: dict[int, Any] = {1: F.conv_transpose1d, 2: F.conv_transpose2d}


class Geometry(NamedTuple):
    """How the kernel moves: one number per axis of space, and the groups of channels."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]  # zeros on both sides
    trailing: tuple[int, ...]  # zeros after those on the far side: an uneven padding="same"
    dilation: tuple[int, ...]
    groups: int

    @property
    def axes(self) -> int:
        """The number of axes of space."""
        return len(self.stride)


def read_geometry(
    function: str,
    axes: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Size,
    padding: Size | str,
    dilation: Size,
    groups: int,
) -> Geometry:
    """The options as numbers per axis; refuses what does not fit together."""
    _check_channels(function, axes, input, weight, bias, groups)
    strides = per_axis(function, "stride", stride, axes, lowest=1)
    dilations = per_axis(function, "dilation", dilation, axes, lowest=1)
    reach = [d * (k - 1) for d, k in zip(dilations, weight.shape[2:], strict=True)]
    trailing = (0,) * axes
    if not isinstance(padding, str):
        paddings = per_axis(function, "padding", padding, axes, lowest=0)
    elif padding == "valid":
        paddings = (0,) * axes
    elif padding != "same":
        raise SettingError(say("padding", function=function, got=padding))
    elif any(s != 1 for s in strides):
        raise SettingError(say("padding_same", function=function, got=stride))
    else:
        paddings = tuple(r // 2 for r in reach)
        trailing = tuple(r % 2 for r in reach)
    geometry = Geometry(strides, paddings, trailing, dilations, groups)
    _check_space(function, input, reach, geometry)
    return geometry


def convolve(input: Tensor, weight: Tensor, bias: Tensor | None, how: Geometry) -> Tensor:
    """The convolution itself."""
    padded = _pad_trailing(input, how)  # (N, C, X)
    output: Tensor = _CONVOLVE[how.axes](
        padded, weight, bias, how.stride, how.padding, how.dilation, how.groups
    )  # (N, K, Y)
    return output


def gradient_of_input(
    grad_output: Tensor, weight: Tensor, size: torch.Size, how: Geometry
) -> Tensor:
    """Each entry of `grad_output` spread back over its window: the transposed convolution.

    `size` is that of the input.
    """
    grad_output = _batched(grad_output, how)  # (N, K, Y)
    space = size[-how.axes :]
    reached = [
        s * (y - 1) + d * (k - 1) + 1 - 2 * p
        for s, y, d, k, p in zip(
            how.stride, grad_output.shape[2:], how.dilation, weight.shape[2:], how.padding,
            strict=True,
        )
    ]  # fmt: skip
    # A stride may step over the last entries of the input, which no window has seen.
    unseen = [max(0, x - r) for x, r in zip(space, reached, strict=True)]
    grad_input = _TRANSPOSED[how.axes](
        grad_output, weight.conj(), None, how.stride, how.padding, unseen, how.groups, how.dilation
    )  # (N, C, X), or more where windows reach beyond the padding
    return _crop(grad_input, space).reshape(size)  # (N, C, X)


def gradient_of_weight(grad_output: Tensor, input: Tensor, weight: Tensor, how: Geometry) -> Tensor:
    """The input correlated with `grad_output`: a convolution, stride and dilation exchanged."""
    input, grad_output = _batched(input, how).conj(), _batched(grad_output, how)
    n, k, c, g = input.size(0), *weight.shape[:2], how.groups
    if n == 0 or weight[0, 0].numel() == 1:
        # PyTorch cannot convolve over no batch, and is slow where the result is one entry.
        return _correlate(grad_output, input, weight, how)
    padded = _pad_trailing(input, how)  # (N, C, X)
    size, space = padded.shape[2:], grad_output.shape[2:]
    by_group = padded.reshape(n, g, c, *size).transpose(0, 2)  # (c, G, N, X)
    # The kernel is grad_output; the sum over the batch, which makes an entry of the result, takes
    # the place of the sum over the channels. With one channel per group, PyTorch is faster if each
    # entry of the batch has groups of its own, to be summed at the end.
    apart = n if c == 1 and g > 1 else 1
    if apart > 1:
        by_group = by_group.transpose(1, 2)  # (c, N, G, X)
        kernels = grad_output.reshape(n * k, 1, *space)  # (N K, 1, Y)
    else:
        kernels = grad_output.transpose(0, 1)  # (K, N, Y)
    shifted = _CONVOLVE[how.axes](
        by_group.reshape(c, n * g, *size),
        kernels,
        None,
        how.dilation,
        how.padding,
        how.stride,
        g * apart,
    )  # (c, K or N K, kernel or more)
    found = _crop(shifted, weight.shape[2:])  # (c, K or N K, kernel)
    return found.reshape(c, apart, k, *weight.shape[2:]).sum(1).transpose(0, 1)  # (K, c, kernel)


def gradient_of_bias(grad_output: Tensor, how: Geometry) -> Tensor:
    """The sum over the batch and over space: the bias is added everywhere."""
    return _batched(grad_output, how).sum([0, *range(2, how.axes + 2)])  # (K,)


def _correlate(grad_output: Tensor, input: Tensor, weight: Tensor, how: Geometry) -> Tensor:
    """`gradient_of_weight` with one matrix product for each position of the kernel."""
    n, g = input.size(0), how.groups
    k, c, *kernel = weight.shape
    space = grad_output.shape[2:]
    padded = _pad_trailing(F.pad(input, _for_pad(how.padding, how.padding)), how)  # (N, C, X)
    rows = grad_output.reshape(n, g, k // g, space.numel())  # (N, G, K/G, Y)
    taps = []
    for position in itertools.product(*map(range, kernel)):
        seen = padded  # by this entry of the kernel, as it moves
        for axis, (at, y) in enumerate(zip(position, space, strict=True)):
            start, step = at * how.dilation[axis], how.stride[axis]
            seen = seen[(slice(None),) * (2 + axis) + (slice(start, start + step * y, step),)]
        columns = seen.reshape(n, g, c, space.numel()).transpose(2, 3)  # (N, G, Y, c)
        taps.append((rows @ columns).sum(0))  # (G, K/G, c)
    return torch.stack(taps, -1).reshape(weight.shape)  # (K, c, kernel)


def _batched(tensor: Tensor, how: Geometry) -> Tensor:
    """`tensor` with a batch dimension, of one if it had none."""
    return tensor if tensor.ndim == how.axes + 2 else tensor.unsqueeze(0)


def _pad_trailing(input: Tensor, how: Geometry) -> Tensor:
    if not any(how.trailing):
        return input
    return F.pad(input, _for_pad((0,) * how.axes, how.trailing))


def _for_pad(before: tuple[int, ...], after: tuple[int, ...]) -> list[int]:
    """In the order of `F.pad`: the last axis first."""
    return [n for pair in zip(before[::-1], after[::-1], strict=True) for n in pair]


def _crop(tensor: Tensor, size: Sequence[int]) -> Tensor:
    """The first entries along the axes of space."""
    for axis, n in enumerate(size):
        tensor = tensor.narrow(axis + 2, 0, n)
    return tensor


def _check_channels(
    function: str, axes: int, input: Tensor, weight: Tensor, bias: Tensor | None, groups: int
) -> None:
    require_tensors(function, input=input, weight=weight)
    space = ", ".join(["H", "W"][-axes:]) if axes > 1 else "L"
    if weight.ndim != axes + 2 or 0 in weight.shape:
        raise shape_error(
            function, "weight", say("kernel_dimensions", count=axes + 2), weight,
            say("kernel_layout", space=space),
        )  # fmt: skip
    if input.ndim not in {axes + 1, axes + 2}:
        raise shape_error(
            function, "input", say("channels_first", space=space), input,
            say("unsqueeze"),
        )  # fmt: skip
    if not isinstance(groups, int) or groups < 1 or weight.size(0) % groups:
        raise SettingError(say("groups", function=function, channels=weight.size(0), got=groups))
    channels = weight.size(1) * groups
    if input.size(-axes - 1) != channels:
        raise shape_error(
            function, "input",
            say("channels_to_meet", channels=channels, shape=tuple(weight.shape), groups=groups),
            input, say("channel_dimension_is", dim=-axes - 1),
        )  # fmt: skip
    if bias is None:
        return
    require_tensors(function, bias=bias)
    if bias.shape != weight.shape[:1]:
        raise shape_error(
            function, "bias", say("vector_of", size=weight.size(0)), bias, say("per_channel")
        )


def _check_space(function: str, input: Tensor, reach: Sequence[int], how: Geometry) -> None:
    space = input.shape[-how.axes :]
    extents = zip(space, how.padding, how.trailing, reach, strict=True)
    if any(x == 0 or x + 2 * p + t <= r for x, p, t, r in extents):
        spans = tuple(r + 1 for r in reach)
        raise shape_error(
            function, "input", say("space_for_kernel", spans=spans),
            input, say("more_padding", padding=how.padding),
        )  # fmt: skip
