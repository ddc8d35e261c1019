"""ELU: the exponential linear unit."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise


class ELU(Elementwise):
    """Every entry where it is positive, an exponential that levels off at -alpha elsewhere.

    Forward   output = input where input > 0, else alpha (exp(input) - 1)       (...)
    Backward  d loss / d input = grad_output where input > 0,
              else alpha exp(input) grad_output                                 (...)
    Shapes    input (...) -> (...)
    Kinks     none
    Saves     input
    Raises    NotATensorError
    Source    d (exp(input) - 1) / d input = exp(input). For alpha = 1 both sides meet at 0 with the
              slope 1; for another there is a kink, where alpha is taken, as in PyTorch's elu
    """

    @staticmethod
    def function(input: Tensor, alpha: float = 1.0) -> Tensor:
        return torch.nn.functional.elu(input, alpha)  # (...)

    @staticmethod
    def slope(input: Tensor, alpha: float) -> Tensor:
        # The side not taken must stay finite: infinity times 0 would make second order NaN.
        left = alpha * torch.exp(input.clamp(max=0))  # (...)
        return torch.where(input <= 0, left, 1.0)  # (...)
