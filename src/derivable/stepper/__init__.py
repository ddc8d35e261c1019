"""Ways of carrying out gradient descent step by step, from the plain loop to compiled ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from derivable.objective import OBJECTIVES, Objective, fastest
from derivable.problem import Problem
from derivable.stepper.base import ExactStepper, Stepper
from derivable.stepper.cuda_graph import CudaGraphSteps
from derivable.stepper.fused import FusedSteps
from derivable.stepper.piecewise import PiecewiseSteps
from derivable.stepper.plain import PlainSteps

if TYPE_CHECKING:
    from derivable.compiler.jit import Compiled

__all__ = [
    "STEPPERS",
    "CudaGraphSteps",
    "ExactStepper",
    "FusedSteps",
    "PiecewiseSteps",
    "PlainSteps",
    "Stepper",
    "Way",
    "choose_stepper",
    "make_ready",
    "stepper_class",
]

# Those that are faster than the plain loop where they pay, the most special one first.
STEPPERS: dict[str, type[ExactStepper]] = {
    kind.name: kind for kind in (PiecewiseSteps, FusedSteps, CudaGraphSteps)
}

Kind = type[Objective] | type[ExactStepper]
Way = str | Kind


def stepper_class(problem: Problem, way: Way, *, steps: int) -> Kind:
    """The class of the stepper that is asked for; that of an objective for the plain loop of it.

    "fastest" is the one that takes so many steps of this problem in the least time.
    """
    if way == "fastest":
        for kind in STEPPERS.values():
            if kind.supports(problem) and kind.pays(problem, steps):
                return kind
        return fastest(problem)
    if isinstance(way, str):
        return STEPPERS.get(way) or OBJECTIVES[way]
    if way in OBJECTIVES.values():
        return STEPPERS.get(way.name, way)  # its own loop, where it has one
    return way


def choose_stepper(problem: Problem, way: Way, *, steps: int) -> Stepper:
    """The stepper that is asked for: by its name, or that of an objective, or as a class.

    Raises SettingError where it refuses the problem.
    """
    kind = stepper_class(problem, way, steps=steps)
    return kind(problem) if issubclass(kind, ExactStepper) else PlainSteps(kind(problem))


def make_ready(routines: Iterable[Compiled]) -> None:
    """Load compiled code, or compile it where it is not on the disk."""
    needed = list(routines)
    if needed:
        from derivable.compiler import ready

        ready.make_ready(needed)
