"""Wrong backwards of numbers in a machine: memory layout, conjugates, precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.autograd import Function
from torch.autograd.function import once_differentiable

import derivable
from tests.corpus.draw import draw, positive
from tests.corpus.entry import Wrong

Rule = Callable[..., Any]


def pointwise(name: str, function: Rule, rule: Rule) -> Any:
    """A Function of one tensor: `function(x)`, with the backward `rule(g, x, y)`."""

    class Pointwise(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = function(x)
            ctx.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(ctx: Any, grad_output: Any) -> Any:
            return rule(grad_output, *ctx.saved_tensors)

    Pointwise.__name__ = Pointwise.__qualname__ = name
    return Pointwise


# --- layout --------------------------------------------------------------------------------------


class FlatSin(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (x,) = ctx.saved_tensors
        flat = grad_output.view(-1) * x.cos().reshape(-1)
        return flat.view(x.shape)


class StridedScale(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, scale: Any) -> Any:
        ctx.save_for_backward(x, scale)
        return x * scale

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, scale = ctx.saved_tensors
        rows, columns = x.shape
        g = torch.as_strided(g, (rows, columns), (columns, 1))
        return g * scale, (g * x).sum(0)


class StorageNegative(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return -x

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Any) -> Any:
        raw = torch.empty(0, dtype=grad_output.dtype).set_(grad_output.untyped_storage())
        return -raw[: grad_output.numel()].reshape(grad_output.shape)


class MemoryOrderTriple(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return 3 * x

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Any) -> Any:
        flat = np.ravel(grad_output.detach().numpy(), order="K")
        return 3 * torch.from_numpy(flat.copy()).reshape(grad_output.shape)


class BytesHalf(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x / 2

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Any) -> Any:
        sent = g.detach().numpy().tobytes(order="A")  # to the other process and back
        received = torch.frombuffer(bytearray(sent), dtype=g.dtype)
        return received.reshape(g.shape) / 2


class InputOrderCos(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.cos(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (x,) = ctx.saved_tensors
        grad = torch.empty_like(x)  # has the strides of x
        flat = grad.as_strided((x.numel(),), (1,))
        flat.copy_((-x.sin() * grad_output).flatten())
        return grad


class ChannelBias(Function):
    @staticmethod
    def forward(ctx: Any, images: Any, bias: Any) -> Any:
        return images + bias[:, None, None]

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        n, c, h, w = grad_output.shape
        planes = torch.as_strided(grad_output, (n, c, h * w), (c * h * w, h * w, 1))
        return grad_output, planes.sum(dim=(0, 2))


class GatedInPlace(Function):
    """Thinks that grad_output is its own to write on."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        gate = (x > 0).to(x.dtype)
        ctx.save_for_backward(gate)
        return x * gate

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (gate,) = ctx.saved_tensors
        return grad_output.mul_(gate)


