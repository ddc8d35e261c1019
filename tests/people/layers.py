"""Layers: linear, convolution, normalisation, attention, embedding, pooling. All are right."""
# mypy: ignore-errors

import math

import torch
import torch.nn.functional as F
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class LinearLab(Function):
    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return x @ w + b

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g @ w.t(), x.t() @ g, g.sum(0)


class LinearFunction(Function):
    """(out, in) weights and an optional bias, as in a tutorial."""

    @staticmethod
    def forward(ctx, input, weight, bias=None):
        ctx.save_for_backward(input, weight, bias)
        output = input.mm(weight.t())
        if bias is not None:
            output += bias.unsqueeze(0).expand_as(output)
        return output

    @staticmethod
    def backward(ctx, grad_output):
        input, weight, bias = ctx.saved_tensors
        grad_input = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_input = grad_output.mm(weight)
        if ctx.needs_input_grad[1]:
            grad_weight = grad_output.t().mm(input)
        if bias is not None and ctx.needs_input_grad[2]:
            grad_bias = grad_output.sum(0)
        return grad_input, grad_weight, grad_bias


class Bilinear(Function):
    @staticmethod
    def forward(ctx, x1, x2, weight):
        ctx.save_for_backward(x1, x2, weight)
        return torch.einsum("ni,oij,nj->no", x1, weight, x2)

    @staticmethod
    def backward(ctx, g):
        x1, x2, weight = ctx.saved_tensors
        return (
            torch.einsum("no,oij,nj->ni", g, weight, x2),
            torch.einsum("no,oij,ni->nj", g, weight, x1),
            torch.einsum("no,ni,nj->oij", g, x1, x2),
        )


class Conv2d(Function):
    @staticmethod
    def forward(ctx, x, w, b, stride, padding):
        ctx.save_for_backward(x, w)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, w, b, stride, padding)

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        gx = torch.nn.grad.conv2d_input(x.shape, w, g, ctx.stride, ctx.padding)
        gw = torch.nn.grad.conv2d_weight(x, w.shape, g, ctx.stride, ctx.padding)
        return gx, gw, g.sum((0, 2, 3)), None, None


class Conv1dByHand(Function):
    @staticmethod
    def forward(ctx, signal, kernel):
        n, k = signal.shape[-1], kernel.shape[-1]
        assert signal.ndim == 1 and kernel.ndim == 1 and n > k
        ctx.save_for_backward(signal, kernel)
        return torch.stack([(signal[i : i + k] * kernel).sum() for i in range(n - k + 1)])

    @staticmethod
    def backward(ctx, g):
        signal, kernel = ctx.saved_tensors
        k = len(kernel)
        gs = torch.stack(
            [
                sum(g[i] * kernel[j - i] for i in range(max(0, j - k + 1), min(len(g), j + 1)))
                for j in range(len(signal))
            ]
        )
        gk = torch.stack([(g * signal[j : j + len(g)]).sum() for j in range(k)])
        return gs, gk


