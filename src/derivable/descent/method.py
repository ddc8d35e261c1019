"""What a method is: a way in which parameters move, as a small frozen object with its settings."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from derivable.descent.request import DescentRequest, Trajectory
from derivable.problem import Problem
from derivable.stepper.ahead import Demand


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A method that can run at once: the table is laid out and loops are compiled."""

    objective: str  # the name of the objective or stepper that it runs with
    run: Callable[[], Trajectory]


@dataclasses.dataclass(frozen=True)
class Method(ABC):
    """A way in which parameters move. Subclasses are frozen dataclasses whose fields are settings.

    `needs_lr` says whether it has a learning rate, `step_by_step` whether it takes every step, so
    that callbacks can be called after any of them; `reports_all` that they can be called after any
    of its own iterations, which are no steps of gradient descent. `adjustable` are settings that
    need not be those of a checkpoint from which it goes on.
    """

    name: ClassVar[str]
    needs_lr: ClassVar[bool] = True
    step_by_step: ClassVar[bool] = False
    reports_all: ClassVar[bool] = False
    adjustable: ClassVar[tuple[str, ...]] = ()

    def chosen(self, request: DescentRequest) -> Method:
        """The method that runs: this one, unless it is one that chooses."""
        return self

    def refusal(self, problem: Problem) -> str:
        """Why it cannot have this problem; empty where it can."""
        return ""

    def rows(self, problem: Problem) -> int:
        """How many rows one gradient passes over: all, but for mini-batches."""
        return problem.rows

    @abstractmethod
    def prepare(self, request: DescentRequest) -> Prepared:
        """Lay out the table and compile what there is to compile.

        Raises SettingError for a request that it cannot meet.
        """

    def demands(self, problem: Problem, steps: int) -> list[Demand]:
        """The compiled code that so many steps need, as far as another process can compile it."""
        return []

    @property
    def settings(self) -> dict[str, Any]:
        """Its settings by name, for a checkpoint."""
        return dataclasses.asdict(self)
