"""Gradient descent as an ordinary differential equation: many small steps in a few long strides.

A step theta -> theta - lr g(theta) follows, to second order in lr, the modified gradient flow

    d theta / dt = -(g + (lr / 2) H g),    t = lr * steps

(backward error analysis: Hairer, Lubich and Wanner, "Geometric Numerical Integration", chapter IX;
Barrett and Dherin, "Implicit Gradient Regularization", arXiv:2009.11162). SciPy's Runge-Kutta
methods cross it in long strides. The loss is one more component of the state, so that dense output
gives it after every step; where a stride ends it is set to what it is there.

How far that is from exact steps is measured: `drift.py` says how. Where it is further than was
asked the tolerance is made smaller, once; where that does not help, or the flow does not pay, exact
steps are taken and the error estimate says why.
"""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import torch

from derivable.descent.blocks import take_blocks
from derivable.descent.checks import check_positive
from derivable.descent.drift import DriftEstimate
from derivable.descent.error_estimate import EXACT, ErrorEstimate, Window
from derivable.descent.field import Field
from derivable.descent.integration import UNMEASURED, Integration, integrate, is_smooth
from derivable.descent.messages import say
from derivable.descent.method import Method, Prepared
from derivable.descent.request import DescentRequest, Trajectory
from derivable.extras import needed
from derivable.objective import fastest
from derivable.problem import Problem
from derivable.stepper import Stepper, choose_stepper, make_ready
from derivable.stepper.ahead import Demand

FIRST = 1e-5  # relative tolerance for a smooth loss
FIRST_WITH_KINKS = 1e-4  # a smaller one would stop at each kink
COARSER, FINER = 10.0, 30.0
OTHER = 0.6  # the second longest stride, as a part: with the same ones it would be as wrong
SAFETY = 3.0  # both integrations share a part of the error; see drift.py
TRIALS = 2


@dataclass(frozen=True)
class Flow(Method):
    """The steps as an ordinary differential equation, at most `tolerance` from exact steps.

    `tolerance` is relative in every loss, by an error estimate that is measured. Where it is not
    met, exact steps are taken.
    """

    tolerance: float = 1e-4

    name: ClassVar[str] = "flow"
    adjustable: ClassVar[tuple[str, ...]] = ("tolerance",)

    def __post_init__(self) -> None:
        check_positive("tolerance", self.tolerance)

    def demands(self, problem: Problem, steps: int) -> list[Demand]:
        """That of the fastest objective in its dtype, and in float64."""
        kind, dtypes = fastest(problem), dict.fromkeys([problem.dtype, torch.float64])
        found = [Demand.of(kind, problem, dtype, hvp=True) for dtype in dtypes]
        return [demand for demand in found if demand]

    def prepare(self, request: DescentRequest) -> Prepared:
        """The steppers that it is measured by, the second in float64, with their loops compiled."""
        with needed("method_flow", "steps_do_without"):
            importlib.import_module("scipy.integrate")  # now: the descent is timed without it
        way = request.objective_class()
        stepper = choose_stepper(request.problem, way, steps=0)
        exact, problem = stepper, request.problem.in_float64()
        if problem is not request.problem:
            exact = choose_stepper(problem, fastest(problem), steps=0)
        make_ready([*stepper.routines(hvp=True), *exact.routines(hvp=True)])
        return Prepared(stepper.name, partial(follow, stepper, exact, request, self.tolerance))


def follow(
    stepper: Stepper, exact: Stepper, request: DescentRequest, tolerance: float
) -> Trajectory:
    """The modified flow from theta for `steps` steps, with an error estimate.

    `exact` takes the same steps in float64, for the windows. Raises DivergedError as exact steps
    do.
    """
    if request.steps == request.done:
        return take_blocks(stepper, request, EXACT)
    if request.note:  # it goes on where exact steps were taken instead
        return _steps_instead(stepper, request, request.note)
    objective = stepper.objective
    smooth, spent, trouble = is_smooth(request.problem.network), 0, ""
    relative = FIRST if smooth else FIRST_WITH_KINKS
    quiet = replace(request, report=lambda *found: None)
    for _ in range(TRIALS):
        drift = DriftEstimate(Field(exact.objective, request.lr), exact, objective)
        first = integrate(Field(objective, request.lr), request, relative, drift=drift)
        spent += first.evaluations + drift.evaluations
        windows = tuple(replace(one, step=request.done + one.step) for one in drift.windows)
        if first.interrupted:
            return _unmeasured(first, spent, windows)
        if first.trouble:
            trouble = first.trouble
            break
        drifting = Field(objective, request.lr, drift.velocity)
        longest = OTHER * first.longest
        second = integrate(drifting, quiet, relative * COARSER, longest=longest)
        spent += second.evaluations
        if second.interrupted:
            return _unmeasured(first, spent, windows)
        rounding = torch.finfo(objective.dtype).eps  # of each loss, which both have
        deviation = SAFETY * _largest_difference(first, second) + rounding
        if deviation <= tolerance:
            estimate = ErrorEstimate(deviation, False, windows)
            return first.trajectory(spent, estimate)
        trouble = say("would_deviate", deviation=deviation, tolerance=tolerance)
        relative /= FINER
    return _steps_instead(stepper, request, say("no_flow", trouble=trouble), spent)


def _steps_instead(
    stepper: Stepper, request: DescentRequest, note: str, spent: int = 0
) -> Trajectory:
    """Exact steps, with a note why, after so many gradients that were spent in vain."""

    def counted(found: Trajectory) -> Trajectory:
        return replace(found, gradient_evaluations=spent + found.gradient_evaluations)

    def report(step: int, found: Trajectory, resumable: bool) -> None:
        request.report(step, counted(found), resumable)

    noted = replace(EXACT, note=note)
    return counted(take_blocks(stepper, replace(request, report=report), noted))


def _unmeasured(found: Integration, spent: int, windows: tuple[Window, ...]) -> Trajectory:
    """What there is after an interruption."""
    found.snapshots.take(found.done, found.theta)
    estimate = replace(UNMEASURED, windows=windows)
    return replace(found.trajectory(spent, estimate), interrupted=True)


def _largest_difference(first: Integration, second: Integration) -> float:
    """Of the losses of two integrations, relative."""
    if second.trouble:
        return math.inf
    known = torch.isfinite(first.losses)  # but for those before the start of a resumed descent
    apart = (first.losses - second.losses).abs() / first.losses.abs().clamp(min=1e-300)
    return float(apart[known].nan_to_num(nan=math.inf).max())
