"""How sharp a loss is: the extreme eigenvalues of its Hessian, from a few products with it."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from derivable.descent.messages import say
from derivable.descent.request import DescentRequest
from derivable.errors import DivergedError, SettingError
from derivable.objective import Objective
from derivable.stepper import Stepper

PRODUCTS = 12


def extreme_eigenvalues(
    objective: Objective, theta: Tensor, products: int = PRODUCTS
) -> tuple[float, float]:
    """The smallest and the largest eigenvalue of the Hessian at `theta`, approximately.

    The Lanczos process: the Hessian restricted to the span of v, H v, H^2 v, ... is tridiagonal,
    and its extreme eigenvalues approach those of H from inside within a few products (Golub and
    Van Loan, "Matrix Computations", chapter 10). (-inf, inf) where a number is not finite.
    """
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(theta.shape, generator=generator).to(theta)
    basis = [(start / start.norm()).double()]
    alphas, betas = [], []
    for _ in range(min(products, len(theta))):
        product = objective.hvp(theta, basis[-1].to(theta.dtype)).double()
        alphas.append(float(product @ basis[-1]))
        for vector in basis * 2:  # twice is enough (Kahan and Parlett)
            product = product - (product @ vector) * vector
        norm = float(product.norm())
        if not norm > 1e-6 * max(map(abs, alphas)):
            break  # the span holds all that v can reach, or a number is not finite
        betas.append(norm)
        basis.append(product / norm)
    off = betas[: len(alphas) - 1]
    matrix = np.diag(alphas) + np.diag(off, 1) + np.diag(off, -1)
    if not np.isfinite(matrix).all():
        return -np.inf, np.inf
    eigenvalues = np.linalg.eigvalsh(matrix)
    return float(eigenvalues[0]), float(eigenvalues[-1])


def diverged(stepper: Stepper, request: DescentRequest, losses: Tensor) -> DivergedError:
    """The error that names the first loss that is not finite, and a learning rate that is stable.

    `losses` end with those of the piece that diverged. Where the descent begins, steps are stable
    while lr < `stepper.stable` / lambda_max. Later they may come to where the loss is sharper, and
    diverge with a smaller lr.
    """
    step = int(torch.nonzero(~(losses <= request.max_loss))[0])
    if step == 0:
        return not_finite_at_start(losses[0].item())
    lr = request.lr_at(step - 1)
    reach = stepper.stable
    try:
        _, sharpest = extreme_eigenvalues(stepper.objective, request.theta.to(stepper.dtype))
    except SettingError:  # no second derivatives
        sharpest = math.inf
    if 0 < sharpest < np.inf and lr * sharpest > reach > 0:
        gaps = {"sharpest": sharpest, "reach": reach, "stable": reach / sharpest}
        way = say("stable_rate", **gaps)
    else:
        way = say("smaller_rate", lr=f"{lr / 10:g}")
    loss, first = losses[step].item(), losses[0].item()
    return DivergedError(say("diverged", loss=loss, step=step, lr=f"{lr:g}", first=first, way=way))


def not_finite_at_start(loss: float) -> DivergedError:
    """The error for a loss that is not finite before the first step."""
    return DivergedError(say("not_finite_at_start", loss=loss))
