"""SiLU: the sigmoid linear unit."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise
from derivable.functions.elementwise._real import require_real


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
