"""LogSigmoid: the logarithm of the logistic function."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise


class LogSigmoid(Elementwise):
    """Logarithm of the logistic function of every entry.

    Forward   output = -log(1 + exp(-input))                            (...)
    Backward  d loss / d input = sigmoid(-input) grad_output            (...)
    Shapes    input (...) -> (...)
    Kinks     none
    Saves     input
    Raises    NotATensorError
    Source    with u = exp(-input), d (-log(1 + u)) / d u = -1 / (1 + u) and d u / d input = -u,
              so the slope is u / (1 + u) = sigmoid(-input); 1 - exp(output) is the same number,
              but keeps no digit of it for large inputs
    """

    @staticmethod
    def function(input: Tensor) -> Tensor:
        return torch.nn.functional.logsigmoid(input)  # (...)

    @staticmethod
    def slope(input: Tensor) -> Tensor:
        return torch.sigmoid(-input)  # (...)
