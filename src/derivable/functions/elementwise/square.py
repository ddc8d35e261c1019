"""Square: the second power."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise


class Square(Elementwise):
    """Second power of every entry, real or complex.

    Forward   output = input^2                                          (...)
    Backward  d loss / d input = 2 conj(input) grad_output              (...)
    Shapes    input (...) -> (...)
    Kinks     none
    Saves     input
    Raises    NotATensorError
    Source    ((input + h)^2 - input^2) / h = 2 input + h, which goes to 2 input with h
    """

    @staticmethod
    def function(input: Tensor) -> Tensor:
        return torch.square(input)  # (...)

    @staticmethod
    def slope(input: Tensor) -> Tensor:
        return 2 * input  # (...)
