"""Tanh: the hyperbolic tangent."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal
from derivable.shapes import require_tensors


class Tanh(Function):
    """Hyperbolic tangent of every entry.

    Forward   output = tanh x                                   (...)
    Backward  d loss / d x = (1 - output^2) grad_output         (...)
              with (1 - output^2) conjugated where x is complex
    Shapes    x (...) -> (...)
    Kinks     none
    Saves     output, so that tanh is not computed again
    Raises    NotATensorError
    Source    tanh = sinh / cosh, so tanh' = (cosh^2 - sinh^2) / cosh^2 = 1 - tanh^2
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        require_tensors("Tanh", x=x)
        output = torch.tanh(x)  # (...)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (output,) = ctx.saved_tensors
        return grad_output * (1 - output**2).conj()  # (...)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(4, 3),)]
