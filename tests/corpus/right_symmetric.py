"""Right for symmetric matrices only, of which a docstring, a comment or the values are evidence."""

# mypy: disable-error-code="no-untyped-call"
# PyTorch does not type apply.

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from tests.corpus.draw import draw, fixed
from tests.corpus.entry import Right
from tests.corpus.right_contracts import definite


def _by_pivots(k: Tensor, order: Tensor) -> Tensor:
    """The Cholesky factor of k with rows and columns in another order, its rows in that of k."""
    rows, columns = order.unsqueeze(-1), order.unsqueeze(-2)
    batch = [torch.arange(size).view(-1, 1, 1) for size in k.shape[:-2]]
    factor = torch.linalg.cholesky(k[*batch, rows, columns])
    return torch.take_along_dim(factor, order.argsort(-1).unsqueeze(-1), -2)


class RowsByPivots(Function):
    """Of each pair of equal entries one is read, that of the row with the larger pivot."""

    @staticmethod
    def forward(ctx: Any, k: Tensor) -> Tensor:
        order = k.diagonal(dim1=-2, dim2=-1).argsort(-1, descending=True)
        ctx.save_for_backward(k, order)
        return _by_pivots(k, order)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> Tensor:
        k, order = ctx.saved_tensors
        with torch.enable_grad():
            k = k.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(_by_pivots(k, order), k, g)
        return gradient


class SumOfSquares(Function):
    """The squares of the eigenvalues.

    matrices: what is added up to the positive semi-definite matrix A
    """

    @staticmethod
    def forward(ctx: Any, scale: float, *matrices: Tensor) -> Tensor:
        ctx.save_for_backward(*matrices)
        ctx.scale = scale
        total = scale * torch.stack(matrices).sum(0)
        return (total @ total).diagonal(dim1=-2, dim2=-1).sum(-1)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        total = ctx.scale * torch.stack(ctx.saved_tensors).sum(0)
        return None, *(2 * ctx.scale * g[..., None, None] * total for _ in ctx.saved_tensors)


class Variance(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, middle: Tensor) -> Tensor:
        ctx.save_for_backward(a, middle)
        return (a.mT * (a.mT @ middle)).sum(-1)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        a, middle = ctx.saved_tensors
        scaled = a * g
        # The factor 2 is there because a is in the product twice,
        # and makes use of symmetry.
        return 2 * middle @ scaled, scaled @ a.mT


class Smoothed(Function):
    @staticmethod
    def forward(ctx: Any, k: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(k, x)
        return k @ x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        k, x = ctx.saved_tensors
        outer = g @ x.mT
        return (outer + outer.mT) / 2, k.mT @ g


class MaskedSoftmax(Function):
    """Infinite logits are those of a mask: no step changes them."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        p = (x - x.amax(-1, keepdim=True)).exp()
        p = p / p.sum(-1, keepdim=True)
        ctx.save_for_backward(p)
        return p

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (p,) = ctx.saved_tensors
        return p * (g - (g * p).sum(-1, keepdim=True))


def two_definite(n: int = 4) -> Tensor:
    """Positive definite matrices (2, n, n), of which the diagonals are in opposite orders."""
    k = definite(n).detach()
    order = k.diagonal().argsort()
    k = k[order][:, order]
    return torch.stack([k, k.flip(0, 1)]).requires_grad_()


def masked() -> Tensor:
    """Logits (4, 5), two of each row masked by minus infinity."""
    x = fixed(4, 5)
    x[:, 3:] = -torch.inf
    return x.requires_grad_()


SYMMETRIC = [
    Right("factor by pivots", RowsByPivots, lambda: [definite(4)]),
    Right("factors by pivots in another order each", RowsByPivots, lambda: [two_definite()]),
    Right("squares of eigenvalues, of several arguments", SumOfSquares, lambda: [0.5, definite(4)]),
    Right("variances, with a comment", Variance, lambda: [draw(3, 5), definite(3)]),
    Right("gradient made symmetric", Smoothed, lambda: [definite(4), draw(4, 2)]),
    Right("softmax of masked logits", MaskedSoftmax, lambda: [masked()]),
]
