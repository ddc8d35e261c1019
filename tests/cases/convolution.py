"""Cases of convolution and pooling."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from derivable.functions.layers.avg_pool2d import AvgPool2d
from derivable.functions.layers.conv1d import Conv1d
from derivable.functions.layers.conv2d import Conv2d
from derivable.functions.layers.max_pool2d import MaxPool2d
from tests.cases.case import Case, Make


def _conv(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> list[Any]:
    """All inputs of a convolution."""
    return [input, weight, bias, stride, padding, dilation, groups]


def _max(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> list[Any]:
    """All inputs of MaxPool2d."""
    return [input, kernel_size, stride, padding, dilation, ceil_mode]


def _avg(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> list[Any]:
    """All inputs of AvgPool2d."""
    options = [ceil_mode, count_include_pad, divisor_override]
    return [input, kernel_size, stride, padding, *options]


def _complex(make: Make, *shape: int) -> Tensor:
    return make(*shape) + 1j * make(*shape)


CONVOLUTION = [
    Case(
        Conv1d,
        lambda make: _conv(make(2, 3, 7), make(5, 3, 2), make(5), stride=2, padding=1),
        F.conv1d,
    ),
    Case(Conv1d, lambda make: _conv(make(2, 3, 7), make(5, 3, 2)), F.conv1d, "no-bias"),
    Case(Conv1d, lambda make: _conv(make(3, 7), make(5, 3, 2), make(5)), F.conv1d, "unbatched"),
    Case(Conv1d, lambda make: _conv(make(0, 3, 7), make(5, 3, 2), make(5)), F.conv1d, "empty"),
    Case(Conv1d, lambda make: _conv(make(1, 1, 1), make(1, 1, 1), make(1)), F.conv1d, "size-1"),
    Case(
        Conv1d,
        lambda make: _conv(make(2, 3, 11), make(5, 3, 3), make(5), 3, padding=2, dilation=2),
        F.conv1d,
        "dilation",
    ),
    Case(
        Conv1d,
        lambda make: _conv(make(2, 3, 7), make(5, 3, 3), make(5), padding="same", dilation=2),
        F.conv1d,
        "same",
    ),
    Case(
        Conv1d,
        lambda make: _conv(make(2, 3, 7), make(5, 3, 2), make(5), (1,), "valid", (3,)),
        F.conv1d,
        "valid",
    ),
    Case(
        Conv1d,
        lambda make: _conv(make(2, 6, 7), make(9, 2, 2), make(9), 2, padding=1, groups=3),
        F.conv1d,
        "groups",
    ),
    Case(
        Conv1d,
        lambda make: _conv(_complex(make, 2, 3, 7), _complex(make, 5, 3, 2), _complex(make, 5), 2),
        F.conv1d,
        "complex",
    ),
    Case(
        Conv2d,
        lambda make: _conv(make(2, 3, 3, 5), make(2, 3, 2, 3), make(2), stride=(2, 1), padding=1),
        F.conv2d,
    ),
    Case(Conv2d, lambda make: _conv(make(2, 3, 5, 7), make(5, 3, 2, 3)), F.conv2d, "no-bias"),
    Case(
        Conv2d,
        lambda make: _conv(make(3, 5, 7), make(5, 3, 2, 3), make(5)),
        F.conv2d,
        "unbatched",
    ),
    Case(
        Conv2d,
        lambda make: _conv(make(0, 3, 5, 7), make(5, 3, 2, 3), make(5)),
        F.conv2d,
        "empty",
    ),
    Case(
        Conv2d,
        lambda make: _conv(make(1, 1, 1, 1), make(1, 1, 1, 1), make(1)),
        F.conv2d,
        "size-1",
    ),
    Case(
        Conv2d,
        lambda make: _conv(make(2, 3, 11, 7), make(5, 3, 3, 2), make(5), (3, 2), (2, 1), (2, 3)),
        F.conv2d,
        "dilation",
    ),
    Case(
        Conv2d,
        lambda make: _conv(make(2, 3, 5, 7), make(5, 3, 3, 5), make(5), padding="same"),
        F.conv2d,
        "same",
    ),
    Case(
        Conv2d,
        lambda make: _conv(make(2, 3, 5, 7), make(5, 3, 2, 3), make(5), 2, padding="valid"),
        F.conv2d,
        "valid",
    ),
    Case(
        Conv2d,
        lambda make: _conv(make(2, 6, 5, 7), make(9, 2, 2, 3), make(9), 2, padding=1, groups=3),
        F.conv2d,
        "groups",
    ),
    Case(
        Conv2d,
        lambda make: _conv(make(2, 3, 5, 7), make(6, 1, 2, 3), make(6), (1, 2), 1, (2, 1), 3),
        F.conv2d,
        "depthwise",
    ),
    Case(
        Conv2d,
        lambda make: _conv(
            _complex(make, 2, 6, 5, 3), _complex(make, 4, 3, 2, 2), _complex(make, 4), 2, groups=2
        ),
        F.conv2d,
        "complex",
    ),
    Case(
        Conv2d,
        lambda make: _conv(_complex(make, 2, 3, 5, 3), _complex(make, 3, 1, 2, 2), groups=3),
        F.conv2d,
        "complex-depthwise",
    ),
    Case(
        MaxPool2d,
        lambda make: _max(make.distinct(2, 3, 5, 3), (3, 2), stride=(2, 1), padding=1),
        F.max_pool2d,
    ),
    Case(MaxPool2d, lambda make: _max(make.distinct(2, 3, 5, 7), 2), F.max_pool2d, "plain"),
    Case(MaxPool2d, lambda make: _max(make.distinct(3, 5, 7), 2), F.max_pool2d, "unbatched"),
    Case(MaxPool2d, lambda make: _max(make(0, 3, 5, 7), 2), F.max_pool2d, "empty"),
    Case(MaxPool2d, lambda make: _max(make(1, 1, 1, 1), 1), F.max_pool2d, "size-1"),
    Case(
        MaxPool2d,
        lambda make: _max(make.distinct(2, 3, 7, 11), (2, 3), (1, 3), (0, 1), dilation=(3, 2)),
        F.max_pool2d,
        "dilation",
    ),
    Case(
        MaxPool2d,
        lambda make: _max(make.distinct(2, 3, 5, 7), (2, 3), (3, 2), (1, 0), ceil_mode=True),
        F.max_pool2d,
        "ceil",
    ),
    Case(
        AvgPool2d,
        lambda make: _avg(make(2, 3, 5, 3), (3, 2), stride=(2, 1), padding=1),
        F.avg_pool2d,
    ),
    Case(AvgPool2d, lambda make: _avg(make(2, 3, 5, 7), 2), F.avg_pool2d, "plain"),
    Case(AvgPool2d, lambda make: _avg(make(3, 5, 7), 2), F.avg_pool2d, "unbatched"),
    Case(AvgPool2d, lambda make: _avg(make(0, 3, 5, 7), 2), F.avg_pool2d, "empty"),
    Case(AvgPool2d, lambda make: _avg(make(1, 1, 1, 1), 1), F.avg_pool2d, "size-1"),
    Case(
        AvgPool2d,
        lambda make: _avg(make(2, 3, 5, 7), (2, 3), (3, 2), (1, 0), ceil_mode=True),
        F.avg_pool2d,
        "ceil",
    ),
    Case(
        AvgPool2d,
        lambda make: _avg(make(2, 3, 5, 7), 3, 2, 1, ceil_mode=True, count_include_pad=False),
        F.avg_pool2d,
        "without-padding",
    ),
    Case(
        AvgPool2d,
        lambda make: _avg(make(2, 3, 5, 7), 3, 2, 1, divisor_override=-5),
        F.avg_pool2d,
        "divisor",
    ),
]
