"""ELU: the exponential linear unit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise
from derivable.function.kernel import Kernel, exp, like


def _value(x: Any) -> Any:
    return x if x > like(x, 0) else exp(x) - like(x, 1)


def _slope(x: Any, output: Any) -> Any:
    return like(x, 1) if x > like(x, 0) else output + like(x, 1)


def _curvature(x: Any, output: Any) -> Any:
    return like(x, 0) if x > like(x, 0) else output + like(x, 1)


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

    kernel = Kernel(_value, _slope, _curvature)

    @staticmethod
    def function(input: Tensor, alpha: float = 1.0) -> Tensor:
        return torch.nn.functional.elu(input, alpha)  # (...)

    @staticmethod
    def slope(input: Tensor, alpha: float) -> Tensor:
        # The side not taken must stay finite: infinity times 0 would make second order NaN.
        left = alpha * torch.exp(input.clamp(max=0))  # (...)
        return torch.where(input <= 0, left, 1.0)  # (...)
