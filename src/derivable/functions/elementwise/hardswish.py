"""Hardswish: SiLU made of straight pieces."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise
from derivable.function.examples import uniform
from derivable.function.kink import Kink


class Hardswish(Elementwise):
    """Every entry times a ramp that rises from 0 at -3 to 1 at 3.

    Forward   output = input min(max(input + 3, 0), 6) / 6                      (...)
    Backward  d loss / d input = 0 where input <= -3,
              (input / 3 + 1/2) grad_output where -3 < input < 3,
              grad_output where input >= 3                                      (...)
    Shapes    input (...) -> (...)
    Kinks     input = -3: value chosen 0, values allowed -1/2 to 0;
              input = 3: value chosen 1, values allowed 1 to 3/2
    Saves     input
    Raises    NotATensorError
    Source    between the ends output = (input^2 + 3 input) / 6, of slope (2 input + 3) / 6; at
              the ends the outer side is taken, as in torch.nn.functional.hardswish
    """

    kinks = (Kink(-3.0, chosen=0.0, lowest=-0.5, highest=0.0), Kink(3.0, 1.0, 1.0, 1.5))

    @staticmethod
    def function(input: Tensor) -> Tensor:
        return torch.nn.functional.hardswish(input)  # (...)

    @staticmethod
    def slope(input: Tensor) -> Tensor:
        right = torch.where(input < 3, input / 3 + 0.5, 1.0)  # (...)
        return torch.where(input <= -3, 0.0, right)  # (...)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(uniform(-5, 5, 4, 3),)]
