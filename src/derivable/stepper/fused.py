"""The fused loop: the passes of the fused objective, with no Python between two steps."""

from __future__ import annotations

from torch import Tensor

from derivable.objective import Fused, fastest
from derivable.problem import Problem
from derivable.stepper.base import ExactStepper, steps_per_block


class FusedSteps(ExactStepper):
    """Exact steps of what the fused objective supports, in one compiled loop."""

    name = "fused"
    takes_shards = True

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.objective: Fused = Fused(problem)
        self.block = steps_per_block(problem.rows)

    @classmethod
    def refusal(cls, problem: Problem) -> str:
        """Why it cannot have this problem here: that of the fused objective."""
        return Fused.refusal(problem)

    @classmethod
    def pays(cls, problem: Problem, steps: int) -> bool:
        """Whether the fused objective is the fastest; its loop then is."""
        return fastest(problem) is Fused

    def take_steps(self, theta: Tensor, lr: float, losses: Tensor) -> None:
        """Move `theta` by so many exact steps as there are `losses`, the loss before each."""
        self.objective.descend(theta, lr, losses)
