"""`Auto`: the cheapest method that is certain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from derivable.descent.checks import check_positive
from derivable.descent.flow import Flow
from derivable.descent.gradient_descent import GradientDescent
from derivable.descent.integration import is_smooth
from derivable.descent.method import Method, Prepared
from derivable.descent.request import DescentRequest
from derivable.descent.spectral import Spectral, is_linear
from derivable.device import CPU
from derivable.objective import Fused
from derivable.problem import Problem
from derivable.stepper import PiecewiseSteps
from derivable.stepper.ahead import Demand

FEW_STEPS = 2000  # fewer are taken one by one before a flow has got going


@dataclass(frozen=True)
class Auto(Method):
    """The cheapest method that gives exact steps, or deviates from them by less than `tolerance`.

    That is `Spectral`, `Flow(tolerance)` or `GradientDescent`; the latter also where an objective
    is named, the learning rate has a schedule, or a callback is to be called after so many steps.
    """

    tolerance: float = 1e-4

    name: ClassVar[str] = "auto"

    def __post_init__(self) -> None:
        check_positive("tolerance", self.tolerance)

    def chosen(self, request: DescentRequest) -> Method:
        """The cheapest that goes with what is asked for."""
        changing = request.problem.network.changing
        step_by_step = changing or request.schedule is not None or request.callbacks.periodic
        if request.objective != "fastest" or step_by_step:
            return GradientDescent()
        return self.cheapest(request.problem, request.steps)

    def cheapest(self, problem: Problem, steps: int) -> Method:
        """The flow has to measure itself, and hands over to exact steps where it must."""
        if problem.device != CPU:
            return GradientDescent()
        if is_linear(problem):
            return Spectral()
        piecewise = PiecewiseSteps.supports(problem) and PiecewiseSteps.pays(problem, steps)
        if steps < FEW_STEPS or piecewise:
            return GradientDescent()
        # Elsewhere second derivatives come from autograd, and kinks may stop the flow at every one.
        smooth = Fused.supports(problem) and is_smooth(problem.network)
        return Flow(self.tolerance) if smooth else GradientDescent()

    def demands(self, problem: Problem, steps: int) -> list[Demand]:
        """That of the method it chooses."""
        return self.cheapest(problem, steps).demands(problem, steps)

    def prepare(self, request: DescentRequest) -> Prepared:
        """That of the method it chooses."""
        return self.chosen(request).prepare(request)
