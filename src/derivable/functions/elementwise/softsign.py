"""Softsign: a sigmoid with slow tails."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise
from derivable.functions.elementwise._real import require_real


class Softsign(Elementwise):
    """Every entry divided by one plus its size.

    Forward   output = input / (1 + |input|)                            (...)
    Backward  d loss / d input = grad_output / (1 + |input|)^2          (...)
    Shapes    input (...) -> (...)
    Kinks     none
    Saves     input
    Raises    SettingError if input is complex, NotATensorError
    Source    for input > 0 the quotient rule gives ((1 + input) - input) / (1 + input)^2; the
              function is odd, so its slope is even, which is the same with |input|;
              from both sides it goes to 1 at 0
    """

    @staticmethod
    def function(input: Tensor) -> Tensor:
        require_real("Softsign", input)
        return torch.nn.functional.softsign(input)  # (...)

    @staticmethod
    def slope(input: Tensor) -> Tensor:
        # The reciprocal is squared, not the sum: that would overflow, and inf / inf is NaN.
        return (1 + input.abs()).reciprocal().square()  # (...)
