"""Gradient descent as an ordinary differential equation: many small steps in a few long strides.

A step theta -> theta - lr g(theta) follows, to second order in lr, the modified gradient flow

    d theta / dt = -(g + (lr / 2) H g),    t = lr * steps

(backward error analysis: Hairer, Lubich and Wanner, "Geometric Numerical Integration", chapter IX;
Barrett and Dherin, "Implicit Gradient Regularization", arXiv:2009.11162). SciPy's Runge-Kutta
methods cross it in long strides. The loss is one more component of the state, so that dense output
gives it after every step; where a stride ends it is set to what it is there.

No claim is made without measuring: `certificate.py` looks at the path in windows, on the way. Where
the deviation is above what was asked, the flow is tried again with a finer tolerance; where that
does not help or does not pay, exact steps go on from the last window that was good.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from derivable.descent.certificate import Stride, Witness
from derivable.descent.field import Field, Vector
from derivable.descent.path import Certificate, Path, Plan
from derivable.descent.steps import take_steps
from derivable.objective import Objective

SHARPEST = 0.5  # lr * lambda_max; beyond it, a step is no flow with a small correction
FIRST = 1e-5  # relative tolerance of the first trial for a smooth loss
FIRST_WITH_KINKS = 1e-4  # a finer one would resolve each kink
FINER, TRIALS = 20.0, 2
COST = 4  # gradients that an evaluation of the modified flow is worth: g, then H g
PATIENCE = 2000  # gradients that it may cost before it must have come as far as they would


@dataclass
class _Ride:
    """One integration: what it passed, and why it ended before the last step, if it did."""

    witness: Witness
    losses: Tensor  # (steps + 1,)
    theta: Tensor  # (P,), after `done` steps
    done: int
    evaluations: int = 0
    trouble: str = ""
    finer_helps: bool = False
    interrupted: bool = False


def follow(objective: Objective, plan: Plan, *, smooth: bool) -> Path:
    """The modified flow from theta for `steps` steps, with a certificate.

    `smooth` says whether the gradient has no jumps; where it has, a method of low order goes
    further. Raises DivergedError as exact steps do.
    """
    relative, spent = FIRST if smooth else FIRST_WITH_KINKS, 0
    for trial in range(TRIALS):
        ride = _integrate(objective, plan, relative / FINER**trial, smooth)
        spent += ride.evaluations
        if not (ride.trouble and ride.finer_helps):
            break
    if ride.trouble:
        return _hand_over(objective, plan, ride, spent)
    losses = ride.losses[: ride.done + 1]
    certified = ride.witness.certificate()
    return Path(ride.theta, losses, spent, certified, interrupted=ride.interrupted)


def _hand_over(objective: Objective, plan: Plan, ride: _Ride, spent: int) -> Path:
    """Exact steps from where the flow was last known to be good."""
    rest = replace(plan, theta=ride.theta, losses=ride.losses[: ride.done])
    path = take_steps(objective, rest)
    if ride.done == plan.done:
        how = Certificate(0.0, exact=True, note=f"the flow was not used: {ride.trouble}")
    else:
        how = ride.witness.certificate(f"exact steps from step {ride.done:,} on: {ride.trouble}")
    return replace(path, gradient_evaluations=spent + path.gradient_evaluations, certificate=how)


def _integrate(objective: Objective, plan: Plan, relative: float, smooth: bool) -> _Ride:
    """Stride along the flow, with a window now and then, until the end or the first trouble."""
    from scipy import integrate

    method = "DOP853" if smooth else "RK45"
    field = Field(objective, plan.lr)
    witness = Witness(field, plan.tolerance)
    ride = _Ride(witness, plan.room(), plan.theta.double(), plan.done)
    loss = _value(objective, ride.theta)
    ride.losses[plan.done] = loss
    solver = getattr(integrate, method)(
        field,
        0.0,
        np.append(ride.theta.numpy(), loss),
        (plan.steps - plan.done) * plan.lr,
        rtol=relative,
        atol=relative * 1e-2,
    )
    reached = plan.done  # by the strides; the ride is `done` where a window said it was good
    try:
        while solver.status == "running" and not ride.trouble:
            start = solver.y.copy()
            solver.step()
            if solver.status == "failed" or not np.isfinite(solver.y).all():
                ride.trouble = "it is not finite"
                break
            dense = solver.dense_output()
            solver.y[-1] = _value(objective, torch.from_numpy(solver.y[:-1]))
            finished = solver.status == "finished"
            end = plan.steps if finished else plan.done + math.floor(solver.t / plan.lr)
            _fill(ride.losses, plan, reached, end, dense, solver)
            if finished or witness.wants(solver.t_old / plan.lr, plan.steps):
                middle = dense((solver.t_old + solver.t) / 2)
                witness.look(
                    Stride(solver.t_old, solver.t, start, solver.y, middle, method, relative)
                )
                _judge(ride, plan, end, dense)
            reached = end
            spent = COST * field.evaluations
            if not ride.trouble and spent > max(PATIENCE, reached - plan.done):
                ride.trouble = "it does not pay"
            plan.progress(reached, ride.losses[reached].item())
    except KeyboardInterrupt:
        ride.interrupted = True
    ride.evaluations = 2 * field.evaluations + witness.evaluations
    return ride


def _judge(ride: _Ride, plan: Plan, end: int, dense: Callable[[float], Vector]) -> None:
    """Accept the path up to `end`, or say what the trouble is."""
    witness = ride.witness
    sharpness = witness.windows[-1].sharpness
    if sharpness > SHARPEST:
        ride.trouble = f"lr * lambda_max is {sharpness:.2g}, which is not small"
    elif not witness.holds:
        asked = f"{plan.tolerance:.0e} was asked"
        ride.trouble = f"the deviation would be {witness.deviation:.0e} and {asked}"
        ride.finer_helps = True
    else:
        ride.done = end
        ride.theta = torch.from_numpy(dense((end - plan.done) * plan.lr)[:-1])


def _value(objective: Objective, theta: Tensor) -> float:
    return objective.value_and_gradient(theta.to(objective.dtype))[0].item()


def _fill(
    losses: Tensor, plan: Plan, reached: int, end: int, dense: Callable[[Any], Vector], solver: Any
) -> None:
    """The losses after steps reached + 1 to `end`, from the dense output of the stride around them.

    The integrated loss has drifted a little from the true one; what it is off by at the end of
    the stride is shared out along it.
    """
    steps = np.arange(reached + 1, end + 1)
    t = np.minimum((steps - plan.done) * plan.lr, solver.t)
    drift = solver.y[-1] - dense(solver.t)[-1]
    share = (t - solver.t_old) / (solver.t - solver.t_old)
    losses[reached + 1 : end + 1] = torch.from_numpy(dense(t)[-1] + share * drift)
