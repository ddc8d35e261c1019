"""Wrong backwards that ordinary values do not show: overflow, zeros, cancellation, other units."""

from __future__ import annotations

from typing import Any

import torch

import derivable
from tests.zoo.draw import draw, positive
from tests.zoo.engineering_layout import pointwise
from tests.zoo.entry import Wrong


def _exp_ratio(x: Any) -> Any:
    return torch.exp(x) / (1 + torch.exp(x))


def _tanh_by_exp(x: Any) -> Any:
    return (torch.exp(2 * x) - 1) / (torch.exp(2 * x) + 1)


def _row_prod(x: Any) -> Any:
    return torch.prod(x, dim=-1, keepdim=True)


def _logsumexp(x: Any) -> Any:
    return torch.logsumexp(x, dim=-1, keepdim=True)


sigmoid = pointwise(
    "Sigmoid", torch.sigmoid, lambda g, x, y: g * torch.exp(-x) / (1 + torch.exp(-x)) ** 2
)
softplus = pointwise("Softplus", torch.nn.functional.softplus, lambda g, x, y: g * _exp_ratio(x))
tanh = pointwise("Tanh", torch.tanh, lambda g, x, y: g * (1 - _tanh_by_exp(x) ** 2))
logsumexp = pointwise(
    "LogSumExp", _logsumexp, lambda g, x, y: g * torch.exp(x) / torch.exp(x).sum(-1, keepdim=True)
)
prod = pointwise("Prod", _row_prod, lambda g, x, y: g * y / x)
cube = pointwise("Cube", lambda x: x**3, lambda g, x, y: 3 * g * y / x)
cumprod = pointwise(
    "CumProd",
    lambda x: x.cumprod(-1),
    lambda g, x, y: (g * y).flip(-1).cumsum(-1).flip(-1) / x,
)
versine = pointwise(  # (1 - cos(x)) / x**2; forward is without cancellation
    "Versine",
    lambda x: 2 * torch.sin(x / 2) ** 2 / x**2,
    lambda g, x, y: g * (torch.sin(x) / x**2 - 2 * (1 - torch.cos(x)) / x**3),
)
scaled_sin = pointwise(
    "LossScaledSin", torch.sin, lambda g, x, y: (g * 1e30) * (torch.cos(x) * 1e30) / 1e30 / 1e30
)


class Hypot(derivable.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        ctx.save_for_backward(x, y)
        return torch.hypot(x, y)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, y = ctx.saved_tensors
        scaled = grad_output / torch.sqrt(x * x + y * y)
        return scaled * x, scaled * y


def _one() -> tuple[Any, ...]:
    return (draw(13, 5),)


OVERFLOW = ("not_finite",)

ANIMALS: list[Wrong] = [
    Wrong("sigmoid by exp", sigmoid, _one, OVERFLOW, "x"),
    Wrong("softplus by exp", softplus, _one, OVERFLOW, "x"),
    Wrong("tanh by exp", tanh, _one, OVERFLOW, "x"),
    Wrong("logsumexp without the maximum", logsumexp, _one, OVERFLOW, "x"),
    Wrong("prod over x", prod, _one, OVERFLOW, "x"),
    Wrong("cumprod over positive x", cumprod, lambda: (positive(3, 5),), OVERFLOW, "x"),
    Wrong("cube over x", cube, _one, OVERFLOW, "x"),
    Wrong("versine that cancels", versine, _one, ("precision",), "x"),
    Wrong("sin under loss scaling", scaled_sin, _one, OVERFLOW, "x"),
    Wrong("hypot by squares", Hypot, lambda: (draw(13, 5), draw(13, 5, seed=1)), OVERFLOW),
]
