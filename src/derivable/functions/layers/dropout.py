"""Dropout: entries set to zero at random, the others scaled up."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.errors import SettingError
from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error


class Dropout(Function):
    """In training, set every entry to zero with probability p and divide the others by 1 - p.

    Forward   output = input / (1 - p) where mask, else 0                  (...)
              without training, output = input
    Backward  d loss / d input = grad_output / (1 - p) where mask, else 0  (...)
              without training, d loss / d input = grad_output
    Shapes    input (...), mask (...) or None -> (...)
    Kinks     none: the mask does not depend on input
    Saves     mask (nothing without training)
    Raises    ShapeError if mask does not have the shape of input; SettingError if p is not from
              0 to 1; NotATensorError
    Source    the division makes the expected output equal to the input: (1 - p) input / (1 - p).
              For one mask the map is linear and diagonal, so it is its own transpose.

    The mask is drawn from `generator`, by default PyTorch's own, anew at each call. `mask` is a
    mask of 0 and 1 (or False and True) to use instead of drawing one; it has no gradient. With
    p = 1 everything is dropped, whatever the mask. Dropped entries are exactly 0, even where the
    input is infinite. A derivative of second order draws once more, without using what it drew.
    """

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        p: float = 0.5,
        training: bool = True,
        generator: torch.Generator | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        _check(input, p, mask)
        ctx.training, ctx.factor = training, 1 / (1 - p) if p < 1 else 0.0
        if not training:
            ctx.save_for_backward()
            return input.clone()  # (...)
        if mask is None:
            mask = torch.bernoulli(input.detach(), 1 - p, generator=generator)  # (...)
        kept = mask != 0  # (...), one byte per entry
        ctx.save_for_backward(kept)
        return torch.where(kept, input * ctx.factor, 0.0)  # (...)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        if not ctx.training:
            return grad_output, None, None, None, None
        (kept,) = ctx.saved_tensors
        grad_input = torch.where(kept, grad_output * ctx.factor, 0.0)  # (...)
        return grad_input, None, None, None, None

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(normal(5, 3), 0.3, True, None, torch.rand(5, 3) > 0.3), (normal(5, 3), 0.3, False)]


def _check(input: Tensor, p: float, mask: Tensor | None) -> None:
    require_tensors("Dropout", input=input)
    if not 0 <= p <= 1:
        raise SettingError(say("probability", got=p))
    if mask is None:
        return
    require_tensors("Dropout", mask=mask)
    if mask.shape != input.shape:
        raise shape_error(
            "Dropout",
            "mask",
            say("shape_of_input", shape=tuple(input.shape)),
            mask,
            say("mask_entries"),
        )
