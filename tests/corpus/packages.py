"""Mistakes of kinds that were found in public packages (docs/found.md), written anew and small."""

# mypy: disable-error-code="no-untyped-call"
# PyTorch does not type apply.

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import conv1d, conv_transpose1d

from tests.corpus.draw import draw, positive
from tests.corpus.entry import Wrong

TAPS = torch.tensor([[[0.5, -1.0, 0.25]]], dtype=torch.float64)


class MirroredFilter(Function):
    """A filter of the signal continued by its mirror image; backward is that for zeros."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ends = x[..., :1], x, x[..., -1:]
        return conv1d(torch.cat(ends, -1), TAPS.to(x.dtype))

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return conv_transpose1d(g, TAPS.to(g.dtype))[..., 1:-1]


class ChosenPadding(Function):
    """The same with the padding as an option, which backward does not look at."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, mirrored: int) -> Tensor:
        ends = x[..., :1] * mirrored, x, x[..., -1:] * mirrored
        return conv1d(torch.cat(ends, -1), TAPS.to(x.dtype))

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return conv_transpose1d(g, TAPS.to(g.dtype))[..., 1:-1], None


def nearest_on_simplex(x: Tensor) -> Tensor:
    """The nonnegative rows that sum to one nearest to the rows of x."""
    values = x.sort(-1, descending=True).values
    counts = torch.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    shifts = (values.cumsum(-1) - 1) / counts
    last = (values > shifts).sum(-1, keepdim=True) - 1
    return (x - shifts.gather(-1, last)).clamp(min=0)


class SparseMaximum(Function):
    """The value has the norm of p where the gradient p belongs to half of its square."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        p = nearest_on_simplex(x)
        ctx.save_for_backward(p)
        return (p * x).sum(-1) - p.norm(dim=-1)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (p,) = ctx.saved_tensors
        return g.unsqueeze(-1) * p


class FilterOfRows(Function):
    """Asks for grad_output to lie in memory row by row."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, h: Tensor) -> Tensor:
        ctx.save_for_backward(x, h)
        rows = x.reshape(1, -1, x.shape[-1])
        kernels = h.repeat(x.shape[0], 1).unsqueeze(1)
        return conv1d(rows, kernels, groups=rows.shape[1]).reshape(*x.shape[:2], -1)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        x, h = ctx.saved_tensors
        rows = g.view(1, -1, g.shape[-1])
        kernels = h.repeat(x.shape[0], 1).unsqueeze(1)
        grad_x = conv_transpose1d(rows, kernels, groups=rows.shape[1]).view(x.shape)
        windows = x.unfold(-1, g.shape[-1], 1)  # (batch, channels, taps, outputs)
        return grad_x, torch.einsum("bcko,bco->ck", windows, g)


class LeakyStep(Function):
    """A surrogate, with one gradient for two inputs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, leak: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.leak = leak
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return torch.where(x > 0, g, ctx.leak * g)


class Spike(Function):
    """A surrogate that nothing declares, here at potentials that are all below the threshold."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return g / (1 + (4 * x).square())


class Rescaled(Function):
    """Asks autograd for the gradients of all inputs, whether they require one or not."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor) -> Tensor:
        ctx.save_for_backward(x, scale)
        return (x * scale).tanh()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        x, scale = ctx.saved_tensors
        with torch.enable_grad():
            y = (x * scale).tanh()
        return torch.autograd.grad(y, (x, scale), g)


class Magnitude(Function):
    """Both gradients are made where the first is needed."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        r = (x**2 + y**2 + 0.01).sqrt()
        ctx.save_for_backward(x, y)
        return r

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        x, y = ctx.saved_tensors
        r = (x**2 + y**2 + 0.01).sqrt()
        if ctx.needs_input_grad[0]:
            grad_x, grad_y = g * x / r, g * y / r
        return grad_x, grad_y


