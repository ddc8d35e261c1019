"""LeakyReLU: a ReLU that lets a little through."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise
from derivable.function.kink import Kink

SLOPE = 0.01


class LeakyReLU(Elementwise):
    """Every entry, multiplied by negative_slope where it is negative.

    Forward   output = input where input > 0, else negative_slope input         (...)
    Backward  d loss / d input = grad_output where input > 0,
              else negative_slope grad_output                                   (...)
    Shapes    input (...) -> (...)
    Kinks     input = 0: value chosen negative_slope, values allowed negative_slope to 1
    Saves     input
    Raises    NotATensorError
    Source    two straight lines, of slope negative_slope and 1; where they meet the left one
              is taken, as in torch.nn.functional.leaky_relu
    """

    kinks = (Kink(0.0, chosen=SLOPE, lowest=SLOPE, highest=1.0),)

    @staticmethod
    def function(input: Tensor, negative_slope: float = SLOPE) -> Tensor:
        return torch.nn.functional.leaky_relu(input, negative_slope)  # (...)

    @staticmethod
    def slope(input: Tensor, negative_slope: float) -> Tensor:
        return torch.where(input > 0, torch.ones_like(input), negative_slope)  # (...)
