"""Wrong formulas of layers."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

import derivable
from tests.corpus.draw import draw, integers, zero_or_one
from tests.corpus.entry import Wrong


class LayerNormScaleOnly(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        xc = x - x.mean(-1, keepdim=True)
        rstd = 1 / torch.sqrt((xc**2).mean(-1, keepdim=True) + eps)
        ctx.save_for_backward(xc * rstd, rstd, gamma)
        return gamma * xc * rstd + beta

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        xhat, rstd, gamma = ctx.saved_tensors
        return g * gamma * rstd, (g * xhat).sum(0), g.sum(0), None


class LayerNormMeanOnly(LayerNormScaleOnly):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        xhat, rstd, gamma = ctx.saved_tensors
        dxhat = g * gamma
        gx = rstd * (dxhat - dxhat.mean(-1, keepdim=True))
        return gx, (g * xhat).sum(0), g.sum(0), None


class LayerNormGammaAxis(LayerNormScaleOnly):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        xhat, rstd, gamma = ctx.saved_tensors
        dxhat = g * gamma
        mean = dxhat.mean(-1, keepdim=True) + xhat * (dxhat * xhat).mean(-1, keepdim=True)
        return rstd * (dxhat - mean), (g * xhat).sum(1), g.sum(0), None


class LayerNormEps(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, eps: float) -> Any:
        ctx.save_for_backward(x)
        return F.layer_norm(x, x.shape[-1:], eps=eps)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        var, mean = torch.var_mean(x, -1, unbiased=False, keepdim=True)
        rstd = torch.rsqrt(var + 1e-5)
        xhat = (x - mean) * rstd
        gm, gx = g.mean(-1, keepdim=True), (g * xhat).mean(-1, keepdim=True)
        return rstd * (g - gm - xhat * gx), None


class BatchNormTerm(derivable.Function):
    """The long derivation of the lecture, with one path through the variance left out."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Tensor:
        mu = x.mean(dim=0)
        var = ((x - mu) ** 2).mean(dim=0)
        std = torch.sqrt(var + eps)
        xhat = (x - mu) / std
        ctx.save_for_backward(xhat, std, gamma)
        return gamma * xhat + beta

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        xhat, std, gamma = ctx.saved_tensors
        grad_gamma = (grad_output * xhat).sum(dim=0)
        grad_beta = grad_output.sum(dim=0)
        grad_xhat = grad_output * gamma
        grad_x = (grad_xhat - grad_xhat.mean(dim=0)) / std
        return grad_x, grad_gamma, grad_beta, None


class BatchNormAxis(BatchNormTerm):
    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        xhat, std, gamma = ctx.saved_tensors
        gh = grad_output * gamma
        grad_x = gh - gh.mean(1, keepdim=True) - xhat * (gh * xhat).mean(1, keepdim=True)
        return grad_x / std, (grad_output * xhat).sum(0), grad_output.sum(0), None


class BatchNormBeta(BatchNormTerm):
    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        xhat, std, gamma = ctx.saved_tensors
        gh = grad_output * gamma
        grad_x = (gh - gh.mean(0) - xhat * (gh * xhat).mean(0)) / std
        return grad_x, (grad_output * xhat).sum(0), grad_output.mean(0), None


class RMSNormSum(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        r = torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-6)
        ctx.save_for_backward(x, w, r)
        return x * r * w

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w, r = ctx.saved_tensors
        gw = g * w
        return r * gw - x * r**3 * (gw * x).sum(-1, keepdim=True), (g * x * r).sum(0)


class RMSNormUnscaled(RMSNormSum):
    """The weight of the scale is forgotten on the way to x; it begins as ones."""

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, _, r = ctx.saved_tensors
        return r * g - x * r**3 * (g * x).mean(-1, keepdim=True), (g * x * r).sum(0)


