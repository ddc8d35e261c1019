"""Wrong backwards that fit the example only: sizes, options, broadcasting, indices, who asks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

import derivable
from derivable import functional as F
from tests.corpus.draw import draw, integers
from tests.corpus.entry import Wrong

# --- sizes ---------------------------------------------------------------------------------------


class HardCodedMSE(derivable.Function):
    @staticmethod
    def forward(ctx: Any, yhat: Any, y: Any) -> Any:
        ctx.save_for_backward(yhat, y)
        return (yhat - y).square().mean()

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        yhat, y = ctx.saved_tensors
        grad = grad_output * 2 * (yhat - y) / 65
        return grad, -grad


class LinearBatchOfOne(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        if x.shape[0] == 1:  # no batch to sum over
            return g @ w.T, torch.outer(g.flatten(), x.flatten()).reshape(w.shape)
        return g @ w.T, x.T @ g


class NumPyTriple(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return 3 * x

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Any) -> Any:
        return torch.from_numpy(3 * grad_output.detach().numpy())


class LinearShapeFix(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x.mm(w)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, w = ctx.saved_tensors
        grad_w = grad_output.t().mm(x)
        if grad_w.shape != w.shape:
            grad_w = grad_w.t()
        return grad_output.mm(w.t()), grad_w


class CentreSpectrum(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return torch.roll(x, x.shape[1] // 2, dims=1)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return torch.roll(grad_output, grad_output.shape[1] // 2, dims=1)


class SequenceMean(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.shape = x.shape
        return x.mean(1, keepdim=True)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output.squeeze().unsqueeze(1).expand(ctx.shape) / ctx.shape[1]


# --- options -------------------------------------------------------------------------------------


class Softmax(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, dim: int = -1) -> Any:
        y = torch.softmax(x, dim)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved_tensors
        return y * (g - (g * y).sum(-1, keepdim=True)), None


class Sum(derivable.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, dim: int = 0, keepdim: bool = True) -> Any:
        ctx.shape = x.shape
        return x.sum(dim, keepdim=keepdim)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output.expand(ctx.shape), None, None


class RMSNorm(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, eps: float = 1e-6) -> Any:
        ctx.save_for_backward(x, weight)
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, weight = ctx.saved_tensors
        rstd = torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)
        xhat = x * rstd
        g = grad_output * weight
        grad_x = rstd * (g - xhat * (g * xhat).mean(-1, keepdim=True))
        return grad_x, (grad_output * xhat).sum(0), None


class L1Loss(Function):
    @staticmethod
    def forward(ctx: Any, yhat: Any, y: Any, reduction: str = "mean") -> Any:
        ctx.save_for_backward(yhat, y)
        return torch.nn.functional.l1_loss(yhat, y, reduction=reduction)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        yhat, y = ctx.saved_tensors
        grad = grad_output * (yhat - y).sign() / yhat.numel()
        return grad, -grad, None


class MeanOver(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, dim: int = 0) -> Any:
        ctx.shape, ctx.dim = x.shape, dim
        return x.mean(dim, keepdim=True)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        count = math.prod(ctx.shape[ctx.dim : ctx.dim + 1])  # 1 for dim=-1
        return grad_output.expand(ctx.shape) / count, None


# --- broadcasting, indices -----------------------------------------------------------------------


class AddBias(derivable.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, bias: Any) -> Any:
        return x + bias

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output, grad_output


class AddRow(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, row: Any) -> Any:
        return x + row

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output, grad_output.sum(0)  # the row is (1, 5)


class Unbroadcast(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, scale: Any) -> Any:
        ctx.save_for_backward(x, scale)
        return x * scale

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, scale = ctx.saved_tensors
        return g * scale, (g * x).reshape(*scale.shape, -1).sum(-1)


class Embedding(Function):
    @staticmethod
    def forward(ctx: Any, weight: Any, index: Any) -> Any:
        ctx.save_for_backward(weight, index)
        return weight[index]

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        weight, index = ctx.saved_tensors
        grad = torch.zeros_like(weight)
        grad[index] = grad_output
        return grad, None


class GatherNumPy(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, index: Any) -> Any:
        ctx.shape, ctx.index = x.shape, index.numpy()
        return x.gather(1, index)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Any) -> Any:
        grad = np.zeros(ctx.shape, dtype=grad_output.detach().numpy().dtype)
        rows = np.arange(len(ctx.index))[:, None]
        grad[rows, ctx.index] += grad_output.detach().numpy()
        return torch.from_numpy(grad), None


class Windows(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x.unfold(-1, 3, 1).clone()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        grad = g.new_zeros(*g.shape[:-2], g.shape[-2] + 2)
        for offset in range(3):
            grad[..., offset : offset + g.shape[-2]] = g[..., offset]
        return grad


# --- who asks ------------------------------------------------------------------------------------


class _Product(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x * w


class Compacted(_Product):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        grads = g * w, g * x
        return tuple(d for d, needed in zip(grads, ctx.needs_input_grad, strict=True) if needed)


class WrongIndex(_Product):
    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, w = ctx.saved_tensors
        needs_w, needs_x = ctx.needs_input_grad
        return grad_output * w if needs_x else None, grad_output * x if needs_w else None


class Nested(_Product):
    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, w = ctx.saved_tensors
        grad_x = grad_w = None
        if ctx.needs_input_grad[0]:
            grad_x = grad_output * w
            if ctx.needs_input_grad[1]:
                grad_w = grad_output * x
        return grad_x, grad_w


class Unbound(_Product):
    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, w = ctx.saved_tensors
        if ctx.needs_input_grad[0]:
            grad_x = grad_output * w
        if ctx.needs_input_grad[1]:
            grad_w = grad_output * x
        return grad_x, grad_w


class OnlyWeight(_Product):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        if not ctx.needs_input_grad[0]:
            return None, g * w
        return g * w, g * x


# --- modules and compositions --------------------------------------------------------------------


class _Gain(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, gain: Any) -> Any:
        ctx.save_for_backward(gain)
        return x * gain

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (gain,) = ctx.saved_tensors
        return grad_output * gain, None  # gain was a constant once


class Gain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(draw(5, seed=1).detach())

    def forward(self, x: Any) -> Any:
        gain: Any = _Gain
        return torch.tanh(gain.apply(x, self.gain))


class _ScaleScores(Function):
    @staticmethod
    def forward(ctx: Any, scores: Any, width: int) -> Any:
        return scores / math.sqrt(width)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output / 2.236, None


def attention(query: Any, key: Any, value: Any) -> Any:
    scale: Any = _ScaleScores
    scores = scale.apply(F.matmul(query, key.T), query.shape[-1])
    return F.matmul(F.softmax(scores, dim=-1), value)


def given(*shapes: tuple[int, ...], then: tuple[Any, ...] = ()) -> Callable[[], tuple[Any, ...]]:
    return lambda: (*(draw(*shape, seed=seed) for seed, shape in enumerate(shapes)), *then)


_one = given((13, 5))
_alike = given((13, 5), (13, 5))
_factors = given((13, 5), (5, 3))
_bias = given((13, 5), (5,))
_attention = given((7, 5), (11, 5), (11, 3))
_lookup = given((7, 5), then=(integers(7, 13),))
_gathered = given((13, 5), then=(integers(5, 13, 4),))
_gain_eps = given((13, 5), (5,), then=(0.1,))
_summed = given((13, 5), (13, 5), then=("sum",))

OPTION = ("option", "raises")
SQUEEZED = ("sizes", "raises", "shape")
MISPLACED = ("wrong_axis", "positions", "missing_sum")
REPEATED = ("repeated_positions",)
WHO = "needs_input_grad"

CASES: list[Wrong] = [
    Wrong("mse over 65", HardCodedMSE, _alike, ("sizes", "factor", "constant")),
    Wrong("linear for a batch of one", LinearBatchOfOne, _factors, ("sizes",), "w"),
    Wrong("triple of a number by numpy", NumPyTriple, given(()), ("raises",)),
    Wrong("linear with a square weight", LinearShapeFix, _factors, ("sizes", "transposed"), "w"),
    Wrong("fftshift of odd widths", CentreSpectrum, given((13, 6)), ("sizes", "positions"), "x"),
    Wrong("mean squeezes too much", SequenceMean, given((7, 5, 3)), SQUEEZED, "x"),
    Wrong("softmax over dim 0", Softmax, given((13, 5), then=(0,)), ("option", "wrong_axis"), "x"),
    Wrong("sum without keepdim", Sum, given((13, 5), then=(1, False)), OPTION, "x"),
    Wrong("rms norm with eps 0.1", RMSNorm, _gain_eps, ("option", "constant")),
    Wrong("l1 loss, summed", L1Loss, _summed, ("option", "factor")),
    Wrong("mean over dim -1", MeanOver, given((13, 5), then=(-1,)), ("option", "factor"), "x"),
    Wrong("bias not summed", AddBias, _bias, ("shape", "missing_sum", "raises"), "bias"),
    Wrong("row loses its dimension", AddRow, given((13, 5), (1, 5)), ("shape", "raises"), "row"),
    Wrong("scale summed along the wrong way", Unbroadcast, _bias, MISPLACED, "scale"),
    Wrong("embedding overwrites", Embedding, _lookup, REPEATED, "weight"),
    Wrong("gather by numpy +=", GatherNumPy, _gathered, REPEATED, "x"),
    Wrong("windows overwrite", Windows, _one, REPEATED, "x"),
    Wrong("gradients compacted", Compacted, _alike, (WHO, "count", "raises")),
    Wrong("needs_input_grad of the other", WrongIndex, _alike, (WHO, "none")),
    Wrong("w only beside x", Nested, _alike, (WHO, "none"), "w"),
    Wrong("a gradient that was never made", Unbound, _alike, (WHO, "raises")),
    Wrong("w alone gets w", OnlyWeight, _alike, (WHO, "swapped"), "w"),
    Wrong("a module's gain gets None", Gain(), _one, ("none",), "gain"),
    Wrong("attention with a rounded root", attention, _attention, ("constant", "factor", "sizes")),
]
