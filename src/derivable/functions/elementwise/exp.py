"""Exp: the exponential function."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise


class Exp(Elementwise):
    """Exponential of every entry, real or complex.

    Forward   output = exp(input)                                       (...)
    Backward  d loss / d input = conj(output) grad_output               (...)
    Shapes    input (...) -> (...)
    Kinks     none
    Saves     output
    Raises    NotATensorError
    Source    the series sum_k input^k / k!, differentiated term by term, is itself
    """

    @staticmethod
    def function(input: Tensor) -> Tensor:
        return torch.exp(input)  # (...)

    @staticmethod
    def slope(output: Tensor) -> Tensor:
        return output  # (...)
