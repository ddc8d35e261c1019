"""GELU: the Gaussian error linear unit."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from derivable.errors import SettingError
from derivable.function.elementwise import Elementwise
from derivable.function.examples import normal
from derivable.functions.messages import say


class GELU(Elementwise):
    """Every entry times the probability that a standard normal number is below it.

    Forward   output = input P(input)                                   (...)
              approximate="none":  P(x) = (1 + erf(x / sqrt(2))) / 2
              approximate="tanh":  P(x) = (1 + tanh(u)) / 2 = sigmoid(2 u),
                                   u = sqrt(2 / pi) (x + 0.044715 x^3)
    Backward  d loss / d input = (P(input) + input P'(input)) grad_output    (...)
              approximate="none":  P'(x) = exp(-x^2 / 2) / sqrt(2 pi)
              approximate="tanh":  P' = P (1 - P) 2 u',
                                   u' = sqrt(2 / pi) (1 + 3 * 0.044715 x^2)
    Shapes    input (...) -> (...)
    Kinks     none
    Saves     input
    Raises    SettingError if approximate is another word, NotATensorError
    Source    the product rule on x P(x). P is the normal distribution function, so P' is the
              normal density; for "tanh", sigmoid' = sigmoid (1 - sigmoid) and the chain rule
    """

    @staticmethod
    def function(input: Tensor, approximate: str = "none") -> Tensor:
        if approximate not in {"none", "tanh"}:
            raise SettingError(say("approximate", got=approximate))
        return torch.nn.functional.gelu(input, approximate=approximate)  # (...)

    @staticmethod
    def slope(input: Tensor, approximate: str) -> Tensor:
        # Beyond 40 the slope is 0 or 1 in every dtype, and powers of larger numbers overflow.
        x = input.clamp(-40, 40)  # (...)
        if approximate == "tanh":
            u = _SCALE * x * (1 + _CUBIC * x * x)  # (...)
            p = torch.sigmoid(2 * u)  # (...)
            return p + x * p * (1 - p) * (2 * _SCALE) * (1 + 3 * _CUBIC * x * x)  # (...)
        # erfc(-y) is 1 + erf(y), without the cancellation for negative y.
        p = torch.erfc(-math.sqrt(0.5) * input) / 2  # (...)
        return p + x * torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)  # (...)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(4, 3),), (normal(4, 3), "tanh")]


_SCALE, _CUBIC = math.sqrt(2 / math.pi), 0.044715
