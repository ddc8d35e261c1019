"""Gradient descent as an ordinary differential equation: many small steps in a few long strides.

A step theta -> theta - lr g(theta) follows, to second order in lr, the modified gradient flow

    d theta / dt = -(g + (lr / 2) H g),    t = lr * steps

(backward error analysis: Hairer, Lubich and Wanner, "Geometric Numerical Integration", chapter IX;
Barrett and Dherin, "Implicit Gradient Regularization", arXiv:2009.11162). SciPy's Runge-Kutta
methods cross it in long strides. The loss is one more component of the state, so that dense output
gives it after every step; where a stride ends it is set to what it is there.

It is measured, not believed, how far that is from exact steps: `certificate.py` says how. Where it
is further than was asked the tolerance is made smaller, once; where that does not help, or the flow
does not pay, exact steps are taken and the certificate says why.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.polynomial.chebyshev import chebinterpolate, chebval
from torch import Tensor

from derivable.descent.certificate import Witness
from derivable.descent.field import Field
from derivable.descent.path import Certificate, Path, Plan, Window
from derivable.descent.snapshots import Snapshots
from derivable.descent.steps import take_steps
from derivable.objective import Objective

SHARPEST = 0.5  # lr * lambda_max; beyond it, a step is no flow with a small correction
FIRST = 1e-5  # relative tolerance for a smooth loss
FIRST_WITH_KINKS = 1e-4  # a smaller one would stop at each kink
COARSER, FINER = 10.0, 30.0
OTHER = 0.6  # the twin's longest stride, as a part: with the same ones it would be as wrong
SAFETY = 3.0  # the twin shares a part of what the path is off; see certificate.py
TRIALS = 2
DEGREE = 7  # of DOP853's dense output; RK45's has 4
COST = 3  # gradients that an evaluation of the modified flow is worth: g, then H g
NOT_FINITE = "its loss or parameters are not finite"
PATIENCE = 3000  # gradients that it may cost before it must have come as far as they would


@dataclass
class _Ride:
    """One integration: what it passed, and why it ended before the last step, if it did."""

    losses: Tensor  # (steps + 1,)
    theta: Tensor  # (P,), after `done` steps
    done: int
    snapshots: Snapshots
    evaluations: int = 0  # gradients
    longest: float = 0.0  # stride, in time
    trouble: str = ""
    interrupted: bool = False


def follow(objective: Objective, exact: Objective, plan: Plan, *, smooth: bool) -> Path:
    """The modified flow from theta for `steps` steps, with a certificate.

    `exact` is the same objective in float64, for the windows. `smooth` says whether the gradient
    has no jumps; where it has, a method of low order goes further. Raises DivergedError as exact
    steps do.
    """
    if plan.steps == plan.done:
        return take_steps(objective, plan)
    if plan.note:  # it goes on where exact steps were taken instead
        return _steps_instead(objective, plan, plan.note)
    relative, spent = FIRST if smooth else FIRST_WITH_KINKS, 0
    quiet = replace(plan, progress=lambda step, loss: None)
    for _ in range(TRIALS):
        witness = Witness(Field(exact, plan.lr), objective)
        ride = _integrate(Field(objective, plan.lr), plan, relative, smooth, witness)
        spent += ride.evaluations + witness.evaluations
        windows = tuple(replace(one, step=plan.done + one.step) for one in witness.windows)
        if ride.interrupted:
            return _unmeasured(ride, spent, windows)
        if ride.trouble:
            break
        drifting = Field(objective, plan.lr, witness.drift)
        longest = OTHER * ride.longest
        twin = _integrate(drifting, quiet, relative * COARSER, smooth, None, longest)
        spent += twin.evaluations
        if twin.interrupted:
            return _unmeasured(ride, spent, windows)
        rounding = torch.finfo(objective.dtype).eps  # of each loss, which both have
        deviation = SAFETY * _largest_difference(ride, twin) + rounding
        if deviation <= plan.tolerance:
            how = Certificate(deviation, False, windows)
            return Path(ride.theta, ride.losses, spent, ride.snapshots, how)
        ride.trouble = f"it would deviate by {deviation:.0e}, and {plan.tolerance:.0e} was asked"
        relative /= FINER
    return _steps_instead(objective, plan, f"the flow was not used: {ride.trouble}", spent)


def _steps_instead(objective: Objective, plan: Plan, note: str, spent: int = 0) -> Path:
    """Exact steps, with a note why, after so many gradients that were spent in vain."""

    def noted(path: Path) -> Path:
        how = replace(path.certificate, note=note)
        return replace(
            path, gradient_evaluations=spent + path.gradient_evaluations, certificate=how
        )

    return noted(take_steps(objective, replace(plan, keep=lambda path: plan.keep(noted(path)))))


def _unmeasured(ride: _Ride, spent: int, windows: tuple[Window, ...]) -> Path:
    """What there is after an interruption."""
    how = Certificate(math.inf, False, windows, "interrupted before it was measured")
    losses = ride.losses[: ride.done + 1]
    ride.snapshots.take(ride.done, ride.theta)
    return Path(ride.theta, losses, spent, ride.snapshots, how, interrupted=True)


def _largest_difference(ride: _Ride, twin: _Ride) -> float:
    """Of the losses of two integrations, relative."""
    if twin.trouble:
        return math.inf
    known = torch.isfinite(ride.losses)  # but for those before the start of a resumed descent
    apart = (ride.losses - twin.losses).abs() / ride.losses.abs().clamp(min=1e-300)
    return float(apart[known].nan_to_num(nan=math.inf).max())


def _integrate(
    flow: Field,
    plan: Plan,
    relative: float,
    smooth: bool,
    witness: Witness | None,
    longest: float = math.inf,
) -> _Ride:
    """Stride along the flow, with a window now and then, until the end or the first trouble."""
    with np.errstate(over="ignore", invalid="ignore"):  # trouble is seen by its consequences
        return _strides(flow, plan, relative, smooth, witness, longest)


def _strides(
    flow: Field,
    plan: Plan,
    relative: float,
    smooth: bool,
    witness: Witness | None,
    longest: float,
) -> _Ride:
    from scipy import integrate

    objective = flow.objective
    ride = _Ride(plan.room(), plan.theta.double(), plan.done, plan.snapshots())
    ride.losses[plan.done] = _value(objective, ride.theta)
    if not torch.isfinite(ride.losses[plan.done]):
        ride.trouble = NOT_FINITE
        return ride
    try:
        solver = (integrate.DOP853 if smooth else integrate.RK45)(
            flow,
            0.0,
            np.append(ride.theta.numpy(), ride.losses[plan.done]),
            (plan.steps - plan.done) * plan.lr,
            rtol=relative,
            atol=relative * 1e-2,
            max_step=longest,
        )
        while solver.status == "running" and not ride.trouble:
            ride.trouble = _look(witness, solver, plan) if witness else ""
            solver.step()
            if solver.status == "failed" or not np.isfinite(solver.y).all():
                ride.trouble = NOT_FINITE
                break
            _record(ride, plan, objective, solver)
            if COST * flow.evaluations > max(PATIENCE, ride.done - plan.done):
                ride.trouble = ride.trouble or "it costs more than the steps"
            plan.progress(ride.done, ride.losses[ride.done].item())
        if witness and not ride.trouble:
            ride.trouble = _look(witness, solver, plan, last=True)
    except KeyboardInterrupt:
        ride.interrupted = True
    ride.evaluations = 2 * flow.evaluations
    return ride


def _look(witness: Witness, solver: Any, plan: Plan, last: bool = False) -> str:
    """A window where the solver stands, if it is time for one; what is wrong there, if anything."""
    step = solver.t / plan.lr
    loss = float(solver.y[-1])
    if not (last or witness.wants(step, plan.steps - plan.done, loss)):
        return ""
    witness.look(step, torch.from_numpy(solver.y[:-1]), loss)
    sharpness = witness.windows[-1].sharpness
    if not sharpness <= SHARPEST:
        return f"lr * lambda_max is {sharpness:.2g}, which is not small"
    return ""


def _record(ride: _Ride, plan: Plan, objective: Objective, solver: Any) -> None:
    """The losses after each step of the stride behind the solver, and theta after the last one.

    The integrated loss has drifted a little from the true one; what it is off by at the end of
    the stride is shared out along it.
    """
    dense = solver.dense_output()
    solver.y[-1] = _value(objective, torch.from_numpy(solver.y[:-1]))
    finished = solver.status == "finished"
    end = plan.steps if finished else plan.done + math.floor(solver.t / plan.lr)
    steps = np.arange(ride.done + 1, end + 1)
    t = np.minimum((steps - plan.done) * plan.lr, solver.t)
    length = solver.t - solver.t_old
    ride.longest = max(ride.longest, length)
    drift = solver.y[-1] - dense(solver.t)[-1]
    # Inside a stride it is a polynomial, so a few points of it stand for thousands of steps.
    losses = chebinterpolate(lambda s: dense(solver.t_old + (s + 1) / 2 * length)[-1], DEGREE)
    s = 2 * (t - solver.t_old) / length - 1  # -1 to 1 along the stride
    integrated = chebval(s, losses) + (s + 1) / 2 * drift
    ride.losses[ride.done + 1 : end + 1] = torch.from_numpy(integrated)
    for step in ride.snapshots.wanted(ride.done, end):
        at = dense(min((step - plan.done) * plan.lr, solver.t))
        ride.snapshots.take(step, torch.from_numpy(at[:-1]))
    theta = solver.y if finished else dense((end - plan.done) * plan.lr)
    ride.theta, ride.done = torch.from_numpy(theta[:-1].copy()), end
    if finished:
        ride.snapshots.take(end, ride.theta)


def _value(objective: Objective, theta: Tensor) -> float:
    return objective.value_and_gradient(theta.to(objective.dtype))[0].item()
