"""The plain loop: one gradient of any objective, one step."""

from __future__ import annotations

from torch import Tensor

from derivable.objective import Objective
from derivable.stepper.base import Stepper, steps_per_block


class PlainSteps(Stepper):
    """Theta <- theta - lr * gradient, with the gradient of any `objective`.

    `rows` is how many rows a gradient passes over, where they are not all of the problem's.
    """

    def __init__(self, objective: Objective, *, rows: int | None = None) -> None:
        self.objective, self.name = objective, objective.name
        self.block = steps_per_block(objective.problem.rows if rows is None else rows)

    def take_steps(self, theta: Tensor, lr: float, losses: Tensor) -> None:
        """Move `theta` by so many exact steps as there are `losses`, the loss before each."""
        for k in range(len(losses)):
            losses[k], gradient = self.objective.value_and_gradient(theta)
            theta -= lr * gradient
