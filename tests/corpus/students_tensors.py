"""Wrong backwards as students write them: dtypes, copies, shapes, gradients that are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.autograd import Function

from tests.corpus.draw import draw, integers
from tests.corpus.entry import Wrong


def given(
    *shapes: tuple[int, ...], dtype: torch.dtype = torch.float64
) -> Callable[[], Sequence[Any]]:
    """Inputs of these shapes."""
    return lambda: tuple(draw(*shape, seed=i, dtype=dtype) for i, shape in enumerate(shapes))


def _rows_and_places() -> Sequence[Any]:
    return draw(5, 3), integers(5, 7)


# --- an error in float32 -------------------------------------------------------------------------


class BiasByDoubleOnes(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, b: Any) -> Any:
        return x + b

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g, torch.ones(len(g), dtype=torch.float64) @ g


class GatherIntoDouble(Function):
    @staticmethod
    def forward(ctx: Any, table: Any, places: Any) -> Any:
        ctx.save_for_backward(places)
        ctx.rows = len(table)
        return table[places]

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (places,) = ctx.saved_tensors
        grad = torch.zeros(ctx.rows, g.shape[1], dtype=torch.float64)
        return grad.index_add_(0, places, g), None


class MeanByDoubleMatrix(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x - x.mean(0)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        centre = torch.eye(len(g)).double() - 1 / len(g)
        return centre @ g


# --- an input that is overwritten in float32 only ------------------------------------------------


class ExponentialInPlace(Function):
    @staticmethod
    def forward(ctx: Any, z: Any) -> Any:
        e = z.to(torch.float32)
        e.exp_()
        ctx.save_for_backward(e)
        return e

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (e,) = ctx.saved_tensors
        return (g * e).to(g.dtype)


class ClampedInPlace(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.mask = x > 0
        return x.float().clamp_(min=0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.mask


class NumPyInPlace(Function):
    """NumPy's astype makes no copy either, with copy=False."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        values = x.detach().numpy().astype(np.float32, copy=False)
        values *= 3
        return torch.from_numpy(values).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 3 * g


# --- a gradient that is missing where an input is zero -------------------------------------------


class ScaledUnlessZero(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, scale: Any) -> Any:
        ctx.save_for_backward(x, scale)
        return x * scale

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, scale = ctx.saved_tensors
        if scale == 0:
            return torch.zeros_like(x)
        return g * scale, (g * x).sum()


class ShiftedIfAny(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, shift: Any) -> Any:
        ctx.shifted = bool((shift != 0).any())
        return x + shift if ctx.shifted else x.clone()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return (g, g.sum(0)) if ctx.shifted else g


# --- a dimension of size 1 too many --------------------------------------------------------------


class BiasKept(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, b: Any) -> Any:
        return x + b

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g, g.sum(0, keepdim=True)


class ChannelBiasKept(Function):
    """Autograd does not accept this one: (1, c, 1, 1) for (c,)."""

    @staticmethod
    def forward(ctx: Any, x: Any, b: Any) -> Any:
        return x + b[:, None, None]

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g, g.sum((0, 2, 3), keepdim=True)


class BiasAsItComes(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, w: Any, b: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x @ w + b

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        return g @ w.T, x.T @ g, g


# --- an intermediate that was saved --------------------------------------------------------------


class SavedDifference(Function):
    @staticmethod
    def forward(ctx: Any, yhat: Any, y: Any) -> Any:
        error = yhat - y
        ctx.save_for_backward(error)
        return (error**2).sum()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (error,) = ctx.saved_tensors
        return 2 * g * error, -2 * g * error


class SavedGate(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        gate = torch.sigmoid(x)
        ctx.save_for_backward(x, gate)
        return x * gate

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, gate = ctx.saved_tensors
        return g * (gate + x * gate * (1 - gate))


class GateOnCtx(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.slope = torch.exp(-x * x)
        return torch.erf(x) * torch.pi**0.5 / 2

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.slope


CASES = [
    Wrong("bias by double ones", BiasByDoubleOnes, given((13, 7), (7,)), ("raises",)),
    Wrong("gather into double", GatherIntoDouble, _rows_and_places, ("raises",)),
    Wrong("mean by a double matrix", MeanByDoubleMatrix, given((5, 3)), ("raises",)),
    Wrong("exponential in place", ExponentialInPlace, given((4, 3), dtype=torch.float32),
          ("in_place",), "z"),
    Wrong("clamped in place", ClampedInPlace, given((5, 3)), ("in_place",), "x"),
    Wrong("NumPy in place", NumPyInPlace, given((5, 3)), ("in_place",), "x"),
    Wrong("scaled unless zero", ScaledUnlessZero, given((4, 3), ()), ("count",)),
    Wrong("shifted if any", ShiftedIfAny, given((4, 3), (3,)), ("count",)),
    Wrong("bias kept", BiasKept, given((13, 7), (7,)), ("keepdim",), "b"),
    Wrong("channel bias kept", ChannelBiasKept, given((5, 3, 2, 4), (3,)), ("keepdim",), "b"),
    Wrong("bias as it comes", BiasAsItComes, given((13, 5), (5, 7), (7,)), ("missing_sum",), "b"),
    Wrong("saved difference", SavedDifference, given((10, 5), (10, 5)), ("second_order",)),
    Wrong("saved gate", SavedGate, given((4, 3)), ("second_order",), "x"),
    Wrong("gate on ctx", GateOnCtx, given((4, 3)), ("second_order",), "x"),
]  # fmt: skip
