"""SiLU: the sigmoid linear unit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise
from derivable.function.kernel import Kernel, exp, like
from derivable.functions.elementwise._real import require_real


def _value(x: Any) -> Any:
    return x / (like(x, 1) + exp(-x))


def _slope(x: Any, output: Any) -> Any:
    s = like(x, 1) / (like(x, 1) + exp(-x))
    return s + output * (like(x, 1) - s)


def _curvature(x: Any, output: Any) -> Any:
    s = like(x, 1) / (like(x, 1) + exp(-x))
    return s * (like(x, 1) - s) * (like(x, 2) + x * (like(x, 1) - s - s))


class SiLU(Elementwise):
    """Every entry times its logistic function (also called swish).

    Forward   output = input s(input), with s the sigmoid                       (...)
    Backward  d loss / d input = s (1 + input (1 - s)) grad_output              (...)
    Shapes    input (...) -> (...)
    Kinks     none
    Saves     input
    Raises    SettingError if input is complex, NotATensorError
    Source    the product rule: s + input s', and s' = s (1 - s)
    """

    kernel = Kernel(_value, _slope, _curvature)

    @staticmethod
    def function(input: Tensor) -> Tensor:
        require_real("SiLU", input)
        return torch.nn.functional.silu(input)  # (...)

    @staticmethod
    def slope(input: Tensor) -> Tensor:
        # Beyond 800 the slope is 0 or 1 in every dtype, and infinity times 0 would be NaN.
        x = input.clamp(-800, 800)  # (...)
        s = torch.sigmoid(x)  # (...)
        return s * (1 + x * (1 - s))  # (...)
