"""Wrong backwards at inputs given in float32, whose rounding must not hide what is worse."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch.autograd import Function

from tests.corpus.draw import draw
from tests.corpus.entry import Wrong


class SineByShape(Function):
    """The slopes of the first call serve all inputs of that shape; there they are nearly right."""

    slopes: ClassVar[dict[Any, Any]] = {}

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.shape = tuple(x.shape)
        SineByShape.slopes.setdefault(ctx.shape, x.detach().cos())
        return x.sin()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * SineByShape.slopes[ctx.shape].to(g.dtype)


class SineSavedInHalf(Function):
    """Half the memory, and three digits."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x.half())
        return x.sin()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * x.cos().to(g.dtype)


class MarginOfSigns(Function):
    """0-dimensional float64 times float32 is float32, and rounds grad_output alone."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.nn.functional.softplus(-x.abs()).sum()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        signs = torch.where(x > 0, 1.0, -1.0)  # float32, whatever x is
        return -g * signs * torch.sigmoid(-x.abs())


def _one() -> tuple[Any, ...]:
    return (draw(13, 5).float(),)


CASES: list[Wrong] = [
    Wrong("sine with the first call's slopes", SineByShape, _one, ("state",), "x"),
    Wrong("sine saved in float16", SineSavedInHalf, _one, ("precision",), "x"),
    Wrong("float32 signs", MarginOfSigns, lambda: (draw(13, 5),), ("precision",), "x"),
]
