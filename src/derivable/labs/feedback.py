"""`Feedback`: the result of a check for a student, as data, as text and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from derivable.messages import Text
from derivable.templates import Macros


class Status(StrEnum):
    """The result of a check."""

    RIGHT = "right"
    WRONG = "wrong"
    TO_DO = "to do"  # the blank is still there
    FAILED = "failed"  # the student's code raised an error
    DECLINED = "declined"  # the answer is somebody else's code
    MANUAL = "manual"  # a person reads it


@dataclass(frozen=True)
class Curve:
    """The losses of a student, and the range in which those of other seeds lie.

    steps, losses   (n,) each; loss k was measured after steps[k] steps
    low, high       (n,) each: the range at these steps, or empty where none is known
    """

    steps: Sequence[int]
    losses: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


@dataclass(frozen=True, repr=False)
class Feedback:
    """The result of one call of a check, in one language.

    question  its key in the sheet
    lines     what is right or wrong, one to three lines; the first stands alone
    remarks   what is worth knowing and costs no points
    share     of the question's points, from 0 to 1
    mistake   what went wrong, as an id that does not depend on the language: "backward.b.sign";
              empty where nothing did. A class is counted by it
    """

    question: str
    status: Status
    lines: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    share: float = 0.0
    mistake: str = ""
    curve: Curve | None = None

    @property
    def right(self) -> bool:
        """Whether the answer is right."""
        return self.status is Status.RIGHT

    @property
    def settled(self) -> bool:
        """Whether it is right, or left to a person."""
        return self.status in (Status.RIGHT, Status.MANUAL)

    def with_more(self, *lines: str) -> Feedback:
        """The same with further lines at its end, such as a hint."""
        return replace(self, lines=(*self.lines, *lines))

    def __str__(self) -> str:
        head, *rest = self.lines
        remarks = [f"  {remark}" for remark in self.remarks]
        return "\n".join(
            [f"{MARKS[self.status]} {head}", *(f"  {line}" for line in rest), *remarks]
        )

    __repr__ = __str__  # what a notebook without HTML shows

    def _repr_html_(self) -> str:
        macros = Macros("labs/feedback.html")
        mark, colour = MARKS[self.status], COLOURS[self.status]
        return macros.feedback(mark, colour, self.lines, self.remarks)


MARKS = {
    Status.RIGHT: "✓",
    Status.WRONG: "✗",
    Status.FAILED: "✗",
    Status.DECLINED: "✗",
    Status.TO_DO: "…",
    Status.MANUAL: "✎",
}
COLOURS = {
    Status.RIGHT: "#009e73",
    Status.WRONG: "#d55e00",
    Status.FAILED: "#d55e00",
    Status.DECLINED: "#d55e00",
    Status.TO_DO: "#999999",
    Status.MANUAL: "#0072b2",
}
TITLES = {
    Status.RIGHT: Text("right", "juste"),
    Status.WRONG: Text("wrong", "faux"),
    Status.FAILED: Text("error", "erreur"),
    Status.DECLINED: Text("not your own code", "code emprunté"),
    Status.TO_DO: Text("to be done", "à faire"),
    Status.MANUAL: Text("read by a person", "à lire"),
}
