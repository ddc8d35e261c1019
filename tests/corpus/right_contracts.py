"""Right on what their arguments always are, and right in ways that PyTorch accepts."""

# mypy: disable-error-code="no-untyped-call"
# PyTorch does not type apply.

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.autograd import Function

from derivable.contracts import Symmetric
from tests.corpus.draw import draw, fixed
from tests.corpus.entry import Right


def definite(n: int, *, seed: int = 0) -> Tensor:
    """A symmetric positive definite matrix (n, n) that requires grad."""
    factor = fixed(n, n, seed=seed)
    matrix = factor @ factor.mT / n + torch.eye(n).double()
    return ((matrix + matrix.mT) / 2).requires_grad_()


class Energy(Function):
    """x' k x / 2, where k is symmetric."""

    @staticmethod
    def forward(ctx: Any, k: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(k, x)
        return x @ k @ x / 2

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        k, x = ctx.saved_tensors
        return g * torch.outer(x, x) / 2, g * (k @ x)


class DeclaredEnergy(Function):
    contracts: ClassVar[dict[str, Any]] = {"k": Symmetric()}

    @staticmethod
    def forward(ctx: Any, k: Tensor, x: Tensor) -> Tensor:
        return Energy.forward(ctx, k, x)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return Energy.backward(ctx, g)


class CholeskySolve(Function):
    """Reads one triangle; its gradient is not symmetric, and right in symmetric directions."""

    @staticmethod
    def forward(ctx: Any, k: Tensor, b: Tensor) -> Tensor:
        x = torch.cholesky_solve(b, torch.linalg.cholesky(k))
        ctx.save_for_backward(k, x)
        return x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        k, x = ctx.saved_tensors
        h = torch.linalg.solve(k, g)
        return -h @ x.mT, h


class StrictLogDet(Function):
    @staticmethod
    def forward(ctx: Any, k: Tensor) -> Tensor:
        if not torch.equal(k, k.mT):
            raise ValueError("k must be exactly symmetric")
        ctx.save_for_backward(k)
        return torch.linalg.slogdet(k).logabsdet

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g * torch.linalg.inv(ctx.saved_tensors[0])


class Alignment(Function):
    """tr(M' r), with the part of the gradient that is tangent to the rotations."""

    @staticmethod
    def forward(ctx: Any, r: Tensor, m: Tensor) -> Tensor:
        ctx.save_for_backward(r, m)
        return (m * r).sum()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        r, m = ctx.saved_tensors
        return g * (m - r @ m.mT @ r) / 2, g * r


class Cosine(Function):
    """The cosine of two directions of length 1, with gradients on the sphere."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, v: Tensor) -> Tensor:
        ctx.save_for_backward(u, v)
        return (u * v).sum(-1)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        u, v = ctx.saved_tensors
        cosine = (u * v).sum(-1, keepdim=True)
        return g[..., None] * (v - cosine * u), g[..., None] * (u - cosine * v)


class Entropy(Function):
    """Its gradient lacks a constant, along which no distribution moves."""

    @staticmethod
    def forward(ctx: Any, p: Tensor) -> Tensor:
        ctx.save_for_backward(p)
        return -(p * p.log()).sum(-1)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return -g[..., None] * ctx.saved_tensors[0].log()


class LowerSolve(Function):
    """Of a triangle: what its gradient has above the diagonal has no meaning."""

    @staticmethod
    def forward(ctx: Any, lower: Tensor, b: Tensor) -> Tensor:
        x = torch.linalg.solve(lower, b)
        ctx.save_for_backward(lower, x)
        return x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        lower, x = ctx.saved_tensors
        h = torch.linalg.solve(lower.mT, g)
        return -(h @ x.mT).tril(), h


class Mixed(Function):
    """p a + (1 - p) b for a share p, clamped without a word elsewhere."""

    @staticmethod
    def forward(ctx: Any, p: Tensor, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(p, a, b)
        share = p.clamp(0, 1)
        return share * a + (1 - share) * b

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        p, a, b = ctx.saved_tensors
        return g * (a - b), g * p, g * (1 - p)


class Cross(Function):
    """The cross product with (1, 2, 3): there are three columns, and others are not read."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        a, b, c = x[:, 0], x[:, 1], x[:, 2]
        ctx.shape = x.shape
        return torch.stack([3 * b - 2 * c, c - 3 * a, 2 * a - b], 1)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        a, b, c = g[:, 0], g[:, 1], g[:, 2]
        return torch.stack([2 * c - 3 * b, 3 * a - c, b - 2 * a], 1).reshape(ctx.shape)


class Direction(Function):
    """x / |x|, which nobody asks for at 0."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x.abs().sqrt()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 1.5 * g * x.abs() / x.abs().sqrt()


class Scaled(Function):
    """Autograd sums what is returned for the number s."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, s: Tensor) -> Tensor:
        ctx.save_for_backward(x, s)
        return x * s

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        x, s = ctx.saved_tensors
        return g * s, g * x


class Sine(Function):
    """In the combined style, with a jvp, which torch.func refuses and dual numbers do not."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        return x.sin()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g * ctx.saved_tensors[0].cos()

    @staticmethod
    def jvp(ctx: Any, t: Tensor) -> Tensor:
        return t * ctx.saved_tensors[0].cos()


class AsksForGrad(Function):
    """Sums for b only where forward saw that it is learned."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, b: Tensor) -> Tensor:
        ctx.learned = b.requires_grad
        return x + b

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return g, g.sum(0) if ctx.learned else None


class Step(Function):
    """In float32 whatever it is given; its slope is declared to be no derivative."""

    surrogate = "straight-through"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return (x > 0).float()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g.clone()


class ClippedSign(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.sign()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g * (ctx.saved_tensors[0].abs() < 1)


class Gather(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        ctx.columns = x.shape[1]
        return x.gather(1, index)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        (index,) = ctx.saved_tensors
        return g.new_zeros(len(g), ctx.columns).scatter_add(1, index, g), None


class SparseProduct(Function):
    """The gradient of a sparse matrix, at its stored entries."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(a, x)
        return a @ x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        a, x = ctx.saved_tensors
        return (g @ x.mT).sparse_mask(a.coalesce()), a.mT @ g


class Product(Function):
    """Its rule for vmap moves the batch to the front, wherever it is."""

    @staticmethod
    def forward(x: Tensor, w: Tensor) -> Tensor:
        return x @ w

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        x, w = ctx.saved_tensors
        return g @ w.mT, x.mT @ g

    @staticmethod
    def vmap(info: Any, dims: Any, x: Tensor, w: Tensor) -> Any:
        count = info.batch_size
        x, w = (
            v.expand(count, *v.shape) if axis is None else v.movedim(axis, 0)
            for v, axis in ((x, dims[0]), (w, dims[1]))
        )
        return Product.apply(x, w), 0


@torch.library.custom_op("derivable_corpus::cube", mutates_args=())
def cube(x: Tensor, *, scale: float = 1.0) -> Tensor:
    """scale x**3, an operator with a number by keyword."""
    return scale * x.pow(3)


def _keep(ctx: Any, inputs: Any, keyword_only_inputs: Any, output: Tensor) -> None:
    ctx.save_for_backward(*inputs)
    ctx.scale = keyword_only_inputs["scale"]


def _cube_backward(ctx: Any, g: Tensor) -> Tensor:
    return 3 * ctx.scale * ctx.saved_tensors[0] ** 2 * g


cube.register_autograd(_cube_backward, setup_context=_keep)


def sparse(*, requires_grad: bool = True) -> Tensor:
    """A sparse matrix (4, 3) with five entries."""
    dense = fixed(4, 3) * (fixed(4, 3, seed=3) > 0.3)
    return dense.to_sparse().requires_grad_(requires_grad)


def rotation() -> Tensor:
    return torch.linalg.qr(fixed(3, 3)).Q.requires_grad_()


def _units(seed: int) -> Tensor:
    x = fixed(4, 3, seed=seed)
    return (x / x.norm(dim=-1, keepdim=True)).requires_grad_()


def _shares() -> Tensor:
    return fixed(4, 3).softmax(-1).requires_grad_()


def places() -> Tensor:
    return torch.tensor([[0, 1], [2, 3], [4, 0]])


def _fractions(*shape: int) -> Tensor:
    return fixed(*shape).sigmoid().requires_grad_()


def with_contracts(**contracts: Any) -> dict[str, Any]:
    """The option `contracts` of check."""
    return {"contracts": contracts}


CONTRACTS = [
    Right("energy of a symmetric matrix, as documented", Energy, lambda: [definite(4), draw(4)]),
    Right("energy of a symmetric matrix, declared", DeclaredEnergy, lambda: [definite(4), draw(4)]),
    Right("solve by one triangle", CholeskySolve, lambda: [definite(3), draw(3, 2)]),
    Right("log determinant of exactly symmetric ones", StrictLogDet, lambda: [definite(3)]),
    Right(
        "gradient along the rotations", Alignment, lambda: [rotation(), draw(3, 3, seed=1)],
        with_contracts(r="orthogonal"),
    ),
    Right(
        "gradients on the sphere", Cosine, lambda: [_units(0), _units(1)],
        with_contracts(u="unit", v="unit"),
    ),
    Right("entropy up to a constant", Entropy, lambda: [_shares()], with_contracts(p="simplex")),
    Right(
        "solve of a triangle", LowerSolve,
        lambda: [(fixed(3, 3).tril() + 2 * torch.eye(3)).requires_grad_(), draw(3, 2)],
        with_contracts(lower="lower"),
    ),
    Right(
        "a share between 0 and 1", Mixed,
        lambda: [_fractions(4, 3), draw(4, 3), draw(4, 3, seed=1)], with_contracts(p="0..1"),
    ),
    Right("three columns", Cross, lambda: [draw(5, 3)], with_contracts(x="fixed(1)")),
    Right("not asked for at 0", Direction, lambda: [draw(5, 3)], with_contracts(x="nonzero")),
    Right("number that autograd sums", Scaled, lambda: [draw(4, 3), draw()]),
    Right("jvp in the combined style", Sine, lambda: [draw(4, 3)]),
    Right("forward that asks for requires_grad", AsksForGrad, lambda: [draw(4, 3), draw(3)]),
    Right("step in float32, declared", Step, lambda: [draw(4, 3, dtype=torch.float32)]),
    Right(
        "sign as if it were a clamp", ClippedSign, lambda: [draw(4, 3)],
        {"surrogate_of": lambda x: x.clamp(-1, 1)},
    ),
    Right("gather at distinct places", Gather, lambda: [draw(3, 5), places()]),
    Right("product of a sparse matrix", SparseProduct, lambda: [sparse(), draw(3, 2)]),
    Right(
        "product of a constant sparse matrix", SparseProduct,
        lambda: [sparse(requires_grad=False), draw(3, 2)],
    ),
    Right("vmap rule for one batch of two", Product, lambda: [draw(4, 3), draw(3, 2)]),
    Right("custom operator", cube, lambda: [draw(4, 3)], {"scale": 2.0}),
]  # fmt: skip
