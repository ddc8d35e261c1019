"""Cos: the cosine."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise


class Cos(Elementwise):
    """Cosine of every entry, real or complex.

    Forward   output = cos(input)                                       (...)
    Backward  d loss / d input = -conj(sin(input)) grad_output          (...)
    Shapes    input (...) -> (...)
    Kinks     none
    Saves     input
    Raises    NotATensorError
    Source    cos(x + h) = cos x cos h - sin x sin h, with
              cos h = 1 + O(h^2) and sin h = h + O(h^3)
    """

    @staticmethod
    def function(input: Tensor) -> Tensor:
        return torch.cos(input)  # (...)

    @staticmethod
    def slope(input: Tensor) -> Tensor:
        return -torch.sin(input)  # (...)
