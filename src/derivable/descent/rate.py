"""A learning rate for a table that nobody has descended on yet."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from derivable.descent.driver import descend
from derivable.descent.spectral import triangle
from derivable.errors import DivergedError
from derivable.function import Function
from derivable.network import Network

TRIAL_STEPS = 500
RISE = 1.001  # a loss may exceed the lowest before it by so much: rounding, and no more
ROUNDING = 1e-10  # of the first loss; one that has fallen so far wanders as numbers are rounded
MARGIN = 2.0  # a loss becomes sharper on its way
HALVINGS = 30


@dataclass(frozen=True)
class Rate:
    """A learning rate, and in one sentence why it is this one."""

    lr: float
    reason: str


def choose_rate(
    network: Network, loss: type[Function], x: Tensor, y: Tensor, weight: Tensor | None = None
) -> Rate:
    """A learning rate at which the loss of `network` on x (N, D), y (N, K) falls steadily.

    `weight` (N,) says how much each row counts, as in `descend`.

    The loss of a linear model curves by at most lambda = 2 s^2 / N, where s is the largest
    singular value of the features with a column of ones, and 1 / lambda is the largest learning
    rate at which it cannot rise. So 1 / lambda, 1 / 2 lambda, 1 / 4 lambda, ... are tried for a
    few hundred exact steps; half of the first at which the loss never rises is returned.
    """
    sharpest = linear_curvature(x, weight)
    lr = 1 / sharpest
    for _ in range(HALVINGS):
        if _falls(network, loss, x, y, weight, lr):
            break
        lr /= 2
    lr = _two_digits(lr / MARGIN)
    return Rate(
        lr,
        f"lr {lr:g}: half of the largest at which the loss never rose in {TRIAL_STEPS} steps, "
        f"from 1 / {sharpest:.3g} down, where {sharpest:.3g} is how much a linear model's loss "
        "curves",
    )


def linear_curvature(x: Tensor, weight: Tensor | None = None) -> float:
    """The largest eigenvalue of the Hessian of a linear model's mean squared error on x (N, D)."""
    largest = torch.linalg.matrix_norm(triangle(x, x[:, :0], weight), 2).item()
    rows = len(x) if weight is None else weight.double().sum().item()
    return 2 * float(largest) ** 2 / rows


def _falls(
    network: Network,
    loss: type[Function],
    x: Tensor,
    y: Tensor,
    weight: Tensor | None,
    lr: float,
) -> bool:
    try:
        run = descend(network, loss, x, y, lr=lr, steps=TRIAL_STEPS, method="steps", weight=weight)
    except DivergedError:
        return False
    if run.interrupted:
        raise KeyboardInterrupt
    noise = ROUNDING * run.losses[0]
    return bool((run.losses <= RISE * run.losses.cummin(0).values + noise).all())


def _two_digits(value: float) -> float:
    """`value` as one writes it down, rounded towards 0."""
    digit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.floor(value / digit) * digit:.2g}")