class FastPathSquare(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x.square()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        if not g.is_contiguous():  # the slow path, never run on the author's machine
            g = g.mT.contiguous().view(g.shape)
        return 2 * x * g


class FirstRowCumsum(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x.cumsum(1)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        if 0 in grad_output.stride():
            grad_output = grad_output[:1].expand_as(grad_output)
        return grad_output.flip(1).cumsum(1).flip(1)


class RawComplexScale(Function):
    @staticmethod
    def forward(ctx: Any, z: Any) -> Any:
        return z * (1 + 2j)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Any) -> Any:
        g = grad_output.contiguous()
        raw = torch.empty(0, dtype=g.dtype).set_(g.untyped_storage())
        return torch.as_strided(raw, g.shape, g.stride(), g.storage_offset()) * (1 - 2j)


# --- conjugates ----------------------------------------------------------------------------------


class ComplexProduct(Function):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        ctx.save_for_backward(a, b)
        return a * b

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, b = ctx.saved_tensors
        return grad_output * b, grad_output * a


class ComplexLinear(derivable.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, w = ctx.saved_tensors
        return grad_output @ w.mH, x.mH @ grad_output.conj()


pairs = pointwise(
    "Pairs", lambda z: 2 * z, lambda g, z, y: torch.view_as_complex(2 * torch.view_as_real(g))
)
complex_exp = pointwise("ComplexExp", torch.exp, lambda g, z, y: g * y)

# --- precision -----------------------------------------------------------------------------------


class Float32Matmul(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, w = (t.float() for t in ctx.saved_tensors)
        g = grad_output.float()  # float64 is slow on the GPU
        return (g @ w.T).to(grad_output.dtype), (x.T @ g).to(grad_output.dtype)


class DefaultDtypeAverage(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        return 0.3 * x + 0.7 * y

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        grads = torch.zeros(2, *grad_output.shape)
        grads[0] += 0.3 * grad_output
        grads[1] += 0.7 * grad_output
        return grads[0].to(grad_output), grads[1].to(grad_output)


class WeightDecay(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x * w + 1e-7 * x**2

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        return g * w, g * x


class Units(Function):
    @staticmethod
    def forward(ctx: Any, lengths: Any) -> Any:
        ctx.save_for_backward(lengths)
        return lengths**2 / 2 * lengths.new_tensor([1.0, 1e3, 1e-7, 1.0, 1e-2])

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (lengths,) = ctx.saved_tensors
        return g * lengths * lengths.new_tensor([1.0, 1e3, -1e-7, 1.0, 1e-2])


half_tanh = pointwise(
    "HalfTanh", torch.tanh, lambda g, x, y: g * (1 - torch.tanh(x.half()).to(g.dtype) ** 2)
)
float_atan = pointwise("FloatAtan", torch.atan, lambda g, x, y: (g / (1 + x * x)).float())
bf16_exp = pointwise("BFloat16Exp", torch.exp, lambda g, x, y: g * x.bfloat16().exp().to(g.dtype))
radians = pointwise("Radians", torch.deg2rad, lambda g, x, y: g * torch.tensor(math.pi) / 180)
exp2 = pointwise("Exp2", torch.exp2, lambda g, x, y: g * y * 0.6931)
log10 = pointwise("Log10", torch.log10, lambda g, x, y: g * 0.434295 / x)
erf = pointwise("Erf", torch.erf, lambda g, x, y: g * 1.12838 * torch.exp(-x * x))


def _one() -> tuple[Any, ...]:
    return (draw(13, 5),)


def _alike() -> tuple[Any, ...]:
    return draw(13, 5), draw(13, 5, seed=1)


def _factors() -> tuple[Any, ...]:
    return draw(13, 5), draw(5, 3, seed=1)


def _images() -> tuple[Any, ...]:
    return draw(2, 3, 7, 5), draw(3, seed=1)


def _complex() -> tuple[Any, ...]:
    return (draw(13, 5, dtype=torch.complex128),)


def _complex_pair() -> tuple[Any, ...]:
    return (*_complex(), draw(13, 5, seed=1, dtype=torch.complex128))


def _complex_factors() -> tuple[Any, ...]:
    return (*_complex(), draw(5, 3, seed=1, dtype=torch.complex128))


ROUNDED = ("constant", "factor")

CASES: list[Wrong] = [
    Wrong("sin views grad_output flat", FlatSin, _one, ("layout", "raises"), "x"),
    Wrong("scale with as_strided", StridedScale, lambda: (draw(13, 5), draw(5)), ("layout",)),
    Wrong("negative by storage", StorageNegative, _one, ("layout",), "x"),
    Wrong("triple in memory order", MemoryOrderTriple, _one, ("layout",), "x"),
    Wrong("half through bytes", BytesHalf, _one, ("layout",), "x"),
    Wrong("cos in the strides of x", InputOrderCos, _one, ("layout",), "x"),
    Wrong("bias of channels", ChannelBias, _images, ("layout",), "bias"),
    Wrong("gate on an expanded grad_output", GatedInPlace, _one, ("in_place", "layout"), "x"),
    Wrong("square with a fast path", FastPathSquare, _one, ("layout",), "x"),
    Wrong("cumsum of the first row", FirstRowCumsum, _one, ("layout",), "x"),
    Wrong("complex scale on bytes", RawComplexScale, _complex, ("layout", "conjugate"), "z"),
    Wrong("complex as real pairs", pairs, _complex, ("layout", "raises"), "x"),
    Wrong("complex product", ComplexProduct, _complex_pair, ("conjugate",)),
    Wrong("complex linear", ComplexLinear, _complex_factors, ("conjugate",), "w"),
    Wrong("complex exp", complex_exp, _complex, ("conjugate",), "x"),
    Wrong("matmul in float32", Float32Matmul, _factors, ("precision",)),
    Wrong("tanh in float16", half_tanh, _one, ("precision",), "x"),
    Wrong("average in default dtype", DefaultDtypeAverage, _alike, ("precision",)),
    Wrong("atan returns float32", float_atan, _one, ("dtype", "precision"), "x"),
    Wrong("weight decay left out", WeightDecay, _alike, ("missing_term",), "x"),
    Wrong("sign of the smallest unit", Units, _one, ("part_only", "sign"), "lengths"),
    Wrong("exp in bfloat16", bf16_exp, _one, ("precision",), "x"),
    Wrong("radians with a float32 pi", radians, _one, ("precision", *ROUNDED), "x"),
    Wrong("exp2 with 0.6931", exp2, _one, ROUNDED, "x"),
    Wrong("log10 with 0.434295", log10, lambda: (positive(13, 5),), ROUNDED, "x"),
    Wrong("erf with 1.12838", erf, _one, ROUNDED, "x"),
]
