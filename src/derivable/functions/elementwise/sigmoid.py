"""Sigmoid: the logistic function."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise


class Sigmoid(Elementwise):
    """Logistic function of every entry, real or complex.

    Forward   output = 1 / (1 + exp(-input))                            (...)
    Backward  d loss / d input = conj(output (1 - output)) grad_output  (...)
    Shapes    input (...) -> (...)
    Kinks     none
    Saves     output
    Raises    NotATensorError
    Source    with u = exp(-input), output = 1 / (1 + u), so the slope is u / (1 + u)^2, and
              u / (1 + u) = 1 - output
    """

    @staticmethod
    def function(input: Tensor) -> Tensor:
        return torch.sigmoid(input)  # (...)

    @staticmethod
    def slope(output: Tensor) -> Tensor:
        return output * (1 - output)  # (...)
