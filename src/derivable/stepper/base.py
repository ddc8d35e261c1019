"""What a stepper is: a way of carrying out steps of descent, many at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from derivable.objective import Objective
from derivable.objective.base import ForProblems
from derivable.problem import Problem

if TYPE_CHECKING:
    from derivable.compiler.jit import Compiled


class Stepper(ABC):
    """Moves a flat parameter vector `theta` (P,) by many exact steps.

    `objective` is the same loss, for what is asked between steps: the last loss, and how sharp it
    is. `piece` is how many steps are taken between two evaluations of the callbacks. `block` is how
    many until `begin_block` is called again: what a block's steps give follows from its first
    `theta` and `memory` alone, so that a descent can go on from there with the same bits.
    `stable` is the largest lr * lambda_max at which the steps are stable on a quadratic loss; 0
    where no such number is known.
    """

    name: str
    objective: Objective
    piece: int = 500
    block: int = 500
    stable: float = 2.0

    @property
    def dtype(self) -> torch.dtype:
        """That of the `theta` it moves."""
        return self.objective.dtype

    def routines(self, *, hvp: bool) -> list[Compiled]:
        """What of compiled code it needs, that of the objective's `hvp` only where it is wanted."""
        return self.objective.routines(hvp=hvp)

    def begin_block(self) -> None:  # noqa: B027  most remember nothing
        """Forget what earlier steps have left, but for `theta` and `memory`."""

    @abstractmethod
    def take_steps(self, theta: Tensor, lr: float, losses: Tensor) -> None:
        """Move `theta` by as many steps as there are `losses`.

        Each entry of `losses`, in float64, becomes the loss before its step.
        """

    def memory(self) -> dict[str, Tensor]:
        """What later steps need besides `theta`: copies, for a checkpoint."""
        return {}


class ExactStepper(ForProblems, Stepper):
    """A stepper of plain gradient descent, theta <- theta - lr * gradient.

    A subclass states in `pays` for which problems it is likely to be the fastest.
    """

    @classmethod
    @abstractmethod
    def pays(cls, problem: Problem, steps: int) -> bool:
        """Whether so many steps of it take less time than the plain loop's, all in all."""


def steps_per_block(rows: int) -> int:
    """So few that a block of passes over `rows` rows takes a moment, so many that it counts."""
    return max(1, min(500, 2**24 // max(rows, 1)))
