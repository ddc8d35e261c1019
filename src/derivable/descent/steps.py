"""One step at a time: exact gradient descent, and the optimisers of PyTorch on the same loss."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from derivable.descent.path import OF_ITS_OWN, Path, Plan
from derivable.descent.sharpness import diverged
from derivable.objective import Objective

MOMENTUM = 0.9

# The largest lr * lambda_max at which steps on a quadratic loss are stable: where the roots of
# z^2 - (1 + m - a) z + m, with momentum m and a = lr * lambda, leave the unit circle; Nesterov's of
# z^2 - (1 + m) (1 - a) z + m (1 - a). Adam has no such number.
REACH = {
    "momentum": 2 * (1 + MOMENTUM),
    "nesterov": 2 * (1 + MOMENTUM) / (1 + 2 * MOMENTUM),
    "adam": 0.0,
}

OPTIMISERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "momentum": partial(torch.optim.SGD, momentum=MOMENTUM),
    "nesterov": partial(torch.optim.SGD, momentum=MOMENTUM, nesterov=True),
    "adam": torch.optim.Adam,
}


def take_steps(objective: Objective, plan: Plan) -> Path:
    """Theta <- theta - lr * gradient, until `steps` are done.

    Raises DivergedError as soon as a block of steps holds a loss that is not finite. An
    interruption (Ctrl-C) ends it with what the blocks so far have found.
    """
    theta = plan.theta.to(objective.dtype, copy=True)

    def advance(losses: Tensor) -> None:
        objective.take_steps(theta, plan.lr, losses)

    return _in_blocks(objective, plan, theta, advance, dict, reach=2.0)


def optimise(objective: Objective, plan: Plan, name: str) -> Path:
    """The same with the optimiser of PyTorch of that `name` instead of plain steps."""
    theta = plan.theta.to(objective.dtype, copy=True).requires_grad_()
    optimiser = OPTIMISERS[name]([theta], lr=plan.lr)
    if plan.memory:
        optimiser.state[theta] = {key: value.clone() for key, value in plan.memory.items()}

    def advance(losses: Tensor) -> None:
        for k in range(len(losses)):
            losses[k], gradient = objective.value_and_gradient(theta.detach())
            theta.grad = gradient.clone()
            optimiser.step()

    def memory() -> dict[str, Tensor]:
        state = optimiser.state.get(theta, {}).items()
        return {key: value.clone() for key, value in state if isinstance(value, Tensor)}

    path = _in_blocks(objective, plan, theta.detach(), advance, memory, REACH[name])
    return replace(path, certificate=OF_ITS_OWN)


def _in_blocks(
    objective: Objective,
    plan: Plan,
    theta: Tensor,
    advance: Callable[[Tensor], None],
    memory: Callable[[], dict[str, Tensor]],
    reach: float,
) -> Path:
    """Let `advance` move `theta` by blocks; between two of them, look, report and keep.

    Blocks end at multiples of their length, wherever the descent began, so that one that goes on
    from a checkpoint has the same blocks.
    """
    losses, done, snapshots = plan.room(), plan.done, plan.snapshots()
    kept = theta.clone(), done, memory()  # what an interruption inside a block goes back to
    interrupted = False
    try:
        while done < plan.steps:
            end = min(done - done % objective.block + objective.block, plan.steps)
            objective.begin_block()
            while done < end:
                piece = min(done - done % objective.piece + objective.piece, end)
                far = min([*snapshots.early(done, piece), piece])
                advance(losses[done:far])
                if not (losses[done:far] <= plan.most).all():
                    raise diverged(objective, plan, losses[:far], reach)
                if snapshots.wanted(done, far):
                    snapshots.take(far, theta)
                done = far
                if done == end:
                    kept = theta.clone(), done, memory()
                    spent = done - plan.done
                    plan.keep(Path(kept[0], losses[:done], spent, snapshots, memory=kept[2]))
                if done == piece < plan.steps:
                    plan.progress(done, losses[done - 1].item())
    except KeyboardInterrupt:
        interrupted = True
    theta, done, last = kept
    snapshots.forget_after(done)
    if torch.isnan(losses[done]):  # where a block was interrupted, its first loss is known
        losses[done], _ = objective.value_and_gradient(theta)
    losses = losses[: done + 1]
    if not losses[done] <= plan.most:
        raise diverged(objective, plan, losses, reach)
    with suppress(KeyboardInterrupt):  # there is nothing more to do
        plan.progress(done, losses[done].item())
    snapshots.take(done, theta)
    evaluations = done + 1 - plan.done
    return Path(theta, losses, evaluations, snapshots, interrupted=interrupted, memory=last)