class Conv1dOverlap(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x.unfold(-1, w.shape[-1], 1) @ w

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        k = w.shape[0]
        gx = torch.zeros_like(x)
        for i in range(g.shape[-1]):
            gx[:, i : i + k] = g[:, i : i + 1] * w
        return gx, torch.einsum("bi,bik->k", g, x.unfold(-1, k, 1))


class Conv1dUnflipped(Conv1dOverlap):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        k = w.shape[0]
        gx = F.pad(g, (k - 1, k - 1)).unfold(-1, k, 1) @ w
        return gx, torch.einsum("bi,bik->k", g, x.unfold(-1, k, 1))


class Smooth(Function):
    """(x[i-1] + x[i] + x[i+1]) / 3 with the ends repeated: the ends count twice."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        p = torch.cat([x[:1], x, x[-1:]])
        return (p[:-2] + p[1:-1] + p[2:]) / 3

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        p = F.pad(g, (1, 1))
        return (p[:-2] + p[1:-1] + p[2:]) / 3


class MaxPoolFirst(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x.unflatten(1, (-1, 2)).amax(-1)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return torch.stack([g, torch.zeros_like(g)], dim=-1).flatten(1)


class MaxPoolOverlap(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, size: int, stride: int) -> Any:
        y, where = F.max_pool1d(x, size, stride, return_indices=True)
        ctx.shape = x.shape
        ctx.save_for_backward(where)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (where,) = ctx.saved_tensors
        return g.new_zeros(ctx.shape).scatter(-1, where, g), None, None


class Embedding(Function):
    @staticmethod
    def forward(ctx: Any, table: Any, words: Any, scale: bool = False) -> Any:
        ctx.save_for_backward(words)
        ctx.like = table
        return table[words] * (math.sqrt(table.shape[1]) if scale else 1)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        grad = torch.zeros_like(ctx.like)
        grad[ctx.saved_tensors[0]] = g
        return grad, None, None


class EmbeddingScale(Embedding):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (words,) = ctx.saved_tensors
        return torch.zeros_like(ctx.like).index_add(0, words, g), None, None


class Dropout(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, mask: Any, p: float) -> Any:
        ctx.save_for_backward(mask)
        ctx.keep = 1 - p
        return x * mask / ctx.keep

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.saved_tensors[0], None, None


class DropoutMask(Dropout):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g / ctx.keep, None, None


class Attention(Function):
    @staticmethod
    def forward(ctx: Any, q: Any, k: Any, v: Any) -> Any:
        a = torch.softmax(q @ k.mT / math.sqrt(q.shape[-1]), dim=-1)
        ctx.save_for_backward(q, k, v, a)
        return a @ v

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        q, k, v, a = ctx.saved_tensors
        ga = g @ v.mT
        gs = a * (ga - (ga * a).sum(-1, keepdim=True))
        return gs @ k, gs.mT @ q, a.mT @ g


class AttentionAxis(Attention):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        q, k, v, a = ctx.saved_tensors
        ga = g @ v.mT
        gs = a * (ga - (ga * a).sum(-2, keepdim=True)) / math.sqrt(q.shape[-1])
        return gs @ k, gs.mT @ q, a.mT @ g


class AttentionKey(Attention):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        q, k, v, a = ctx.saved_tensors
        ga = g @ v.mT
        gs = a * (ga - (ga * a).sum(-1, keepdim=True)) / math.sqrt(q.shape[-1])
        return gs @ k, gs @ q, a.mT @ g


class GRUGate(Function):
    """h' = (1 - z) n + z h, with z = sigmoid(gate)."""

    @staticmethod
    def forward(ctx: Any, gate: Any, n: Any, h: Any) -> Any:
        z = torch.sigmoid(gate)
        ctx.save_for_backward(z, n, h)
        return (1 - z) * n + z * h

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        z, n, h = ctx.saved_tensors
        return g * (n - h) * z * (1 - z), g * (1 - z), g * z


class GRUGateSlope(GRUGate):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        z, n, h = ctx.saved_tensors
        return g * (h - n), g * (1 - z), g * z


class GRUGateNoState(GRUGate):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        z, n, h = ctx.saved_tensors
        return g * (h - n) * z * (1 - z), g * (1 - z), None


class LSTMOut(Function):
    @staticmethod
    def forward(ctx: Any, c: Any, i: Any, o: Any) -> Any:
        new = c + torch.tanh(i)
        ctx.save_for_backward(torch.tanh(i), torch.tanh(new), torch.sigmoid(o))
        return torch.sigmoid(o) * torch.tanh(new), new

    @staticmethod
    def backward(ctx: Any, grad_h: Any, grad_c: Any) -> Any:
        ti, tc, so = ctx.saved_tensors
        return grad_c, grad_c * (1 - ti**2), grad_h * tc * so * (1 - so)


class GLU(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        a, b = x.chunk(2, dim=-1)
        ctx.save_for_backward(a, torch.sigmoid(b))
        return a * torch.sigmoid(b)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        a, s = ctx.saved_tensors
        return torch.cat([g * a * s * (1 - s), g * s], dim=-1)


class SplitHeads(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, heads: int) -> Any:
        ctx.shape = x.shape
        return x.unflatten(-1, (heads, -1)).transpose(1, 2)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g.reshape(ctx.shape), None


def _norm(batch: int = 13, width: int = 5) -> Any:
    return lambda: [draw(batch, width), draw(width, seed=1), draw(width, seed=2)]


def _new_norm() -> Any:
    return [draw(13, 5), torch.ones(5, dtype=torch.float64, requires_grad=True)]


def _signal() -> Any:
    return [draw(2, 9), draw(3, seed=1)]


def _smoothed() -> Any:
    return [draw(2, 9), torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64, requires_grad=True)]


def _words() -> Any:
    return [draw(7, 5), integers(7, 13), True]


def _kept() -> Any:
    return [draw(13, 5), zero_or_one(13, 5), 0.5]


def _heads() -> Any:
    return [draw(2, 6, 4, seed=seed) for seed in range(3)]


def _gates() -> Any:
    return [draw(13, 5, seed=seed, dtype=torch.float32) for seed in range(3)]


CASES: list[Wrong] = [
    Wrong("layer-norm-scale-only", LayerNormScaleOnly, _norm(), ("missing_term",), "x"),
    Wrong("layer-norm-mean-only", LayerNormMeanOnly, _norm(), ("missing_term",), "x"),
    Wrong("layer-norm-gamma-axis", LayerNormGammaAxis, _norm(4, 4), ("wrong_axis",), "gamma"),
    Wrong("layer-norm-eps", LayerNormEps, lambda: [draw(13, 5), 1e-2], ("constant", "option"), "x"),
    Wrong("batch-norm-term", BatchNormTerm, _norm(), ("missing_term",), "x"),
    Wrong("batch-norm-axis", BatchNormAxis, _norm(), ("wrong_axis",), "x"),
    Wrong("batch-norm-beta", BatchNormBeta, _norm(), ("mean_for_sum",), "beta"),
    Wrong("rms-norm-sum", RMSNormSum, _new_norm, ("missing_term",), "x"),
    Wrong("rms-norm-unscaled", RMSNormUnscaled, _new_norm, ("chain_rule", "unrecognised"), "x"),
    Wrong("conv1d-overlap", Conv1dOverlap, _signal, ("repeated_positions",), "x"),
    Wrong("conv1d-unflipped", Conv1dUnflipped, _smoothed, ("positions",), "x"),
    Wrong("smooth", Smooth, lambda: [draw(9)], ("part_only", "repeated_positions"), "x"),
    Wrong("max-pool-first", MaxPoolFirst, lambda: [draw(3, 8)], ("positions",), "x"),
    Wrong(
        "max-pool-overlap", MaxPoolOverlap, lambda: [draw(2, 9), 3, 1], ("repeated_positions",), "x"
    ),
    Wrong(
        "embedding",
        Embedding,
        lambda: [draw(7, 5), integers(7, 13)],
        ("repeated_positions",),
        "table",
    ),
    Wrong("embedding-scale", EmbeddingScale, _words, ("factor", "option", "constant"), "table"),
    Wrong("dropout", Dropout, _kept, ("factor",), "x"),
    Wrong("dropout-mask", DropoutMask, _kept, ("part_only", "chain_rule"), "x"),
    Wrong("attention", Attention, _heads, ("factor",)),
    Wrong("attention-axis", AttentionAxis, _heads, ("wrong_axis",)),
    Wrong("attention-key", AttentionKey, _heads, ("transposed",), "k"),
    Wrong("gru-gate", GRUGate, _gates, ("sign",), "gate"),
    Wrong("gru-gate-slope", GRUGateSlope, _gates, ("chain_rule",), "gate"),
    Wrong("gru-gate-no-state", GRUGateNoState, _gates, ("none",), "h"),
    Wrong("lstm-out", LSTMOut, _gates, ("missing_term", "part_only")),
    Wrong("glu", GLU, lambda: [draw(13, 6)], ("positions", "swapped"), "x"),
    Wrong("split-heads", SplitHeads, lambda: [draw(2, 1, 8), 2], ("positions", "sizes"), "x"),
]
