"""`Incident`: an event while a copy was run, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

LETTERS = 2000  # of a text that are kept


class Kind(StrEnum):
    """The kind of an incident."""

    NO_FILE = "no file"  # there is nothing to grade
    CHOSEN = "chosen"  # one of several files was graded
    BROKEN_ZIP = "broken zip"
    UNREADABLE = "unreadable"  # the file is no notebook and no script
    SYNTAX = "syntax"
    ERROR = "error"
    MISSING = "missing"  # a module is not installed
    EXIT = "exit"  # sys.exit
    TIME = "time"  # a statement was ended
    ALL_TIME = "all time"  # all cells together took too long
    CUT = "cut"  # a loop was ended
    OUTPUT = "output"  # more was printed than is kept
    ENDED = "ended"  # the process ended in this statement, which was skipped
    QUESTION_ENDED = "question ended"  # the process ended while a question was checked
    GIVEN_UP = "given up"  # the process ended too often
    STRAY = "stray"  # processes were left behind, and ended


# What a teacher should see in the table of the class; the rest is ordinary.
SERIOUS = frozenset(
    {Kind.NO_FILE, Kind.UNREADABLE, Kind.ALL_TIME, Kind.ENDED, Kind.QUESTION_ENDED, Kind.GIVEN_UP,
     Kind.STRAY, Kind.BROKEN_ZIP}
)  # fmt: skip


@dataclass(frozen=True)
class Incident:
    """An event, with its cell and line.

    cell, line  of the copy, counted from 1; 0 where there is none
    text        an error in one line, names of files, or the key of a question
    amount      seconds, turns, bytes or processes, by the kind
    reason      how a process ended, such as "signal 9"
    """

    kind: Kind
    cell: int = 0
    line: int = 0
    text: str = ""
    amount: float = 0
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def of_json(cls, values: dict[str, Any]) -> Incident:
        """From JSON; raises ValueError, KeyError, TypeError or OverflowError for what is none."""
        return cls(
            Kind(values["kind"]),
            int(values["cell"]),
            int(values["line"]),
            str(values["text"])[:LETTERS],
            float(values["amount"]),
            str(values["reason"])[:LETTERS],
        )
