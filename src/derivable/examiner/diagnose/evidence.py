"""Evidence for a cause, as data: each kind has the key of its message, and fields.

A kind of evidence is a small frozen dataclass. `key` is that of its message, where {field} may
choose among several; `formats` gives the formats of numbers. Evidence without fields is a `Fact`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, ClassVar, Protocol

from derivable.examiner.message import Message
from derivable.examiner.points import Point


class Evidence(Protocol):
    """Any evidence for a cause."""

    @property
    def message(self) -> Message:
        """The message that states the evidence."""
        ...


# The result of a hypothesis: the evidence for its cause, or None if it does not hold.
Found = tuple[Evidence, ...] | None


class Fact(Enum):
    """Evidence without fields; the value is the key of its message."""

    CHANGED_BY_CALLER = "evidence.changed_by_caller"
    STALE = "evidence.stale"
    FROZEN = "evidence.frozen"
    STEPS = "evidence.steps"
    ALL_ZERO = "evidence.all_zero"
    PERMUTED = "evidence.permuted"
    CARRIED = "evidence.carried"
    SUPERFLUOUS = "evidence.superfluous"
    LOST = "evidence.lost"
    REPEATED = "evidence.repeated"
    SUMMED_NEIGHBOURS = "evidence.summed_neighbours"
    TIMES_VARYING = "evidence.times_varying"
    TWO_OUTPUTS = "evidence.swapped_two_outputs"
    SLOPE_AT_OUTPUT = "evidence.slope_at_output"
    SLOPE_AT_INPUT = "evidence.slope_at_input"
    OR_SIGNS = "evidence.or_signs"
    RUNS_IN_FLOAT64 = "evidence.runs_in_float64"
    AUTOGRAD_SUMS = "evidence.autograd_sums"
    STRAIGHT_THROUGH = "evidence.straight_through"
    AUTOGRAD_RESHAPES = "evidence.autograd_reshapes"
    GRADIENT_ERROR = "evidence.gradient_error"

    @property
    def message(self) -> Message:
        """The message that states the fact."""
        return Message(self.value)


def number(value: float) -> str:
    """A number as text, as a simple fraction if it is one: 2, 1/3, 0.7071."""
    for below in range(1, 41):
        above = value * below
        if abs(above - round(above)) < 1e-7 * max(1.0, abs(above)) and round(above):
            return f"{round(above)}" if below == 1 else f"{round(above)}/{below}"
    near = abs(abs(value) - 1) < 1e-4
    return f"{value:.10g}" if near else f"{value:.6g}"


def listed(axes: Collection[str]) -> str | Message:
    """The axes by name; "no axis" in the reader's language."""
    return ", ".join(sorted(axes)) or Message("evidence.no_axis")


class EvidenceWithFields:
    """Evidence with fields, which fill the gaps of its message."""

    key: ClassVar[str]
    formats: ClassVar[Mapping[str, str]] = {}  # field -> the format of its number; "" for `number`

    @property
    def message(self) -> Message:
        """The message that states the evidence."""
        shown = {one.name: self._shown(one.name) for one in fields(self)}  # type: ignore[arg-type]
        gaps = {name: value for name, value in shown.items() if f"{{{name}}}" not in self.key}
        return Message(self.key.format_map(shown), gaps)

    def _shown(self, name: str) -> Any:
        """A field as it is written in the message."""
        value = getattr(self, name)
        if isinstance(value, frozenset | tuple):
            return listed(value)
        if isinstance(value, Point):
            return value.message
        spec = self.formats.get(name)
        return value if spec is None else format(value, spec) if spec else number(value)


@dataclass(frozen=True)
class FactorIs(EvidenceWithFields):
    """The factor as a formula of sizes."""

    key = "evidence.factor_is"
    formula: str


@dataclass(frozen=True)
class Times(EvidenceWithFields):
    """A factor that comes with another cause."""

    key = "evidence.times"
    formats: ClassVar = {"factor": ""}
    factor: float


def times(factors: Sequence[float]) -> tuple[Evidence, ...]:
    """Evidence for factors that come with a cause."""
    if all(abs(c - 1) < 1e-4 for c in factors):
        return ()
    if max(factors) - min(factors) < 1e-6 * abs(factors[0]):
        return (Times(factors[0]),)
    return (Fact.TIMES_VARYING,)


@dataclass(frozen=True)
class OfArgument(EvidenceWithFields):
    """The gradient of `other` is returned for `name`."""

    key = "evidence.swapped_argument"
    name: str
    other: str


@dataclass(frozen=True)
class OfEachOther(EvidenceWithFields):
    """Each of two arguments gets the gradient of the other; in forward's order."""

    key = "evidence.of_each_other"
    first: str
    second: str


@dataclass(frozen=True)
class OutputsOnly(EvidenceWithFields):
    """Wrong for these outputs only."""

    key = "evidence.outputs"
    names: str


@dataclass(frozen=True)
class RatioFormula(EvidenceWithFields):
    """Returned / measured as a formula."""

    key = "evidence.ratio_formula"
    formula: str
