"""ReLU: the positive part."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.shapes import require_tensors


class ReLU(Function):
    """Positive part of every entry.

    Forward   output = max(x, 0)                                (...)
    Backward  d loss / d x = 0 where x <= 0, else grad_output   (...)
    Shapes    x (...) -> (...)
    Kinks     x = 0: value chosen 0, values allowed 0 to 1
    Saves     x
    Raises    NotATensorError
    Source    the slope of max(x, 0) is 1 to the right of 0 and 0 to the left; at 0 the
              subgradient 0 is taken, as in torch.relu
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        require_tensors("ReLU", x=x)
        ctx.save_for_backward(x)
        return torch.relu(x)  # (...)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        # where, not a product: an infinite grad_output times a slope of 0 would be NaN.
        return torch.where(x <= 0, 0.0, grad_output)  # (...)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(4, 3),)]
