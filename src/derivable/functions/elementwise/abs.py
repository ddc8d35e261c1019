"""Abs: the absolute value."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise
from derivable.function.kink import Kink
from derivable.functions.elementwise._real import require_real


class Abs(Elementwise):
    """Absolute value of every entry.

    Forward   output = |input|                                          (...)
    Backward  d loss / d input = sign(input) grad_output                (...)
    Shapes    input (...) -> (...)
    Kinks     input = 0: value chosen 0, values allowed -1 to 1
    Saves     input
    Raises    SettingError if input is complex, NotATensorError
    Source    two straight lines, of slope -1 and 1; where they meet 0 is taken, as in torch.abs;
              of a complex z, |z| depends on conj(z) as well and has no complex derivative
    """

    kinks = (Kink(0.0, chosen=0.0, lowest=-1.0, highest=1.0),)

    @staticmethod
    def function(input: Tensor) -> Tensor:
        require_real("Abs", input)
        return torch.abs(input)  # (...)

    @staticmethod
    def slope(input: Tensor) -> Tensor:
        return torch.sign(input)  # (...)
