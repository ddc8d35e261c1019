"""ReLU: the positive part."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.function.kernel import Kernel, like, straight
from derivable.shapes import require_tensors


def _value(x: Any) -> Any:
    return max(x, like(x, 0))


def _slope(x: Any, output: Any) -> Any:
    return like(x, 1) if x > like(x, 0) else like(x, 0)


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

    kernel = Kernel(_value, _slope, straight, slopes=(0.0, 1.0))

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
