"""Wrong formulas of algebra: products, sums, norms, and what only moves entries about."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

import derivable
from tests.corpus.draw import draw, positive
from tests.corpus.entry import Wrong


class LinearNoTranspose(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, w: Any, b: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x @ w + b

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        return g @ w, x.t() @ g, g.sum(0)


class LinearWeightBack(LinearNoTranspose):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        return g @ w.t(), g.t() @ x, g.sum(0)


class LinearBiasMean(LinearNoTranspose):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        return g @ w.t(), x.t() @ g, g.mean(dim=0)


class LinearBiasAxis(LinearNoTranspose):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        return g @ w.t(), x.t() @ g, g.sum(1)


class LinearTwoOfThree(LinearNoTranspose):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        return g @ w.t(), x.t() @ g


class LinearScalarBias(LinearNoTranspose):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        return g @ w.t(), x.t() @ g, g.sum()


class LinearUnsummed(derivable.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(input, weight)
        return input @ weight + bias

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        input, weight = ctx.saved_tensors
        grad_input = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_input = grad_output @ weight.t()
        if ctx.needs_input_grad[1]:
            grad_weight = input.t() @ grad_output
        if ctx.needs_input_grad[2]:
            grad_bias = grad_output
        return grad_input, grad_weight, grad_bias


class MatMulExchanged(Function):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        ctx.save_for_backward(a, b)
        return a @ b

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        a, b = ctx.saved_tensors
        return a.mT @ g, g @ b.mT


class BatchedShared(Function):
    """One matrix for the whole batch; its gradient is that of the first item."""

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        ctx.save_for_backward(x, w)
        return torch.matmul(x, w)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        return torch.matmul(g, w.t()), torch.bmm(x.transpose(1, 2), g)[0]


class ComplexSquare(Function):
    @staticmethod
    def forward(ctx: Any, z: Any) -> Any:
        ctx.save_for_backward(z)
        return z * z

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 2 * ctx.saved_tensors[0]


class QuadraticForm(Function):
    """x' A x, with the gradient that is right for symmetric A."""

    @staticmethod
    def forward(ctx: Any, x: Any, a: Any) -> Any:
        ctx.save_for_backward(x, a)
        return x @ a @ x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, a = ctx.saved_tensors
        return 2 * g * (a @ x), g * torch.outer(x, x)


class Bilinear(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, w: Any, y: Any) -> Any:
        ctx.save_for_backward(x, w, y)
        return torch.einsum("ni,ij,nj->n", x, w, y)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w, y = ctx.saved_tensors
        g = g.unsqueeze(1)
        return g * (y @ w.t()), torch.einsum("ni,nj->ij", y * g, x), g * (x @ w)


class LowerTimes(Function):
    """Only the lower triangle of a is used; all of it gets a gradient."""

    @staticmethod
    def forward(ctx: Any, a: Any, x: Any) -> Any:
        ctx.save_for_backward(a, x)
        return torch.tril(a) @ x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        a, x = ctx.saved_tensors
        return g @ x.t(), torch.tril(a).t() @ g


class Quotient(Function):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        ctx.save_for_backward(a, b)
        return a / b

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        a, b = ctx.saved_tensors
        return g / b, -g * a / b


class QuotientTwoMistakes(Quotient):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        a, b = ctx.saved_tensors
        return -g / b, -g * a / b**3


class RowScale(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, s: Any) -> Any:
        ctx.save_for_backward(x, s)
        return x * s

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, s = ctx.saved_tensors
        return g * s, (g * x).mean(0)


class MultiplySame(RowScale):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, s = ctx.saved_tensors
        return g * x, g * s


class ComplexProduct(RowScale):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, s = ctx.saved_tensors
        return g * s, g * x


