"""Wrong backwards that remember: state between calls, redrawn numbers, tensors changed in place."""

from __future__ import annotations

import weakref
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

import derivable
from tests.corpus.draw import draw
from tests.corpus.entry import Wrong

# --- state between calls -------------------------------------------------------------------------


class TanhOnClass(Function):
    y: ClassVar[Any] = None

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        TanhOnClass.y = torch.tanh(x)
        return TanhOnClass.y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * (1 - TanhOnClass.y**2)


def two_tanhs(x: Any) -> Any:
    tanh: Any = TanhOnClass
    return tanh.apply(0.5 * tanh.apply(x))


_SOFTMAX: dict[Any, Any] = {}


class SoftmaxByShape(Function):
    """The probabilities are kept in a table, so that ctx stays light."""

    @staticmethod
    def forward(ctx: Any, logits: Any) -> Any:
        ctx.key = tuple(logits.shape)
        _SOFTMAX[ctx.key] = torch.softmax(logits, dim=-1)
        return _SOFTMAX[ctx.key]

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        p = _SOFTMAX[ctx.key]
        return p * (grad_output - (grad_output * p).sum(dim=-1, keepdim=True))


_WORKSPACES: dict[Any, torch.Tensor] = {}


def _workspace(shape: torch.Size, dtype: torch.dtype) -> torch.Tensor:
    """One scratch tensor per shape and dtype, so that training allocates nothing."""
    key = (tuple(shape), dtype)
    if key not in _WORKSPACES:
        _WORKSPACES[key] = torch.empty(shape, dtype=dtype)
    return _WORKSPACES[key]


class PooledReLU(Function):
    @staticmethod
    def forward(ctx: Any, activations: Any) -> Any:
        positive = _workspace(activations.shape, torch.bool)
        torch.gt(activations, 0, out=positive)
        ctx.positive = positive
        return activations * positive

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output * ctx.positive


_TAPE: list[Any] = []


