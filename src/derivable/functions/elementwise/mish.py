"""Mish: a smooth unit, linear to the right and flat to the left."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.function.elementwise import Elementwise


class Mish(Elementwise):
    """Every entry times the hyperbolic tangent of its softplus.

    Forward   output = input t, t = tanh(log(1 + exp(input)))                   (...)
    Backward  d loss / d input =
              (t + input (1 - t^2) sigmoid(input)) grad_output                  (...)
    Shapes    input (...) -> (...)
    Kinks     none
    Saves     input
    Raises    NotATensorError
    Source    the product rule: t + input t'; by the chain rule t' = (1 - t^2) softplus', and
              softplus' = sigmoid. With e = exp(input) and n = e (e + 2), t = n / (n + 2) and
              t' = 4 e (e + 1) / (n + 2)^2, without cancellation
    """

    @staticmethod
    def function(input: Tensor) -> Tensor:
        return torch.nn.functional.mish(input)  # (...)

    @staticmethod
    def slope(input: Tensor) -> Tensor:
        # Beyond, the slope is 0 or 1 in every dtype, and infinity times 0 would be NaN.
        x = input.clamp(-800, 20)  # (...)
        e = torch.exp(x)  # (...)
        n = e * (e + 2)  # (...)
        return n / (n + 2) + x * 4 * e * (e + 1) / (n + 2) ** 2  # (...)
