"""Wrong backwards as students write them: orders, last steps, factors, products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.autograd import Function

from tests.corpus.draw import draw
from tests.corpus.entry import Wrong


def given(*shapes: tuple[int, ...]) -> Callable[[], Sequence[Any]]:
    """Inputs of these shapes."""
    return lambda: tuple(draw(*shape, seed=i) for i, shape in enumerate(shapes))


# --- grad_output ignored, and a factor besides ---------------------------------------------------


class MeanSquaresIgnoring(Function):
    @staticmethod
    def forward(ctx: Any, prediction: Any, target: Any) -> Any:
        ctx.save_for_backward(prediction - target)
        return (prediction - target).square().mean()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (error,) = ctx.saved_tensors
        return 2 * error, -2 * error


class RowMeanIgnoring(Function):
    """Mean over the rows of each row's sum; the factor is the number of rows."""

    @staticmethod
    def forward(ctx: Any, z: Any) -> Any:
        ctx.save_for_backward(z)
        return torch.nn.functional.softplus(z).sum() / len(z)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (z,) = ctx.saved_tensors
        return torch.sigmoid(z)


class HalfSquaresIgnoring(Function):
    @staticmethod
    def forward(ctx: Any, w: Any) -> Any:
        ctx.save_for_backward(w)
        return w.square().sum()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (w,) = ctx.saved_tensors
        return w.clone()


# --- the gradient of another last step -----------------------------------------------------------


class NormOfSquares(Function):
    """Forward is a norm; backward that of the squared norm."""

    @staticmethod
    def forward(ctx: Any, yhat: Any, y: Any) -> Any:
        ctx.save_for_backward(yhat, y)
        return torch.linalg.norm(yhat - y)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        yhat, y = ctx.saved_tensors
        return 2 * g * (yhat - y), -2 * g * (yhat - y)


class RootOfMeanSquares(Function):
    """Forward takes the root of the mean of squares; backward forgets it."""

    @staticmethod
    def forward(ctx: Any, yhat: Any, y: Any) -> Any:
        ctx.save_for_backward(yhat, y)
        return ((yhat - y) ** 2).mean().sqrt()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        yhat, y = ctx.saved_tensors
        grad = 2 * g * (yhat - y) / yhat.numel()
        return grad, -grad


class SumOfExponentials(Function):
    """Backward is the softmax, the gradient of the logarithm that forward lacks."""

    @staticmethod
    def forward(ctx: Any, z: Any) -> Any:
        ctx.save_for_backward(z)
        return z.exp().sum(1)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (z,) = ctx.saved_tensors
        return g[:, None] * torch.softmax(z, 1)


# --- gradients in another order ------------------------------------------------------------------


class SquaresInOtherOrder(Function):
    @staticmethod
    def forward(ctx: Any, yhat: Any, y: Any) -> Any:
        ctx.save_for_backward(yhat, y)
        return ((yhat - y) ** 2).mean()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        yhat, y = ctx.saved_tensors
        grad_yhat = 2 * g * (yhat - y) / yhat.numel()
        return -grad_yhat, grad_yhat


class DifferenceInOtherOrder(Function):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        return a - b

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return -g, g


class ProductInOtherOrder(Function):
    """Two matrices, whose gradients have each other's shapes."""

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        return x.T @ g, g @ w.T


class OneTransposed(Function):
    """In the other order, and one of them transposed."""

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x @ w.T

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        return x.T @ g, g @ w


# --- a matrix product whose factors do not fit ---------------------------------------------------


class WeightsFirst(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        ctx.save_for_backward(x, w)
        return torch.tanh(x @ w)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        inner = g * (1 - torch.tanh(x @ w) ** 2)
        grad_w = inner @ x
        return inner @ w.T, grad_w


class NotTransposed(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        return torch.mm(g, w), torch.mm(x.T, g)


class SquareWeights(Function):
    """It runs, because the weights are square, and is wrong."""

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        grad_x = g @ w
        return grad_x, x.T @ g


CASES = [
    Wrong("mean squares ignore g", MeanSquaresIgnoring, given((10, 5), (10, 5)),
          ("ignores_grad_output",)),
    Wrong("row means ignore g", RowMeanIgnoring, given((5, 3)), ("ignores_grad_output",), "z"),
    Wrong("half squares ignore g", HalfSquaresIgnoring, given((7,)), ("ignores_grad_output",), "w"),
    Wrong("norm of squares", NormOfSquares, given((10, 5), (10, 5)), ("last_step",), "yhat"),
    Wrong("root of mean squares", RootOfMeanSquares, given((5, 3), (5, 3)), ("last_step",), "yhat"),
    Wrong("sum of exponentials", SumOfExponentials, given((5, 3)), ("last_step",), "z"),
    Wrong("squares in the other order", SquaresInOtherOrder, given((10, 5), (10, 5)),
          ("swapped", "sign"), "yhat"),
    Wrong("difference in the other order", DifferenceInOtherOrder, given((5, 3), (5, 3)),
          ("swapped", "sign"), "a"),
    Wrong("product in the other order", ProductInOtherOrder, given((13, 5), (5, 7)),
          ("swapped",), "x"),
    Wrong("one of two transposed", OneTransposed, given((11, 5), (7, 5)), ("swapped",), "x"),
    Wrong("weights first", WeightsFirst, given((13, 5), (5, 7)), ("raises",)),
    Wrong("weights not transposed", NotTransposed, given((13, 5), (5, 7)), ("raises",)),
    Wrong("square weights not transposed", SquareWeights, given((13, 5), (5, 5)),
          ("transposed",), "x"),
]  # fmt: skip
