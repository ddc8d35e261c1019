"""Wrong backwards that ordinary values do not show: overflow, zeros, cancellation, units, edges."""

from __future__ import annotations

from typing import Any

import torch

import derivable
from tests.corpus.draw import draw, positive
from tests.corpus.engineering_layout import pointwise
from tests.corpus.entry import Wrong
from tests.corpus.right_scales import RadialBasis


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


# --- a formula that divides by zero at the edge of forward's domain, where the slope is finite ----

square_log = pointwise(
    "SquareLog", lambda x: torch.xlogy(x * x, x), lambda g, x, y: g * (2 * x * torch.log(x) + x)
)
square_log1p = pointwise(
    "SquareLog1p",
    lambda x: torch.xlogy((1 + x) ** 2, 1 + x),
    lambda g, x, y: g * (1 + x) * (2 * torch.log1p(x) + 1),
)
three_halves = pointwise("ThreeHalves", lambda x: x**1.5, lambda g, x, y: g * 1.5 * y / x)
bump = pointwise("Bump", lambda x: (1 - x * x) ** 1.5, lambda g, x, y: -3 * g * x * y / (1 - x * x))
squared_angle = pointwise(
    "SquaredAngle",
    lambda x: torch.acos(x) ** 2,
    lambda g, x, y: -2 * g * torch.acos(x) / torch.sqrt(1 - x * x),
)
spring = pointwise(  # forward goes on beyond the edge, and backward does not
    "Spring",
    lambda x: torch.relu(x) ** 1.5,
    lambda g, x, y: g * 1.5 * y / torch.relu(x),
)


class Power(derivable.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, p: Any) -> Any:
        output = x**p
        ctx.save_for_backward(x, p, output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, p, output = ctx.saved_tensors
        return grad_output * p * x ** (p - 1), grad_output * output * torch.log(x)


class KernelByItsScale(RadialBasis):
    """The last gradient is that by s, not by its logarithm."""

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        of_x, of_y, of_log_s = RadialBasis.backward(ctx, grad_output)
        return of_x, of_y, of_log_s / torch.exp(ctx.saved_tensors[2])


def _cosines() -> tuple[Any, ...]:
    return (draw(13, 5).tanh(),)


def _one() -> tuple[Any, ...]:
    return (draw(13, 5),)


def _where_forward_overflows() -> tuple[Any, ...]:
    log_s = torch.tensor(-720.0, dtype=torch.float64, requires_grad=True)
    return draw(4, 3), draw(5, 3, seed=1), log_s


OVERFLOW = ("not_finite",)

CASES: list[Wrong] = [
    Wrong("sigmoid by exp", sigmoid, _one, OVERFLOW, "x"),
    Wrong("softplus by exp", softplus, _one, OVERFLOW, "x"),
    Wrong("tanh by exp", tanh, _one, OVERFLOW, "x"),
    Wrong("logsumexp without the maximum", logsumexp, _one, OVERFLOW, "x"),
    Wrong("prod over x", prod, _one, OVERFLOW, "x"),
    Wrong("cumprod over positive x", cumprod, lambda: (positive(3, 5),), OVERFLOW, "x"),
    Wrong("cube over x", cube, _one, OVERFLOW, "x"),
    Wrong("versine that cancels", versine, _one, ("precision",), "x"),
    Wrong("sin under loss scaling", scaled_sin, _one, OVERFLOW, "x"),
    Wrong("square times log at 0", square_log, lambda: (positive(13, 5),), OVERFLOW, "x"),
    Wrong("square times log1p at -1", square_log1p, _cosines, OVERFLOW, "x"),
    Wrong("x**1.5 over x", three_halves, lambda: (positive(13, 5),), OVERFLOW, "x"),
    Wrong("bump over its base at 1", bump, _cosines, OVERFLOW, "x"),
    Wrong("squared angle at 1", squared_angle, _cosines, OVERFLOW, "x"),
    Wrong("spring over a gap of 0", spring, _one, OVERFLOW, "x"),
    Wrong(
        "power of 0", Power, lambda: (positive(13, 5), 1 + positive(13, 5, seed=1)), OVERFLOW, "p"
    ),
    Wrong(
        "kernel by its scale, given -720",
        KernelByItsScale,
        _where_forward_overflows,
        ("chain_rule",),
        "log_s",
    ),
    Wrong("hypot by squares", Hypot, lambda: (draw(13, 5), draw(13, 5, seed=1)), OVERFLOW),
]
