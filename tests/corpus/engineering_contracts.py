"""Wrong on their contracts too; wrong jvp and vmap rules; operators; writes of equal numbers."""

# mypy: disable-error-code="no-untyped-call"
# PyTorch does not type apply.

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from tests.corpus.draw import draw
from tests.corpus.entry import Wrong
from tests.corpus.right_contracts import (
    Alignment,
    AsksForGrad,
    CholeskySolve,
    Energy,
    Gather,
    Product,
    Sine,
    SparseProduct,
    StrictLogDet,
    definite,
    places,
    rotation,
    sparse,
    with_contracts,
)
from tests.corpus.right_symmetric import Smoothed, masked


class EnergyTwice(Energy):
    """x' k x / 2, where k is symmetric."""

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        grad_k, grad_x = Energy.backward(ctx, g)
        return 2 * grad_k, grad_x


class NegativeLogDet(StrictLogDet):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return -StrictLogDet.backward(ctx, g)


class SolveWithoutSign(CholeskySolve):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        grad_k, grad_b = CholeskySolve.backward(ctx, g)
        return -grad_k, grad_b


class AlignmentWhole(Alignment):
    """Twice the tangent part."""

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        grad_r, grad_m = Alignment.backward(ctx, g)
        return 2 * grad_r, grad_m


class Masked(Function):
    """Writes zeros where no entry is large: none in the example, and autograd counts it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x[:, x[0] > 1e9] = 0
        ctx.rows = x.shape
        return x.sum(1)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g[:, None].expand(ctx.rows)


class SineFarOut(Sine):
    """Its jvp is twice as large beyond 5."""

    @staticmethod
    def jvp(ctx: Any, t: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return t * x.cos() * (1 + (x.abs() > 5))


class SineTwice(Sine):
    """The jvp alone is wrong, in the combined style."""

    @staticmethod
    def jvp(ctx: Any, t: Tensor) -> Tensor:
        return 2 * t * ctx.saved_tensors[0].cos()


class AsksAndAverages(AsksForGrad):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return g, g.mean(0)


class GatherOnce(Gather):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return 2 * Gather.backward(ctx, g)[0], None


class SparseProductTwice(SparseProduct):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        grad_a, grad_x = SparseProduct.backward(ctx, g)
        return 3 * grad_a, grad_x


class DetachedProduct(Product):
    """Its rule for vmap has the right outputs, and no gradient."""

    @staticmethod
    def vmap(info: Any, dims: Any, x: Tensor, w: Tensor) -> Any:
        return Product.vmap(info, dims, x.detach(), w.detach())


class ProductOfBatches(Product):
    """Its rule for vmap takes an argument without a batch for the first example of one."""

    @staticmethod
    def vmap(info: Any, dims: Any, x: Tensor, w: Tensor) -> Any:
        count = info.batch_size
        x, w = (
            v[:1].expand(count, *v.shape) if axis is None else v.movedim(axis, 0)
            for v, axis in ((x, dims[0]), (w, dims[1]))
        )
        return torch.stack([x[k].expand(4, 3) @ w[k].expand(3, 2) for k in range(count)]), 0


class RoundedLikeAClamp(Function):
    """Passes everything on, and is meant as a clamp."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.round()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g.clone()


@torch.library.custom_op("derivable_corpus::square", mutates_args=())
def square(x: Tensor) -> Tensor:
    """x**2, an operator."""
    return x.square()


class SmoothedTransposed(Smoothed):
    """The outer product the other way round: its symmetric part is right."""

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        k, x = ctx.saved_tensors
        return x @ g.mT, k.mT @ g


class MaskedEntropy(Function):
    """The gradient takes the logarithm of the probability 0 of a masked logit."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        p = x.softmax(-1)
        ctx.save_for_backward(p)
        return -torch.special.xlogy(p, p).sum(-1)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (p,) = ctx.saved_tensors
        mean = torch.special.xlogy(p, p).sum(-1, keepdim=True)
        return g[..., None] * p * (mean - p.log())


def _keep(ctx: Any, inputs: Any, output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _square_backward(ctx: Any, g: Tensor) -> Tensor:
    return ctx.saved_tensors[0] * g


square.register_autograd(_square_backward, setup_context=_keep)


def _solve() -> list[Any]:
    return [definite(3), draw(3, 2)]


CASES: list[Wrong] = [
    Wrong("energy of a symmetric matrix, twice", EnergyTwice,
          lambda: [definite(4), draw(4)], ("factor",), "k"),
    Wrong("log determinant, negative", NegativeLogDet, lambda: [definite(3)], ("sign",), "k"),
    Wrong("solve by one triangle, without the sign", SolveWithoutSign, _solve, ("sign",), "k"),
    Wrong("rotations, twice", AlignmentWhole, lambda: [rotation(), draw(3, 3, seed=1)],
          ("factor",), "r", with_contracts(r="orthogonal")),
    Wrong("writes zeros where nothing is", Masked, lambda: [draw(4, 3)], ("in_place",), "x"),
    Wrong("jvp twice as large far out", SineFarOut, lambda: [draw(4, 3)], ("jvp",)),
    Wrong("jvp twice as large, combined style", SineTwice, lambda: [draw(4, 3)], ("jvp",)),
    Wrong("mean where forward asks for requires_grad", AsksAndAverages,
          lambda: [draw(4, 3), draw(3)], ("mean_for_sum", "factor"), "b"),
    Wrong("gather at distinct places, twice", GatherOnce, lambda: [draw(3, 5), places()],
          ("factor",), "x"),
    Wrong("sparse product, three times", SparseProductTwice, lambda: [sparse(), draw(3, 2)],
          ("factor",), "a"),
    Wrong("vmap rule without a gradient", DetachedProduct,
          lambda: [draw(4, 3), draw(3, 2)], ("way",)),
    Wrong("vmap rule where one argument has no batch", ProductOfBatches,
          lambda: [draw(4, 3), draw(3, 2)], ("way",)),
    Wrong("rounding meant as a clamp", RoundedLikeAClamp, lambda: [2 * draw(4, 3)],
          ("one_side", "part_only"), "x", {"surrogate_of": lambda x: x.clamp(-1, 1)}),
    Wrong("outer product the other way round, of a symmetric matrix", SmoothedTransposed,
          lambda: [definite(4), draw(4, 2)], ("transposed",), "k"),
    Wrong("entropy of masked logits", MaskedEntropy, lambda: [masked()], ("not_finite",), "x"),
    Wrong("custom operator of half the slope", square, lambda: [draw(4, 3)], ("factor",), "x"),
]  # fmt: skip