class LayerNorm(Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        mu = x.mean(-1, keepdim=True)
        std = (x.var(-1, unbiased=False, keepdim=True) + eps).sqrt()
        xhat = (x - mu) / std
        ctx.save_for_backward(x, gamma)
        ctx.eps = eps
        return gamma * xhat + beta

    @staticmethod
    def backward(ctx, g):
        x, gamma = ctx.saved_tensors
        mu = x.mean(-1, keepdim=True)
        std = (x.var(-1, unbiased=False, keepdim=True) + ctx.eps).sqrt()
        xhat = (x - mu) / std
        gh = g * gamma
        gx = (gh - gh.mean(-1, keepdim=True) - xhat * (gh * xhat).mean(-1, keepdim=True)) / std
        lead = tuple(range(x.ndim - 1))
        return gx, (g * xhat).sum(lead), g.sum(lead), None


class BatchNormEval(Function):
    @staticmethod
    def forward(ctx, x, running_mean, running_var, weight, bias, eps):
        inv = torch.rsqrt(running_var + eps)
        ctx.save_for_backward(x, running_mean, weight, inv)
        return (x - running_mean) * inv * weight + bias

    @staticmethod
    def backward(ctx, g):
        x, mean, weight, inv = ctx.saved_tensors
        return g * weight * inv, None, None, (g * (x - mean) * inv).sum(0), g.sum(0), None


class RMSNorm(Function):
    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(x, weight)
        r = (x.square().mean(-1, keepdim=True) + 1e-6).rsqrt()
        return x * r * weight

    @staticmethod
    def backward(ctx, g):
        x, weight = ctx.saved_tensors
        r = (x.square().mean(-1, keepdim=True) + 1e-6).rsqrt()
        gw = g * weight
        gx = r * gw - x * r**3 * (gw * x).mean(-1, keepdim=True)
        return gx, (g * x * r).sum_to_size(weight.shape)


class Softmax(Function):
    @staticmethod
    def forward(ctx, z, dim):
        p = torch.softmax(z, dim)
        ctx.save_for_backward(p)
        ctx.dim = dim
        return p

    @staticmethod
    def backward(ctx, g):
        (p,) = ctx.saved_tensors
        return p * (g - (g * p).sum(ctx.dim, keepdim=True)), None


class Attention(Function):
    @staticmethod
    def forward(ctx, q, k, v):
        scale = 1 / math.sqrt(q.shape[-1])
        p = torch.softmax(q @ k.transpose(-1, -2) * scale, -1)
        ctx.save_for_backward(q, k, v)
        return p @ v

    @staticmethod
    def backward(ctx, g):
        q, k, v = ctx.saved_tensors
        scale = 1 / math.sqrt(q.shape[-1])
        p = torch.softmax(q @ k.transpose(-1, -2) * scale, -1)
        gp = g @ v.transpose(-1, -2)
        gs = p * (gp - (gp * p).sum(-1, keepdim=True)) * scale
        return gs @ k, gs.transpose(-1, -2) @ q, p.transpose(-1, -2) @ g


class MaskedAttention(Function):
    @staticmethod
    def forward(ctx, query, key, value, mask):
        s = torch.bmm(query, key.transpose(1, 2)).masked_fill(~mask, -1e9)
        p = s.softmax(-1)
        ctx.save_for_backward(query, key, value, mask)
        return torch.bmm(p, value)

    @staticmethod
    def backward(ctx, g):
        q, k, v, mask = ctx.saved_tensors
        p = torch.bmm(q, k.transpose(1, 2)).masked_fill(~mask, -1e9).softmax(-1)
        gp = torch.bmm(g, v.transpose(1, 2))
        gs = (p * (gp - (gp * p).sum(-1, keepdim=True))).masked_fill(~mask, 0)
        return (
            torch.bmm(gs, k),
            torch.bmm(gs.transpose(1, 2), q),
            torch.bmm(p.transpose(1, 2), g),
            None,
        )


class SplitHeads(Function):
    @staticmethod
    def forward(ctx, x, n_heads):
        b, t, d = x.shape
        ctx.shape = (b, t, d)
        return x.view(b, t, n_heads, d // n_heads).transpose(1, 2).contiguous()

    @staticmethod
    def backward(ctx, g):
        return g.transpose(1, 2).reshape(ctx.shape), None


class Embedding(Function):
    @staticmethod
    def forward(ctx, indices, weight):
        ctx.save_for_backward(indices)
        ctx.rows = weight.shape[0]
        return weight[indices]

    @staticmethod
    def backward(ctx, g):
        (indices,) = ctx.saved_tensors
        grad = g.new_zeros(ctx.rows, g.shape[-1])
        grad.index_add_(0, indices.reshape(-1), g.reshape(-1, g.shape[-1]))
        return None, grad


class MaxPool2d(Function):
    @staticmethod
    def forward(ctx, x, kernel_size):
        y, idx = F.max_pool2d(x, kernel_size, return_indices=True)
        ctx.save_for_backward(idx)
        ctx.shape = x.shape
        return y

    @staticmethod
    def backward(ctx, g):
        (idx,) = ctx.saved_tensors
        n, c, h, w = ctx.shape
        grad = g.new_zeros(n, c, h * w)
        grad = grad.scatter_add(2, idx.flatten(2), g.flatten(2))
        return grad.view(n, c, h, w), None


class AvgPool(Function):
    """Pooling 2 by 2, by views."""

    @staticmethod
    def forward(ctx, img):
        n, c, h, w = img.shape
        return img.view(n, c, h // 2, 2, w // 2, 2).mean((3, 5))

    @staticmethod
    def backward(ctx, g):
        return g.repeat_interleave(2, 2).repeat_interleave(2, 3) / 4


class RNNCell(Function):
    @staticmethod
    def forward(ctx, x, h, Wx, Wh, b):
        out = torch.tanh(x @ Wx + h @ Wh + b)
        ctx.save_for_backward(x, h, Wx, Wh, out)
        return out

    @staticmethod
    def backward(ctx, g):
        x, h, Wx, Wh, out = ctx.saved_tensors
        d = g * (1 - out**2)
        return d @ Wx.T, d @ Wh.T, x.T @ d, h.T @ d, d.sum(0)


class TwoLayer(Function):
    @staticmethod
    def forward(ctx, x, w1, b1, w2, b2):
        h = torch.tanh(x @ w1 + b1)
        ctx.save_for_backward(x, w1, b1, w2)
        return h @ w2 + b2

    @staticmethod
    def backward(ctx, g):
        x, w1, b1, w2 = ctx.saved_tensors
        h = torch.tanh(x @ w1 + b1)
        dh = g @ w2.T * (1 - h**2)
        return dh @ w1.T, x.T @ dh, dh.sum(0), h.T @ g, g.sum(0)


class PixelShuffle(Function):
    @staticmethod
    def forward(ctx, x, upscale_factor):
        ctx.r = upscale_factor
        return F.pixel_shuffle(x, upscale_factor)

    @staticmethod
    def backward(ctx, g):
        return F.pixel_unshuffle(g, ctx.r), None


class GroupNorm(Function):
    @staticmethod
    def forward(ctx, x, num_groups):
        n, c = x.shape[:2]
        y = x.reshape(n, num_groups, -1)
        mu, sd = y.mean(-1, keepdim=True), y.std(-1, unbiased=False, keepdim=True)
        ctx.save_for_backward(x)
        ctx.groups = num_groups
        return ((y - mu) / (sd + 1e-5)).reshape(x.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            y = x.reshape(x.shape[0], ctx.groups, -1)
            mu, sd = y.mean(-1, keepdim=True), y.std(-1, unbiased=False, keepdim=True)
            out = ((y - mu) / (sd + 1e-5)).reshape(x.shape)
            (gx,) = torch.autograd.grad(out, x, g)
        return gx.detach(), None


class MaskedMean(Function):
    @staticmethod
    def forward(ctx, x, lengths):
        t = torch.arange(x.shape[1])
        mask = (t[None] < lengths[:, None]).to(x.dtype)
        ctx.save_for_backward(mask, lengths)
        ctx.ndim = x.ndim
        mask = mask.view(*mask.shape, *[1] * (x.ndim - 2))
        return (x * mask).sum(1) / lengths.view(-1, *[1] * (x.ndim - 2))

    @staticmethod
    def backward(ctx, g):
        mask, lengths = ctx.saved_tensors
        tail = [1] * (ctx.ndim - 2)
        g = (g / lengths.view(-1, *tail)).unsqueeze(1)
        return g * mask.view(*mask.shape, *tail), None
