"""`Marked` and `Class`: the results of a grading, for pages and files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from derivable.labs.feedback import Feedback, Status
from derivable.labs.grading.copies import Student
from derivable.labs.grading.incidents import SERIOUS, Incident
from derivable.labs.grading.runner import Outcome
from derivable.labs.grading.scale import Scale
from derivable.labs.grading.similar import Pair
from derivable.labs.sheet import Sheet


@dataclass(frozen=True)
class Marked:
    """One copy with its mark.

    file    that was graded; empty where there is none
    points  by question
    page    the address of the copy's page, below the folder of the grading
    """

    student: Student
    file: str
    outcome: Outcome
    points: dict[str, float]
    mark: float
    page: str

    @property
    def feedback(self) -> dict[str, Feedback]:
        """The feedback on each question."""
        return self.outcome.feedback

    @property
    def serious(self) -> list[Incident]:
        """The incidents that a teacher should review."""
        return [one for one in self.outcome.incidents if one.kind in SERIOUS]

    @property
    def to_be_read(self) -> list[str]:
        """The questions that a person reads."""
        return [key for key, one in self.feedback.items() if one.status is Status.MANUAL]


@dataclass(frozen=True)
class Class:
    """All copies of one grading, in the order of the students' names."""

    sheet: Sheet
    scale: Scale
    lang: str
    marked: Sequence[Marked]
    pairs: Sequence[Pair]
