"""`Finding`: one thing that the examiner found, as data; `messages` has its texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum
from typing import Any, NamedTuple

from derivable.examiner.message import Message
from derivable.examiner.points import GIVEN_SIZES, Kind, kind


class Section(Enum):
    """What a part of the report is about."""

    FIRST_ORDER = "first_order"  # the gradient, at inputs like the given ones
    SECOND_ORDER = "second_order"
    SIZES = "sizes"  # other sizes and special values
    PRECISION = "precision"  # float32 and half precision
    WAYS = "ways"  # autograd, torch.func, forward mode, rules of the author's own


class Verdict(StrEnum):
    """What is known of a section, or of the whole."""

    RIGHT = "right"
    WRONG = "wrong"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not_applicable"


class Severity(IntEnum):
    """How much a finding matters."""

    NOTE = 0  # worth knowing
    WARNING = 1  # wrong, but repaired or met by few
    ERROR = 2


class Source(NamedTuple):
    """A line of the user's code: the `return` of the backward."""

    path: str
    line: int  # counted from 1
    text: str


class Worst(NamedTuple):
    """The entry of a gradient that is furthest off, and what was returned and measured there."""

    index: tuple[int, ...]  # type: ignore[assignment]  # hides tuple.index
    returned: float | complex
    measured: float | complex
    error: float  # of the measurement; absolute


@dataclass(frozen=True)
class Finding:
    """One mistake, and its evidence.

    `cause` is an id of `causes.CAUSES`; `rivals` are the other causes that fit as well.
    """

    function: str
    cause: str
    argument: str | None  # the name of forward's parameter whose gradient is concerned
    point: Message  # at which inputs it shows
    evidence: tuple[Message, ...]
    worst: Worst | None = None
    rivals: tuple[str, ...] = ()
    source: Source | None = None
    inputs: Sequence[Any] = ()  # those at which it shows; empty for the given ones
    severity: Severity = Severity.ERROR
    dtype_of_inputs: bool = False  # whether it shows in the dtype of the given inputs

    @property
    def section(self) -> Section:
        """The part of the report to which it belongs."""
        if self.cause in SECTIONS:
            return SECTIONS[self.cause]
        if kind(self) is Kind.DTYPE:
            return Section.FIRST_ORDER if self.dtype_of_inputs else Section.PRECISION
        return Section.FIRST_ORDER if kind(self) in GIVEN_SIZES else Section.SIZES


SECTIONS = {
    "second_order": Section.SECOND_ORDER,
    "way": Section.WAYS,
    "jvp": Section.WAYS,
    "precision": Section.PRECISION,
}