class ColumnSum(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.shape = x.shape
        return x.sum(0)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g.sum().expand(ctx.shape)


class RowMean(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.shape = x.shape
        return x.mean(dim=1)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g.unsqueeze(1).expand(ctx.shape) / ctx.shape[0]


class Prod(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x.prod(dim=1, keepdim=True)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y = ctx.saved_tensors
        return g * y * torch.ones_like(x)


class SoftmaxDiagonal(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = torch.softmax(x, dim=-1)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved_tensors
        return g * y * (1 - y)


class SoftmaxAxis(SoftmaxDiagonal):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved_tensors
        return y * (g - (g * y).sum(0, keepdim=True))


class LogSoftmax(SoftmaxDiagonal):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = torch.log_softmax(x, dim=-1)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g - ctx.saved_tensors[0].exp()


class Std(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x.std(dim=1, keepdim=True)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * 2 * (x - x.mean(1, keepdim=True)) / (x.shape[1] - 1)


class Variance(Std):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x.var(dim=1, keepdim=True, unbiased=False)


class CumSum(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return torch.cumsum(x, dim=1)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return torch.cumsum(g, dim=1)


class Normalise(Function):
    @staticmethod
    def forward(x: Any) -> Any:
        return x / x.norm(dim=1, keepdim=True)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g / x.norm(dim=1, keepdim=True)


def _linear(batch: int = 13, inner: int = 4, outer: int = 4) -> Any:
    return lambda: [draw(batch, inner), draw(inner, outer, seed=1), draw(outer, seed=2)]


def _x() -> Any:
    return [draw(13, 5)]


def _square() -> Any:
    return [draw(4, 4), draw(4, 4, seed=1)]


def _scaled() -> Any:
    return [draw(13, 5), draw(5, seed=1)]


def _forms() -> Any:
    return [draw(6, 4), draw(4, 4, seed=1), draw(6, 4, seed=2)]


def _complex() -> Any:
    return [draw(5, 3, seed=seed, dtype=torch.complex128) for seed in range(2)]


def _covariance() -> Any:
    a = draw(4, 4, seed=1).detach()
    return [draw(4), (a @ a.t() / 4).requires_grad_()]


def _ratio() -> Any:
    return [draw(13, 5), positive(13, 5)]


CASES: list[Wrong] = [
    Wrong("linear-no-transpose", LinearNoTranspose, _linear(), ("transposed",), "x"),
    Wrong("linear-one", LinearNoTranspose, _linear(13, 1, 1), ("transposed", "sizes"), "x"),
    Wrong("linear-weight-back", LinearWeightBack, _linear(), ("transposed",), "w"),
    Wrong("linear-weight-oblong", LinearWeightBack, _linear(8, 5, 3), ("transposed", "shape"), "w"),
    Wrong("linear-bias-mean", LinearBiasMean, _linear(1, 5, 3), ("mean_for_sum",), "b"),
    Wrong("linear-bias-axis", LinearBiasAxis, _linear(4), ("wrong_axis",), "b"),
    Wrong("linear-two-of-three", LinearTwoOfThree, _linear(13, 5, 3), ("count",), "b"),
    Wrong("linear-scalar-bias", LinearScalarBias, _linear(13, 5, 3), ("shape",), "b"),
    Wrong("linear-unsummed", LinearUnsummed, _linear(13, 5, 3), ("missing_sum", "shape"), "bias"),
    Wrong("matmul-exchanged", MatMulExchanged, _square, ("swapped",)),
    Wrong(
        "batched-shared",
        BatchedShared,
        lambda: [draw(1, 5, 4), draw(4, 2)],
        ("missing_sum", "part_only"),
        "w",
    ),
    Wrong("complex-square", ComplexSquare, lambda: _complex()[:1], ("conjugate",), "z"),
    Wrong("complex-product", ComplexProduct, _complex, ("conjugate",)),
    Wrong(
        "quadratic-form",
        QuadraticForm,
        _covariance,
        ("missing_term", "transposed"),
        "x",
    ),
    Wrong("bilinear", Bilinear, _forms, ("transposed",), "w"),
    Wrong("lower-times", LowerTimes, _square, ("part_only",), "a"),
    Wrong("quotient", Quotient, _ratio, ("power",), "b"),
    Wrong("quotient-two-mistakes", QuotientTwoMistakes, _ratio, ("sign", "power")),
    Wrong("row-scale", RowScale, _scaled, ("mean_for_sum",), "s"),
    Wrong("multiply-same", MultiplySame, _square, ("swapped",)),
    Wrong("column-sum", ColumnSum, _x, ("sums_grad_output",), "x"),
    Wrong("row-mean", RowMean, lambda: [draw(4, 4)], ("factor", "sizes"), "x"),
    # The factor 1 / x is lost, and with it a power of x: two descriptions of one mistake.
    Wrong("prod", Prod, _x, ("power", "chain_rule"), "x"),
    Wrong("softmax-diagonal", SoftmaxDiagonal, _x, ("missing_term",), "x"),
    Wrong("softmax-axis", SoftmaxAxis, _x, ("wrong_axis",), "x"),
    Wrong("log-softmax", LogSoftmax, _x, ("not_linear",), "x"),
    Wrong("std", Std, _x, ("chain_rule", "last_step", "power"), "x"),
    Wrong("variance", Variance, _x, ("factor",), "x"),
    Wrong("cumsum", CumSum, _x, ("positions", "transposed"), "x"),
    Wrong("normalise", Normalise, _x, ("missing_term",), "x"),
]
