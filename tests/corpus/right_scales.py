"""Right Functions of the logarithm of a scale: forward overflows where it is large."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from derivable import Function
from tests.corpus.drawing import numbers
from tests.corpus.wrapped import case


class RadialBasis(Function):
    """The Gaussian kernel of the rows of x and y; forward is 0 where log_s is -720, by inf."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, log_s: Tensor) -> Tensor:
        ctx.save_for_backward(x, y, log_s)
        s = torch.exp(log_s)
        return torch.exp(-((x[:, None] - y) ** 2).sum(-1) / (2 * s**2))

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        x, y, log_s = ctx.saved_tensors
        s = torch.exp(log_s)
        apart = x[:, None] - y
        squares = (apart**2).sum(-1)
        weight = g * torch.exp(-squares / (2 * s**2)) / s**2
        moved = weight[..., None] * apart
        return -moved.sum(1), moved.sum(0), (weight * squares).sum()


class Matern(Function):
    """The Matern kernel of smoothness 3/2, of distances."""

    @staticmethod
    def forward(ctx: Any, r: Tensor, log_l: Tensor) -> Tensor:
        ctx.save_for_backward(r, log_l)
        a = math.sqrt(3) * r / torch.exp(log_l)
        return (1 + a) * torch.exp(-a)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        r, log_l = ctx.saved_tensors
        scale = torch.exp(log_l)
        by_scale = 3 * r**2 / scale**3 * torch.exp(-math.sqrt(3) * r / scale)
        return -g * 3 * r / scale**2 * torch.exp(-math.sqrt(3) * r / scale), g * by_scale * scale


class Tempered(Function):
    """softmax(z / t) of log_t; equal scores leave rounding of a sum that is 0."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, log_t: Tensor) -> Tensor:
        ctx.save_for_backward(z, log_t)
        return torch.softmax(z / log_t.exp(), -1)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        z, log_t = ctx.saved_tensors
        t = log_t.exp()
        p = torch.softmax(z / t, -1)
        inner = p * (g - (g * p).sum(-1, keepdim=True))
        return inner / t, -(inner * z).sum() / t**2 * t


class WeibullLogLikelihood(Function):
    """Of log_k: 1 / k * k is nan where k is 0, and forward is finite there without an overflow."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, log_k: Tensor) -> Tensor:
        ctx.save_for_backward(x, log_k)
        k = torch.exp(log_k)
        return log_k + (k - 1) * torch.log(x) - x**k

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        x, log_k = ctx.saved_tensors
        k = torch.exp(log_k)
        power = x**k
        by_k = 1 / k + torch.log(x) - torch.log(x) * power
        return g * ((k - 1) / x - k * power / x), g * by_k * k


SCALES = [
    case("radial_basis", RadialBasis, lambda d: [d.normal(4, 3), d.normal(5, 3), numbers(-0.3)]),
    case("matern", Matern, lambda d: [d.positive(6), d.normal(6)]),
    case("tempered", Tempered, lambda d: [torch.full((4, 3), 720.0).double(), numbers(-0.3)]),
    case("weibull_log_likelihood", WeibullLogLikelihood, lambda d: [d.positive(6), d.normal(6)]),
]
