"""ReLU6: the positive part, at most 6."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise
from derivable.function.examples import uniform
from derivable.function.kink import Kink
from derivable.functions.elementwise.hardtanh import Hardtanh


class ReLU6(Elementwise):
    """Positive part of every entry, at most 6.

    Forward   output = min(max(input, 0), 6)                                    (...)
    Backward  d loss / d input = grad_output where 0 < input < 6, else 0        (...)
    Shapes    input (...) -> (...)
    Kinks     input = 0 and input = 6: value chosen 0, values allowed 0 to 1
    Saves     input
    Raises    NotATensorError
    Source    Hardtanh with the bounds 0 and 6
    """

    kinks = (Kink(0.0, chosen=0.0, lowest=0.0, highest=1.0), Kink(6.0, 0.0, 0.0, 1.0))

    @staticmethod
    def function(input: Tensor) -> Tensor:
        return torch.nn.functional.relu6(input)  # (...)

    @staticmethod
    def slope(input: Tensor) -> Tensor:
        return Hardtanh.slope(input, 0.0, 6.0)  # (...)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(uniform(-4, 10, 4, 3),)]
