"""`Check`: one question about a backward. What a check is given, and what it finds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from derivable.examiner.checks.returned import EXAMPLE, Problem
from derivable.examiner.checks.values import Evaluation, ExaminedTarget
from derivable.examiner.inputs.meant import Meant
from derivable.examiner.inputs.probes import Probes
from derivable.examiner.measure import EPS
from derivable.examiner.message import Message
from derivable.examiner.points import Kind, kind
from derivable.examiner.settings import Settings

ORDINARY = (Kind.EXAMPLE, Kind.SIZES)


@dataclass(frozen=True)
class Setup:
    """What is examined and how: the same for all checks."""

    settings: Settings
    examined: ExaminedTarget
    inputs: list[Any]  # the given ones, in the dtype in which they are examined
    probes: Probes
    meant: Meant

    @property
    def names(self) -> list[str]:
        """The names of the inputs."""
        return self.examined.adapter.names(len(self.inputs))

    @property
    def by_hand(self) -> bool:
        """Whether there is a backward, and not only a value with its gradient."""
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
    """What a check found, or a part of it."""

    problems: Sequence[Problem] = ()
    notes: Sequence[Message] = ()
    evaluations: Sequence[Evaluation] = ()


@dataclass(frozen=True)
class Seen:
    """Everything that was found so far."""

    problems: tuple[Problem, ...] = ()
    notes: tuple[Message, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    comparisons: dict[str, int] = field(default_factory=dict)  # by the name of the check

    def with_results(self, results: Results) -> Seen:
        """The same, and these results."""
        return Seen(
            (*self.problems, *results.problems),
            (*self.notes, *results.notes),
            (*self.evaluations, *results.evaluations),
            self.comparisons,
        )

    @cached_property
    def is_function(self) -> bool:
        """Whether the same inputs give the same outputs, so that there is a derivative."""
        return not any(p.cause == "random" and p.argument is None for p in self.problems)

    @cached_property
    def runs(self) -> bool:
        """Whether backward returns one gradient for each input."""
        return not any(p.cause in ("count", "raises") for p in self.problems)

    @cached_property
    def given(self) -> Evaluation | None:
        """What was seen at the given inputs."""
        return next((e for e in self.evaluations if e.where is EXAMPLE), None)

    @cached_property
    def first_whole(self) -> Evaluation | None:
        """The first evaluation with whole Jacobians."""
        return next((e for e in self.evaluations if e.whole and e.samples), None)

    def small(self, setup: Setup) -> list[Any]:
        """The smallest ordinary inputs of which Jacobians were taken."""
        sized = [e.inputs for e in self.evaluations if kind(e) in ORDINARY and e.samples]
        return min(sized, key=entries, default=setup.inputs)


class Check(ABC):
    """One question about a backward. An instance has no state.

    name   what it is called in reports: the message "check.<name>"
    share  of the budget that is left, which it may spend
    """

    name: ClassVar[str]
    share: ClassVar[float] = 0.2

    def applies(self, setup: Setup, seen: Seen) -> bool:
        """Whether the question makes sense after what was seen."""
        return True

    @abstractmethod
    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """What is found, piece by piece: a check that is stopped keeps its first pieces."""


class BackwardCheck(Check):
    """A check that calls a backward, which returns one gradient for each input."""

    def applies(self, setup: Setup, seen: Seen) -> bool:
        """Not of a value with its gradient, and not where backward raises."""
        return setup.by_hand and seen.runs


def entries(inputs: Sequence[Any]) -> int:
    """How many entries the tensors have."""
    return sum(v.numel() for v in inputs if hasattr(v, "numel"))
