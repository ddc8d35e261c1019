"""How sharp a loss is: the extreme eigenvalues of its Hessian, from a few products with it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from derivable.errors import DivergedError
from derivable.objective import Objective

PRODUCTS = 12


def extreme_curvatures(
    objective: Objective, theta: Tensor, products: int = PRODUCTS
) -> tuple[float, float]:
    """The smallest and the largest eigenvalue of the Hessian at `theta`, approximately.

    The Lanczos process: the Hessian restricted to the span of v, H v, H^2 v, ... is tridiagonal,
    and its extreme eigenvalues approach those of H from inside within a few products (Golub and
    Van Loan, "Matrix Computations", chapter 10).
    """
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(theta.shape, generator=generator).to(theta.dtype)
    basis = [(start / start.norm()).double()]
    alphas, betas = [], []
    for _ in range(min(products, len(theta))):
        product = objective.curvature(theta, basis[-1].to(theta.dtype)).double()
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


def diverged(
    objective: Objective, start: Tensor, losses: Tensor, lr: float, reach: float = 2.0
) -> DivergedError:
    """The error that names the first loss that is not finite, and a learning rate that is stable.

    `losses` end with those of the block that diverged; `start` is theta at step 0, where steps are
    stable while lr < reach / lambda_max; 0 where no such number is known.
    """
    step = int(torch.nonzero(~torch.isfinite(losses))[0])
    if step == 0:
        return DivergedError(
            f"the loss is {losses[0].item()} before the first step, which no lr mends: what the "
            "network makes of this table with its initial parameters is not finite; start from "
            "others, or take another activation or loss"
        )
    _, sharpest = extreme_curvatures(objective, start)
    if 0 < sharpest < np.inf and 2 * lr * sharpest > reach > 0:
        way_out = (
            f"the loss curves by up to {sharpest:.3g} where it starts, so a stable lr is below "
            f"{reach:.3g} / {sharpest:.3g} = {reach / sharpest:.2g}"
        )
    else:
        way_out = f"try a smaller lr, for example {lr / 10:g}"
    return DivergedError(
        f"the descent diverged: the loss is {losses[step].item()} at step {step} with lr={lr:g}, "
        f"after {losses[0].item():.6g} at step 0; {way_out}"
    )
