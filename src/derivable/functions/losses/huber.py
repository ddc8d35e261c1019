"""Huber: squared error near the target, absolute error far from it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.errors import SettingError
from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.losses._pair import check_pair, fit
from derivable.functions.losses._reduction import reduce, spread
from derivable.functions.messages import say


class Huber(Function):
    """Half the squared error d = input - target, made linear beyond delta; mean over all M entries.

    Forward   l(d) = d^2 / 2                     where |d| <= delta
                     delta (|d| - delta / 2)     elsewhere
              loss = sum l(d) / M                                               ()
              "sum" leaves out the 1/M, "none" the sum as well: (...)
    Backward  d loss / d input  =  clamp(d, -delta, delta) grad_output / M      (...)
              d loss / d target = -clamp(d, -delta, delta) grad_output / M      (...)
    Shapes    input (...), target the same -> (), or (...) for "none"
    Kinks     none
    Saves     input, target
    Raises    ShapeError if the shapes differ, SettingError for an unknown reduction, a
              delta that is not positive or complex numbers, NotATensorError
    Source    the slope is d inside and delta sgn(d) outside, both of which are d cut to
              -delta .. delta. They meet at |d| = delta, as do the two values, delta^2 / 2: only
              the second derivative jumps there.
    """

    @staticmethod
    def forward(
        ctx: Any, input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0
    ) -> Tensor:
        _check(input, target, reduction, delta)
        ctx.save_for_backward(input, target)
        ctx.reduction, ctx.delta = reduction, delta
        d = input - target  # (...)
        far = delta * (d.abs() - 0.5 * delta)  # (...)
        return reduce(torch.where(d.abs() <= delta, 0.5 * d * d, far), reduction)  # () or (...)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor | None, None, None]:
        input, target = ctx.saved_tensors
        grad_losses = spread(grad_output, ctx.reduction, input.shape)  # () or (...)
        grad_input = grad_losses * (input - target).clamp(-ctx.delta, ctx.delta)  # (...)
        grad_target = fit(-grad_input, target) if ctx.needs_input_grad[1] else None  # (...)
        return fit(grad_input, input), grad_target, None, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(5, 3), normal(5, 3)), (normal(5, 3), normal(5, 3), "none", 0.5)]


def _check(input: Tensor, target: Tensor, reduction: str, delta: float) -> None:
    check_pair("Huber", reduction, input=input, target=target)
    if not delta > 0:
        raise SettingError(say("delta", got=delta))
