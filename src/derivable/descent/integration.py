"""One integration of the flow by a Runge-Kutta method, with the losses after every step.

The loss is one more component of the state, so that dense output gives it after every step; where a
stride ends it is set to what it is there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.polynomial.chebyshev import chebinterpolate, chebval
from torch import Tensor

from derivable.descent.drift import DriftEstimate
from derivable.descent.error_estimate import ErrorEstimate
from derivable.descent.field import Field
from derivable.descent.messages import say
from derivable.descent.request import DescentRequest, Trajectory
from derivable.descent.snapshots import Snapshots
from derivable.formula import kernel_of
from derivable.function.kernel import Kernel
from derivable.network import Network
from derivable.objective import Objective

SHARPEST = 0.5  # lr * lambda_max; beyond it, a step is no flow with a small correction
DEGREE = 7  # of DOP853's dense output; RK45's has 4
COST = 3  # gradients that an evaluation of the modified flow is worth: g, then H g
PATIENCE = 3000  # gradients that it may cost before it must have come as far as they would
UNMEASURED = ErrorEstimate(math.inf, exact=False, note=say("interrupted"))


@dataclass
class Integration:
    """What one integration passed, and why it ended before the last step, if it did."""

    losses: Tensor  # (steps + 1,)
    theta: Tensor  # (P,), after `done` steps
    done: int
    snapshots: Snapshots
    evaluations: int = 0  # gradients
    longest: float = 0.0  # stride, in time
    trouble: str = ""
    interrupted: bool = False

    def trajectory(self, evaluations: int, estimate: ErrorEstimate = UNMEASURED) -> Trajectory:
        """What there is, after so many gradients in all."""
        losses = self.losses[: self.done + 1]
        return Trajectory(self.theta, losses, evaluations, self.snapshots, estimate)


def is_smooth(network: Network) -> bool:
    """Whether no Function of the network states kinks, or has some in its kernel."""
    for function in (layer.function for layer in network.layers):
        kernel = kernel_of(function)
        if getattr(function, "kinks", ()) or (isinstance(kernel, Kernel) and not kernel.smooth):
            return False
    return True


def integrate(
    flow: Field,
    request: DescentRequest,
    relative: float,
    *,
    drift: DriftEstimate | None = None,
    longest: float = math.inf,
) -> Integration:
    """Stride along the flow, with a window now and then, until the end or the first trouble.

    `relative` is the tolerance of a stride and `longest` the time that it may take. Where the
    gradient has jumps, a method of low order goes further.
    """
    found = Integration(
        request.allocate_losses(), request.theta.double(), request.done, request.snapshots()
    )
    found.losses[request.done] = _value(flow.objective, found.theta)
    if not torch.isfinite(found.losses[request.done]):
        found.trouble = say("not_finite")
        return found
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # trouble is seen by its consequences
            solver = _solver(flow, request, found, relative, longest)
            _stride(found, flow, solver, request, drift)
    except KeyboardInterrupt:
        found.interrupted = True
    found.evaluations = 2 * flow.evaluations
    return found


def _solver(
    flow: Field, request: DescentRequest, found: Integration, relative: float, longest: float
) -> Any:
    """SciPy's solver at the start."""
    from scipy import integrate

    smooth = is_smooth(request.problem.network)
    return (integrate.DOP853 if smooth else integrate.RK45)(
        flow,
        0.0,
        np.append(found.theta.numpy(), found.losses[request.done]),
        (request.steps - request.done) * request.lr,
        rtol=relative,
        atol=relative * 1e-2,
        max_step=longest,
    )


def _stride(
    found: Integration,
    flow: Field,
    solver: Any,
    request: DescentRequest,
    drift: DriftEstimate | None,
) -> None:
    """Stride by stride until the end or the first trouble."""
    while solver.status == "running" and not found.trouble:
        found.trouble = _measure(drift, solver, request) if drift else ""
        solver.step()
        if solver.status == "failed" or not np.isfinite(solver.y).all():
            found.trouble = say("not_finite")
            break
        _record(found, request, flow.objective, solver)
        if COST * flow.evaluations > max(PATIENCE, found.done - request.done):
            found.trouble = found.trouble or say("costs_more")
        request.report(found.done, found.trajectory(2 * flow.evaluations), False)
    if drift and not found.trouble:
        found.trouble = _measure(drift, solver, request, last=True)


def _measure(
    drift: DriftEstimate, solver: Any, request: DescentRequest, *, last: bool = False
) -> str:
    """A window where the solver is, if one is due; what is wrong there, if anything."""
    step = solver.t / request.lr
    loss = float(solver.y[-1])
    if not (last or drift.is_due(step, request.steps - request.done, loss)):
        return ""
    drift.measure(step, torch.from_numpy(solver.y[:-1]), loss)
    sharpness = drift.windows[-1].sharpness
    if not sharpness <= SHARPEST:
        return say("not_small", sharpness=sharpness)
    return ""


def _record(found: Integration, request: DescentRequest, objective: Objective, solver: Any) -> None:
    """The losses after each step of the stride behind the solver, and theta after the last one.

    The integrated loss has drifted a little from the true one; what it is off by at the end of
    the stride is shared out along it.
    """
    dense = solver.dense_output()
    solver.y[-1] = _value(objective, torch.from_numpy(solver.y[:-1]))
    finished = solver.status == "finished"
    end = request.steps if finished else request.done + math.floor(solver.t / request.lr)
    steps = np.arange(found.done + 1, end + 1)
    t = np.minimum((steps - request.done) * request.lr, solver.t)
    length = solver.t - solver.t_old
    found.longest = max(found.longest, length)
    off = solver.y[-1] - dense(solver.t)[-1]
    # Inside a stride it is a polynomial, so a few points of it stand for thousands of steps.
    losses = chebinterpolate(lambda s: dense(solver.t_old + (s + 1) / 2 * length)[-1], DEGREE)
    s = 2 * (t - solver.t_old) / length - 1  # -1 to 1 along the stride
    integrated = chebval(s, losses) + (s + 1) / 2 * off
    found.losses[found.done + 1 : end + 1] = torch.from_numpy(integrated)
    for step in found.snapshots.wanted(found.done, end):
        at = dense(min((step - request.done) * request.lr, solver.t))
        found.snapshots.take(step, torch.from_numpy(at[:-1]))
    theta = solver.y if finished else dense((end - request.done) * request.lr)
    found.theta, found.done = torch.from_numpy(theta[:-1].copy()), end
    if finished:
        found.snapshots.take(end, found.theta)


def _value(objective: Objective, theta: Tensor) -> float:
    return objective.value_and_gradient(theta.to(objective.dtype))[0].item()
