"""SELU: the exponential linear unit that keeps mean 0 and variance 1."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise
from derivable.function.kink import Kink
from derivable.functions.elementwise.elu import ELU

ALPHA = 1.6732632423543772848170429916717
SCALE = 1.0507009873554804934193349852946


class SELU(Elementwise):
    """ELU of every entry, with one alpha and one scale.

    Forward   output = scale input where input > 0,
              else scale alpha (exp(input) - 1)                                 (...)
              alpha = 1.6732632..., scale = 1.0507009...
    Backward  d loss / d input = scale grad_output where input > 0,
              else scale alpha exp(input) grad_output                           (...)
    Shapes    input (...) -> (...)
    Kinks     input = 0: value chosen scale alpha = 1.758..., values allowed scale to scale alpha
    Saves     input
    Raises    NotATensorError
    Source    scale times ELU. The two constants are those for which standard normal inputs give
              outputs of mean 0 and variance 1; at 0 the left side is taken, as in torch.selu
    """

    kinks = (Kink(0.0, chosen=SCALE * ALPHA, lowest=SCALE, highest=SCALE * ALPHA),)

    @staticmethod
    def function(input: Tensor) -> Tensor:
        return torch.selu(input)  # (...)

    @staticmethod
    def slope(input: Tensor) -> Tensor:
        return SCALE * ELU.slope(input, ALPHA)  # (...)
