"""Hardtanh: the identity between two bounds."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.errors import SettingError
from derivable.function.elementwise import Elementwise
from derivable.function.kink import Kink
from derivable.functions.messages import say


class Hardtanh(Elementwise):
    """Every entry, held between min_val and max_val.

    Forward   output = min(max(input, min_val), max_val)                        (...)
    Backward  d loss / d input = grad_output where min_val < input < max_val,
              else 0                                                            (...)
    Shapes    input (...) -> (...)
    Kinks     input = min_val and input = max_val: value chosen 0, values allowed 0 to 1
    Saves     input
    Raises    SettingError if min_val > max_val, NotATensorError
    Source    the identity inside, a constant outside; on the bounds themselves the constant's
              slope is taken, as in torch.nn.functional.hardtanh
    """

    kinks = (Kink(-1.0, chosen=0.0, lowest=0.0, highest=1.0), Kink(1.0, 0.0, 0.0, 1.0))

    @staticmethod
    def function(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
        if min_val > max_val:
            raise SettingError(say("min_max", low=min_val, high=max_val))
        return torch.nn.functional.hardtanh(input, min_val, max_val)  # (...)

    @staticmethod
    def slope(input: Tensor, min_val: float, max_val: float) -> Tensor:
        outside = (input <= min_val) | (input >= max_val)  # (...)
        return torch.where(outside, 0.0, torch.ones_like(input))  # (...)
