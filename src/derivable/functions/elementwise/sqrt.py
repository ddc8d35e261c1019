"""Sqrt: the square root."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise
from derivable.function.examples import uniform


class Sqrt(Elementwise):
    """Square root of every entry, real or complex.

    Forward   output = sqrt(input)                                      (...)
    Backward  d loss / d input = grad_output / (2 conj(output))         (...)
    Shapes    input (...) -> (...)
    Kinks     none
    Saves     output
    Raises    NotATensorError
    Source    output^2 = input, differentiated on both sides, is 2 output output' = 1; at 0 the
              slope is infinite
    """

    @staticmethod
    def function(input: Tensor) -> Tensor:
        return torch.sqrt(input)  # (...)

    @staticmethod
    def slope(output: Tensor) -> Tensor:
        return 0.5 / output  # (...)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(uniform(0.5, 2, 4, 3),)]
