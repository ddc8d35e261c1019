"""`Finding`: one mistake that the examiner found, as data; `messages` has its texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum
from typing import Any, NamedTuple

from derivable.examiner.message import Message
from derivable.examiner.points import GIVEN_SIZES, Kind, kind


class Section(Enum):
    """The sections of a report."""

    FIRST_ORDER = "first_order"  # the gradient, at inputs like the given ones
    SECOND_ORDER = "second_order"
    SIZES = "sizes"  # other sizes and special values
    PRECISION = "precision"  # float32 and half precision
    WAYS = "ways"  # ways to run: autograd, torch.func, forward mode; a jvp or vmap of the class


class Verdict(StrEnum):
    """The result for a section or for the whole examination."""

    RIGHT = "right"
    WRONG = "wrong"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not_applicable"


class Severity(IntEnum):
    """How serious a finding is."""

    NOTE = 0  # not a mistake
    WARNING = 1  # a mistake that autograd repairs or that few users meet
    ERROR = 2


class Source(NamedTuple):
    """The line of the user's code behind a finding, such as the `return` of backward that ran."""

    path: str
    line: int  # counted from 1
    text: str


class Worst(NamedTuple):
    """The entry with the largest deviation, and the returned and the numerical derivative there."""

    index: tuple[int, ...]  # type: ignore[assignment]  # of the argument; hides tuple.index
    returned: float | complex
    measured: float | complex
    error: float  # of `measured`; absolute


@dataclass(frozen=True)
class Finding:
    """One mistake, and its evidence.

    `cause` is an id, whose text is the message `cause.<id>`; `rivals` are other causes that fit.
    """

    function: str
    cause: str
    argument: str | None  # the parameter of forward whose gradient is wrong
    point: Message  # which inputs show it
    evidence: tuple[Message, ...]
    worst: Worst | None = None
    rivals: tuple[str, ...] = ()
    source: Source | None = None
    inputs: Sequence[Any] = ()  # inputs that show it; empty for the given ones
    severity: Severity = Severity.ERROR
    dtype_of_inputs: bool = False  # for a smaller dtype: whether it is that of the given inputs

    @property
    def section(self) -> Section:
        """The part of the report to which it belongs."""
        if self.cause in SECTIONS:
            return SECTIONS[self.cause]
        if kind(self) is Kind.DTYPE:
            return Section.FIRST_ORDER if self.dtype_of_inputs else Section.PRECISION
        return Section.FIRST_ORDER if kind(self) in GIVEN_SIZES else Section.SIZES


SECTIONS = {  # by cause; that of other causes follows from the inputs
    "second_order": Section.SECOND_ORDER,
    "way": Section.WAYS,
    "jvp": Section.WAYS,
    "precision": Section.PRECISION,
}
