"""`Check`: the base class of checks, with what a check is given and what it returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from derivable.examiner.checks.returned import EXAMPLE, Problem
from derivable.examiner.checks.values import Evaluation, ExaminedTarget
from derivable.examiner.inputs.applicability import Applicability
from derivable.examiner.inputs.probes import Probes
from derivable.examiner.measure import EPS
from derivable.examiner.message import Message
from derivable.examiner.points import Kind, kind
from derivable.examiner.settings import Settings

ORDINARY = (Kind.EXAMPLE, Kind.SIZES)


@dataclass(frozen=True)
class Setup:
    """The target, its inputs and the settings, the same for all checks."""

    settings: Settings
    examined: ExaminedTarget
    inputs: list[Any]  # the given ones, in the dtype in which they are examined
    probes: Probes
    applicability: Applicability

    @property
    def names(self) -> list[str]:
        """The names of the inputs."""
        return self.examined.adapter.names(len(self.inputs))

    @property
    def by_hand(self) -> bool:
        """Whether there is a backward, and not only a value with a gradient."""
        return not self.examined.adapter.value_only

    @property
    def exact(self) -> bool:
        """Whether it is examined in float64."""
        return self.examined.eps == EPS

    @property
    def surrogate(self) -> bool:
        """Whether backward is not the derivative on purpose."""
        return self.settings.surrogate is not None


@dataclass(frozen=True)
class Results:
    """The results of a check, or a part of them."""

    problems: Sequence[Problem] = ()
    notes: Sequence[Message] = ()
    evaluations: Sequence[Evaluation] = ()


@dataclass(frozen=True)
class ResultsSoFar:
    """The results of all checks that have run so far."""

    problems: tuple[Problem, ...] = ()
    notes: tuple[Message, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    comparisons: dict[str, int] = field(default_factory=dict)  # by the name of the check

    def with_results(self, results: Results) -> ResultsSoFar:
        """These results and further ones."""
        return ResultsSoFar(
            (*self.problems, *results.problems),
            (*self.notes, *results.notes),
            (*self.evaluations, *results.evaluations),
            self.comparisons,
        )

    @cached_property
    def is_function(self) -> bool:
        """Whether the same inputs give the same outputs; otherwise there is no derivative."""
        return not any(p.cause == "random" and p.argument is None for p in self.problems)

    @cached_property
    def runs(self) -> bool:
        """Whether backward returns one gradient for each input."""
        return not any(p.cause in ("count", "raises") for p in self.problems)

    @cached_property
    def given(self) -> Evaluation | None:
        """The evaluation at the given inputs."""
        return next((e for e in self.evaluations if e.point is EXAMPLE), None)

    @cached_property
    def first_whole(self) -> Evaluation | None:
        """The first evaluation with whole Jacobians."""
        return next((e for e in self.evaluations if e.whole and e.samples), None)

    def small(self, setup: Setup) -> list[Any]:
        """The smallest inputs at which Jacobians were compared, without special values or sizes."""
        sized = [e.inputs for e in self.evaluations if kind(e) in ORDINARY and e.samples]
        return min(sized, key=entries, default=setup.inputs)


class Check(ABC):
    """A check of a backward. An instance has no state.

    name   what it is called in reports: the message "check.<name>"
    share  of the budget that is left, which it may spend
    """

    name: ClassVar[str]
    share: ClassVar[float] = 0.2

    def applies(self, setup: Setup, so_far: ResultsSoFar) -> bool:
        """Whether the check applies, given the results so far."""
        return True

    @abstractmethod
    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """The results, one part at a time: a check that is stopped keeps its first parts."""


class BackwardCheck(Check):
    """A check that needs a backward that returns one gradient for each input."""

    def applies(self, setup: Setup, so_far: ResultsSoFar) -> bool:
        """Not for a value with its gradient, and not if backward raises."""
        return setup.by_hand and so_far.runs


def entries(inputs: Sequence[Any]) -> int:
    """How many entries the tensors have."""
    return sum(v.numel() for v in inputs if hasattr(v, "numel"))
