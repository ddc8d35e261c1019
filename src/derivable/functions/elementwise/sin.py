"""Sin: the sine."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise


class Sin(Elementwise):
    """Sine of every entry, real or complex.

    Forward   output = sin(input)                                       (...)
    Backward  d loss / d input = conj(cos(input)) grad_output           (...)
    Shapes    input (...) -> (...)
    Kinks     none
    Saves     input
    Raises    NotATensorError
    Source    sin(x + h) = sin x cos h + cos x sin h, with
              cos h = 1 + O(h^2) and sin h = h + O(h^3)
    """

    @staticmethod
    def function(input: Tensor) -> Tensor:
        return torch.sin(input)  # (...)

    @staticmethod
    def slope(input: Tensor) -> Tensor:
        return torch.cos(input)  # (...)