class Centred(Function):
    """Right for (B, n) and (B, C, n); the squeeze also takes C = 1, and then rows are mixed."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        kept = (x > x.min(-1, keepdim=True).values).to(x.dtype)
        ctx.save_for_backward(kept)
        return kept * (x - (kept * x).sum(-1, keepdim=True) / kept.sum(-1, keepdim=True))

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (kept,) = ctx.saved_tensors
        mean = ((kept * g).sum(-1) / kept.sum(-1).squeeze(-1)).unsqueeze(-1)
        return torch.where(kept > 0, g - mean, 0.0)


class LogNormalCdf(Function):
    """Below -1 the slope is that of a series, which is 0.7% off there."""

    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        ctx.save_for_backward(z)
        return torch.special.log_ndtr(z)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (z,) = ctx.saved_tensors
        density = (-z * z / 2).exp() / math.sqrt(2 * math.pi)
        exact = density / torch.special.ndtr(z)
        return g * torch.where(z < -1, 1.007 * exact, exact)


class BiasIfTrained(Function):
    """A bias that requires no gradient is not added either."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(x, w)
        return x @ w + b if ctx.needs_input_grad[2] else x @ w

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        x, w = ctx.saved_tensors
        return g @ w.mT, x.mT @ g, g.sum(0)


class GaussianKernel(Function):
    """The derivative is made in forward, and is a constant to autograd."""

    @staticmethod
    def forward(ctx: Any, distances: Tensor, scale: Tensor) -> Tensor:
        k = (-distances * scale).exp()
        ctx.save_for_backward(-distances * k)
        return k

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        (slope,) = ctx.saved_tensors
        return None, (g * slope).sum()


class LinearOutsideAutograd(Function):
    """Right to first order; the Hessian of a loss behind it is zero."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.cumsum(-1)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g.detach().flip(-1).cumsum(-1).flip(-1)


class ShiftedInput(Function):
    """Takes the largest entry off its input, which belongs to the caller."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x -= x.max(-1, keepdim=True).values
        y = x.softmax(-1)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return y * (g - (g * y).sum(-1, keepdim=True))


def _kernel() -> list[Any]:
    return [positive(4, 3).detach(), torch.tensor(0.7, dtype=torch.float64, requires_grad=True)]


CASES: list[Wrong] = [
    Wrong("filter of a mirrored signal, as if of zeros", MirroredFilter,
          lambda: [draw(2, 1, 6)], ("part_only",), "x"),
    Wrong("filter whose backward forgets the padding", ChosenPadding,
          lambda: [draw(2, 1, 6), 1], ("constant", "part_only"), "x"),
    Wrong("sparse maximum, norm and half of its square", SparseMaximum,
          lambda: [draw(4, 5)], ("missing_term",), "x"),
    Wrong("filter with a view of grad_output", FilterOfRows,
          lambda: [draw(2, 3, 8), draw(3, 4, seed=1)], ("layout",)),
    Wrong("leaky step, one gradient of two", LeakyStep, lambda: [draw(4, 3), 0.1], ("count",)),
    Wrong("spike, silent", Spike, lambda: [-positive(4, 3).detach()], ("surrogate",), "x"),
    Wrong("autograd inside asked for every input", Rescaled,
          lambda: [draw(4, 3), draw(3, seed=1)], ("needs_input_grad",)),
    Wrong("two gradients made where one is needed", Magnitude,
          lambda: [draw(5), draw(5, seed=1)], ("needs_input_grad",), "y"),
    Wrong("squeeze that also takes one channel", Centred,
          lambda: [draw(2, 1, 5)], ("factor",), "x"),
    Wrong("log of the normal distribution, 0.7% off below -1", LogNormalCdf,
          lambda: [draw(12)], ("one_side",), "z"),
    Wrong("bias left out where it is frozen", BiasIfTrained,
          lambda: [draw(5, 3), draw(3, 2, seed=1), draw(2, seed=2)], ("needs_input_grad",)),
    Wrong("kernel whose slope is saved", GaussianKernel, _kernel, ("second_order",), "scale"),
    Wrong("linear, outside of autograd", LinearOutsideAutograd,
          lambda: [draw(4, 3)], ("second_order",)),
    Wrong("softmax that shifts its input", ShiftedInput, lambda: [draw(4, 3)], ("in_place",), "x"),
]  # fmt: skip
