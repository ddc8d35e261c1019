"""Log: the natural logarithm."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise
from derivable.function.examples import uniform


class Log(Elementwise):
    """Natural logarithm of every entry, real or complex.

    Forward   output = log(input)                                       (...)
    Backward  d loss / d input = grad_output / conj(input)              (...)
    Shapes    input (...) -> (...)
    Kinks     none
    Saves     input
    Raises    NotATensorError
    Source    log undoes exp: exp(output) = input, differentiated on both sides, is
              exp(output) output' = 1, so output' = 1 / input; at 0 the slope is infinite
    """

    @staticmethod
    def function(input: Tensor) -> Tensor:
        return torch.log(input)  # (...)

    @staticmethod
    def slope(input: Tensor) -> Tensor:
        return input.reciprocal()  # (...)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(uniform(0.5, 2, 4, 3),)]