class TapeSquare(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        _TAPE.append(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 2 * _TAPE.pop() * g


class PoppedProduct(Function):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        ctx.kept = [a, b]
        return a * b

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        b = ctx.kept.pop()
        a = ctx.kept.pop()
        return grad * b, grad * a


class ProductWithDefault(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, w: Any, cache: dict[str, Any] = {}) -> Any:  # noqa: B006
        cache.update(x=x, w=w)
        ctx.cache = cache
        return x @ w

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        cache = ctx.cache
        return grad_output @ cache["w"].T, cache["x"].T @ grad_output


class _Affine(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, bias: Any, layer: Any) -> Any:
        layer.last_input = x
        ctx.layer = layer
        ctx.save_for_backward(weight)
        return x @ weight + bias

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (weight,) = ctx.saved_tensors
        grad_weight = ctx.layer.last_input.T @ grad_output
        return grad_output @ weight.T, grad_weight, grad_output.sum(0), None


class Dense(nn.Module):
    """A layer in the style of the old lecture notes: it remembers its last input."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(draw(5, 3, seed=1).detach())
        self.bias = nn.Parameter(draw(3, seed=2).detach())
        self.last_input: Any = None

    def forward(self, x: Any) -> Any:
        affine: Any = _Affine
        return affine.apply(x, self.weight, self.bias, self)


class LeakyFirstMask(Function):
    slope: ClassVar[Any] = None

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        slope = torch.where(x > 0, 1.0, 0.1).to(x.dtype)
        if LeakyFirstMask.slope is None or LeakyFirstMask.slope.shape != x.shape:
            LeakyFirstMask.slope = slope
        return slope * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * LeakyFirstMask.slope


class AccumulatingScale(Function):
    """Scales the columns; sums the gradient of the scale itself, as .grad would."""

    total: ClassVar[dict[Any, Any]] = {}

    @staticmethod
    def forward(ctx: Any, x: Any, scale: Any) -> Any:
        ctx.save_for_backward(x, scale)
        return x * scale

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, scale = ctx.saved_tensors
        total = AccumulatingScale.total
        total[scale.shape] = total.get(scale.shape, 0) + (grad_output * x).sum(0)
        return grad_output * scale, total[scale.shape]


_SIGNS: dict[int, Any] = {}


class AbsById(Function):
    """Looks the signs up by the identity of the tensor, to compute them once per parameter."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        if id(x) not in _SIGNS:
            _SIGNS[id(x)] = torch.sign(x)
            weakref.finalize(x, _SIGNS.pop, id(x), None)  # the next tensor may get this identity
        ctx.signs = _SIGNS[id(x)]
        return torch.abs(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output * ctx.signs


# --- random numbers ------------------------------------------------------------------------------


class DropoutRedrawn(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, p: float = 0.3) -> Any:
        ctx.p = p
        return x * (torch.rand_like(x) >= p) / (1 - p)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * (torch.rand_like(g) >= ctx.p) / (1 - ctx.p), None


def dropout_redrawn(x: Any) -> Any:
    dropout: Any = DropoutRedrawn
    return dropout.apply(x, 0.3)


class JitterDropout(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.rng_state = torch.get_rng_state()
        jitter = 0.01 * torch.randn_like(x)
        return (x + jitter) * torch.bernoulli(torch.full_like(x, 0.8))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(ctx.rng_state)
            keep = torch.bernoulli(torch.full_like(grad_output, 0.8))
        return grad_output * keep


_RNG = np.random.default_rng(7)


class NumPyMask(Function):
    @staticmethod
    def _mask(like: Any) -> Any:
        return torch.from_numpy(_RNG.random(tuple(like.shape)) < 0.5).to(like.dtype)

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * NumPyMask._mask(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * NumPyMask._mask(g)


class RandomLeaky(derivable.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.where(x < 0, x * torch.empty_like(x).uniform_(1 / 8, 1 / 3), x)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (x,) = ctx.saved_tensors
        slope = torch.empty_like(x).uniform_(1 / 8, 1 / 3)
        return torch.where(x < 0, grad_output * slope, grad_output)


# --- changed in place ----------------------------------------------------------------------------


class MaskingReLU(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (x,) = ctx.saved_tensors
        grad_output[x < 0] = 0
        return grad_output


class ThriftyTanh(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = torch.tanh(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Any) -> Any:
        slope = ctx.saved_tensors[0].data
        slope.square_().neg_().add_(1)  # no temporary
        return grad_output * slope


class ShiftedSoftmax(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        x -= x.max(-1, keepdim=True).values
        e = x.exp()
        y = e / e.sum(-1, keepdim=True)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved_tensors
        return y * (g - (g * y).sum(-1, keepdim=True))


class ClampedInput(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x > 0)
        return 3 * x.clamp_(min=0)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 3 * g * ctx.saved_tensors[0]


class NumPySquare(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Any) -> Any:
        (x,) = ctx.saved_tensors
        g = grad_output.detach().numpy()
        g *= 2 * x.detach().numpy()
        return torch.from_numpy(g)


class NegatedInPlace(derivable.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return 1 - x

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output.neg_()


class Difference(Function):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        return a - b

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g, g.neg_()


def _one() -> tuple[Any, ...]:
    return (draw(13, 5),)


def _alike() -> tuple[Any, ...]:
    return draw(13, 5), draw(13, 5, seed=1)


def _factors() -> tuple[Any, ...]:
    return draw(13, 5), draw(5, 3, seed=1)


def _columns() -> tuple[Any, ...]:
    return draw(13, 5), draw(5, seed=1)


POOLED = ("state", "changed_after_saving")

CASES: list[Wrong] = [
    Wrong("tanh keeps its output on the class", TanhOnClass, _one, ("state",), "x"),
    Wrong("a tanh kept on the class, used twice", two_tanhs, _one, ("state",), "x"),
    Wrong("softmax kept in a table by shape", SoftmaxByShape, _one, ("state",), "logits"),
    Wrong("relu in a pooled workspace", PooledReLU, _one, POOLED, "activations"),
    Wrong("square on a global tape", TapeSquare, _one, ("state", "raises"), "x"),
    Wrong("product pops what it saved", PoppedProduct, _alike, ("state", "raises")),
    Wrong("matmul saves into a mutable default", ProductWithDefault, _factors, ("state",)),
    Wrong("a layer remembers its last input", Dense(), _one, ("state",), "weight"),
    Wrong("leaky relu with the first call's slopes", LeakyFirstMask, _one, ("state",), "x"),
    Wrong("scale adds up over calls", AccumulatingScale, _columns, ("state",), "scale"),
    Wrong("abs looks signs up by id", AbsById, _one, ("state",), "x"),
    Wrong("dropout draws again", dropout_redrawn, _one, ("random",), "x"),
    Wrong("dropout after jitter, replayed", JitterDropout, _one, ("random",), "x"),
    Wrong("numpy mask drawn again", NumPyMask, _one, ("random",), "x"),
    Wrong("rrelu draws its slope again", RandomLeaky, _one, ("random",), "x"),
    Wrong("relu zeroes grad_output itself", MaskingReLU, _one, ("in_place",), "x"),
    Wrong("tanh makes its slope in the saved output", ThriftyTanh, _one, ("in_place",), "x"),
    Wrong("softmax shifts its input", ShiftedSoftmax, _one, ("in_place",), "x"),
    Wrong("clamp_ of the input", ClampedInput, _one, ("in_place",), "x"),
    Wrong("numpy *= on grad_output", NumPySquare, _one, ("in_place",), "x"),
    Wrong("1 - x negates grad_output", NegatedInPlace, _one, ("in_place",), "x"),
    Wrong("a - b returns one tensor twice", Difference, _alike, ("in_place", "sign"), "a"),
]
