"""All steps of a linear network at once: its loss is quadratic, so each step is known.

With the features (x, 1) of a row written x, X = U S V^T and y the targets, one step of gradient
descent multiplies the part of the residual that lies along the i-th column of U by
1 - lr 2 s_i^2 / N and leaves the part outside of U alone. So with p = U^T (X theta_0 - y), after k
steps

    loss_k  = |y - U U^T y|^2 / N + sum_i (1 - lr lambda_i)^(2k) p_i^2 / N,  lambda_i = 2 s_i^2 / N
    theta_k = theta_0 - V (1 - (1 - lr lambda)^k) / s p

which needs nothing but s and p: the triangle of a QR decomposition of (X, y), taken block by block
of rows. Nothing is divided by a singular value that is 0: the quotient goes to 0 with s.
"""

from __future__ import annotations

from contextlib import suppress

import torch
from torch import Tensor

from derivable.descent.path import Path, Plan
from derivable.descent.sharpness import nowhere_to_start
from derivable.errors import DivergedError

ROWS_AT_ONCE = 65_536
STEPS_AT_ONCE = 8_192


def leap(x: Tensor, y: Tensor, weight: Tensor | None, plan: Plan) -> Path:
    """All losses and the last theta of the linear network on x (N, D), y (N, K), in float64.

    A row of weight w is a row times sqrt(w).

    Raises DivergedError, with a learning rate that is stable, when a loss is not finite.
    """
    rows, outputs = y.shape
    edges = x.size(1) + 1
    start = plan.theta.double().view(edges, outputs)
    both = triangle(x, y, weight)  # of (X, y)
    u, s, vt = torch.linalg.svd(both[:edges, :edges])
    p = u.t() @ (both[:edges, :edges] @ start - both[:edges, edges:])  # (E, K)
    rest = (both[edges:, edges:] ** 2).sum() / rows
    step = plan.lr * 2 * s**2 / rows  # (E,); a step multiplies the residual by 1 - step
    # log |1 - step|, whose powers stay exact where step is tiny; finite, as 0 times it must be 0
    rate = torch.where(step < 1, torch.log1p(-step), torch.log(step - 1)).clamp(min=-1e300)

    todo = plan.steps - plan.done
    powers = (p**2).sum(1) / rows  # (E,)
    losses = plan.room()
    for first in range(0, todo + 1, STEPS_AT_ONCE):
        k = torch.arange(first, min(first + STEPS_AT_ONCE, todo + 1), dtype=torch.float64)
        decay = torch.exp(2 * k.view(-1, 1) * rate)  # (n, E)
        losses[plan.done + first : plan.done + first + len(k)] = rest + decay @ powers
    broken = torch.nonzero(~(losses[plan.done :] <= plan.most)) + plan.done
    if len(broken):
        if broken[0] == 0:
            raise nowhere_to_start(losses[0].item())
        raise DivergedError(
            f"the descent diverges: the loss is not finite at step {int(broken[0])} with "
            f"lr={plan.lr:g}, after {losses[0].item():.6g} at step 0; it converges for every lr "
            f"below {rows / s[0].item() ** 2:.3g}"
        )

    def theta(done: int) -> Tensor:
        """Where it is after `done` of the steps to do."""
        # 1 - (1 - step)^done; the sign matters where a step goes too far
        gone = torch.where(
            (step > 1) & (done % 2 == 1), 1 + torch.exp(done * rate), -torch.expm1(done * rate)
        )
        reach = torch.where(s > 0, gone / torch.where(s > 0, s, 1.0), 0.0)  # (E,)
        moved: Tensor = vt.t() @ (reach.view(-1, 1) * p)  # (E, K)
        return (start - moved).flatten()

    snapshots = plan.snapshots()
    for at in (*snapshots.wanted(plan.done, plan.steps), plan.steps):
        snapshots.take(at, theta(at - plan.done))
    with suppress(KeyboardInterrupt):  # there is nothing more to do
        plan.progress(plan.steps, losses[-1].item())
    return Path(theta(todo), losses, gradient_evaluations=1, snapshots=snapshots)


def triangle(x: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
    """R of the QR decomposition of the weighted (x, 1, y), (D + 1 + K) square, in float64."""
    width = x.size(1) + 1 + y.size(1)
    found = torch.zeros(width, width, dtype=torch.float64)
    for first in range(0, len(x), ROWS_AT_ONCE):
        part = slice(first, first + ROWS_AT_ONCE)
        ones = torch.ones(len(x[part]), 1, dtype=torch.float64)
        columns = torch.cat([x[part].double(), ones, y[part].double()], 1)
        if weight is not None:
            columns *= weight[part].double().sqrt().view(-1, 1)
        _, found = torch.linalg.qr(torch.cat([found, columns]), mode="r")
    return found
