"""Softplus: a smooth ReLU."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.errors import SettingError
from derivable.function.elementwise import Elementwise
from derivable.functions.messages import say


class Softplus(Elementwise):
    """Smooth version of ReLU of every entry, the sharper the larger beta.

    Forward   output = log(1 + exp(beta input)) / beta,
              and input itself where beta input > threshold             (...)
    Backward  d loss / d input = sigmoid(beta input) grad_output,
              and grad_output itself where beta input > threshold       (...)
    Shapes    input (...) -> (...)
    Kinks     none
    Saves     input
    Raises    SettingError if beta is 0, NotATensorError
    Source    with u = exp(beta input), d log(1 + u) / d input = beta u / (1 + u); beta cancels,
              and u / (1 + u) = sigmoid(beta input). At the threshold the slope steps up to 1 by
              1 - sigmoid(threshold), which is 2e-9 for 20
    """

    @staticmethod
    def function(input: Tensor, beta: float = 1, threshold: float = 20) -> Tensor:
        if beta == 0:
            raise SettingError(say("beta"))
        return torch.nn.functional.softplus(input, beta, threshold)  # (...)

    @staticmethod
    def slope(input: Tensor, beta: float, threshold: float) -> Tensor:
        scaled = beta * input  # (...)
        return torch.where(scaled > threshold, 1.0, torch.sigmoid(scaled))  # (...)
