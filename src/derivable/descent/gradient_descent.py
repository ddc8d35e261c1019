"""Exact gradient descent, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from derivable.descent.blocks import StepByStep
from derivable.descent.error_estimate import EXACT, ErrorEstimate
from derivable.descent.request import DescentRequest
from derivable.problem import Problem
from derivable.stepper import Kind, PlainSteps, Stepper, choose_stepper, stepper_class


@dataclass(frozen=True)
class GradientDescent(StepByStep):
    """Exact steps, theta <- theta - lr * gradient, full batch or in mini-batches of `batch_size`.

    How they are carried out is left to the fastest stepper, or to the `objective` of `descend`.
    """

    name: ClassVar[str] = "steps"
    error_estimate: ClassVar[ErrorEstimate] = EXACT

    def fastest(self, problem: Problem, steps: int) -> Kind:
        """The fastest stepper."""
        return stepper_class(problem, "fastest", steps=steps)

    def stepper(self, request: DescentRequest) -> Stepper:
        """The stepper that was asked for, or the fastest; the plain loop for mini-batches."""
        if self.batch_size is None:
            return choose_stepper(request.problem, request.objective, steps=request.steps)
        return PlainSteps(self.objective(request), rows=self.rows(request.problem))
