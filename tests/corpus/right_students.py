"""Right Functions as students write them: loops over rows, branches at zero, copies in float32."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import Function

import derivable
from tests.corpus.draw import draw
from tests.corpus.entry import Right


class RowSquares(Function):
    """The gradients of the rows of an empty batch cannot be stacked, which is noted."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return (x * x).sum(-1)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return torch.stack([2 * g_row * row for g_row, row in zip(g, x, strict=True)])


class SoftmaxByRows(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        p = torch.softmax(x, 1)
        ctx.save_for_backward(p)
        return p

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (probabilities,) = ctx.saved_tensors
        rows = []
        for p, up in zip(probabilities, g, strict=True):
            rows.append((torch.diag(p) - torch.outer(p, p)) @ up)
        return torch.cat(rows).reshape(len(rows), -1)


class BiasIfAny(Function):
    """It branches at zero, and returns both gradients on either side."""

    @staticmethod
    def forward(ctx: Any, x: Any, b: Any) -> Any:
        return x * 2 + b if bool((b != 0).any()) else x * 2

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 2 * g, g.sum(0)


class FloatedFirst(Function):
    """`.float()` of float32 is no copy, and nothing is written into it."""

    @staticmethod
    def forward(ctx: Any, z: Any) -> Any:
        z = z.float()
        z = z - z.max(1, keepdim=True).values
        p = z.exp() / z.exp().sum(1, keepdim=True)
        ctx.save_for_backward(p)
        return p

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (p,) = ctx.saved_tensors
        return p * (g - (g * p).sum(1, keepdim=True))


class DoubleInside(Function):
    """Sums in float64 and returns the gradient in the dtype of the input."""

    @staticmethod
    def forward(ctx: Any, x: Any, b: Any) -> Any:
        return x + b

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        total = torch.ones(len(g)).double() @ g.double()
        return g, total.to(g.dtype)


class RowKept(Function):
    """The bias is a row, and so is its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Any, b: Any) -> Any:
        return x + b

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g, g.sum(0, keepdim=True)


class ScaleInBrackets(Function):
    """Autograd gives a gradient (1,) the shape () of its argument, which is noted."""

    @staticmethod
    def forward(ctx: Any, x: Any, scale: Any) -> Any:
        ctx.save_for_backward(x, scale)
        return x * scale

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, scale = ctx.saved_tensors
        return g * scale, (g * x).sum().reshape(1)


class SquaredLoss(derivable.Function):
    """Its pairs have one column: a prediction of two beside a target of one is no input of it."""

    @staticmethod
    def forward(ctx: Any, prediction: Any, target: Any) -> Any:
        deviation = prediction - target
        ctx.save_for_backward(deviation)
        return (deviation**2).mean()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (deviation,) = ctx.saved_tensors
        gradient = g * 2 * deviation / deviation.numel()
        return gradient, -gradient


class OneUnit(derivable.Function):
    """Its weight has one column and its bias one entry: two columns beside it are no layer."""

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any, b: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x @ w + b

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        return g @ w.T, x.T @ g, g.sum(0)


STUDENTS = [
    Right("squares row by row", RowSquares, lambda: [draw(13, 5)]),
    Right("softmax row by row", SoftmaxByRows, lambda: [draw(4, 3)]),
    Right("bias if any", BiasIfAny, lambda: [draw(4, 3), draw(3, seed=1)]),
    Right("floated first", FloatedFirst, lambda: [draw(4, 3, dtype=torch.float32)]),
    Right("double inside", DoubleInside, lambda: [draw(5, 3), draw(3, seed=1)]),
    Right("scale in brackets", ScaleInBrackets, lambda: [draw(4, 3), draw(seed=1)]),
    Right("row kept", RowKept, lambda: [draw(5, 3), draw(1, 3, seed=1)]),
    Right("squared loss of one column", SquaredLoss, lambda: [draw(7, 1), draw(7, 1, seed=1)]),
    Right("squared loss of one row", SquaredLoss, lambda: [draw(1, 3), draw(1, 3, seed=1)]),
    Right("layer of one unit", OneUnit, lambda: [draw(5, 3), draw(3, 1, seed=1), draw(1, seed=2)]),
]
