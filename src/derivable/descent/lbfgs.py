"""L-BFGS, from SciPy: the bottom of the valley in few evaluations, not the path of descent."""

from __future__ import annotations

from typing import Any

import torch

from derivable.descent.field import Vector
from derivable.descent.path import OF_ITS_OWN, Path, Plan
from derivable.descent.sharpness import nowhere_to_start
from derivable.objective import Objective


def minimise(objective: Objective, plan: Plan) -> Path:
    """At most `steps` iterations of L-BFGS from theta; `lr` is not used.

    There is one loss per iteration. It ends earlier where the loss does not fall any more. Raises
    DivergedError where the first loss is not finite; SciPy goes nowhere from there.
    """
    from scipy.optimize import minimize

    losses, snapshots = list(plan.losses), plan.snapshots()
    theta = plan.theta.double().numpy()
    last = theta.copy()

    evaluations, interrupted = 0, False

    def value(point: Vector) -> tuple[float, Vector]:
        nonlocal evaluations
        evaluations += 1
        loss, gradient = objective.value_and_gradient(torch.from_numpy(point).to(objective.dtype))
        slope: Vector = gradient.double().numpy()
        return loss.item(), slope

    def after_each(intermediate_result: Any) -> None:  # SciPy looks at this name
        last[:] = intermediate_result.x
        losses.append(intermediate_result.fun)
        done = len(losses) - 1
        if snapshots.wanted(done - 1, done):
            snapshots.take(done, torch.from_numpy(last))
        plan.progress(done, losses[-1])

    losses.append(value(theta)[0])
    if not losses[-1] <= plan.most:
        raise nowhere_to_start(losses[-1])
    options = {"maxiter": plan.steps - plan.done, "maxfun": 20 * plan.steps}
    try:
        if plan.steps > plan.done:
            minimize(
                value,
                theta,
                jac=True,
                method="L-BFGS-B",
                callback=after_each,
                options={**options, "ftol": 0.0, "gtol": 1e-9},
            )
    except KeyboardInterrupt:
        interrupted = True
    snapshots.take(len(losses) - 1, torch.from_numpy(last))
    return Path(
        torch.from_numpy(last),
        torch.tensor(losses, dtype=torch.float64),
        evaluations,
        snapshots,
        OF_ITS_OWN,
        interrupted=interrupted,
    )
