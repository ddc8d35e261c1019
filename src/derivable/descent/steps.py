"""Exact gradient descent, one step at a time."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from derivable.errors import DivergedError
from derivable.objective import Objective

Progress = Callable[[int, float], None]  # (steps done, loss there)

BLOCK = 500  # steps between two reports of progress and two looks for divergence


def take_steps(
    objective: Objective, theta: Tensor, *, lr: float, steps: int, progress: Progress
) -> tuple[Tensor, Tensor]:
    """Theta <- theta - lr * gradient, `steps` times.

    Returns the last theta (P,) and all losses (steps + 1,): losses[k] is the loss after k steps.
    Raises DivergedError as soon as a block of steps holds a loss that is not finite.
    """
    theta = theta.clone()
    losses = theta.new_empty(steps + 1)
    for step in range(steps):
        losses[step], gradient = objective.value_and_gradient(theta)
        theta -= lr * gradient
        if (step + 1) % BLOCK == 0:
            progress(step + 1, _finite_loss(losses[: step + 1], lr))
    losses[steps], _ = objective.value_and_gradient(theta)
    progress(steps, _finite_loss(losses, lr))
    return theta, losses


def _finite_loss(losses: Tensor, lr: float) -> float:
    """The last loss; DivergedError if it, or one in the block before it, is not finite."""
    recent = losses[-BLOCK - 1 :]
    broken = torch.nonzero(~torch.isfinite(recent))
    if len(broken) == 0:
        return recent[-1].item()
    step = len(losses) - len(recent) + int(broken[0])
    raise DivergedError(
        f"the descent diverged: the loss is {losses[step].item()} at step {step} with lr={lr:g}, "
        f"after {losses[0].item():.6g} at step 0; try a smaller lr, for example {lr / 10:g}"
    )
