"""What the pages of a grading share: marks, places and incidents in words."""

from __future__ import annotations

from markupsafe import Markup

from derivable.labs.feedback import MARKS, TITLES, Feedback, Status
from derivable.labs.grading.incidents import Incident, Kind
from derivable.labs.grading.limits import MB
from derivable.labs.grading.similar import Part
from derivable.labs.grading.words import INCIDENTS, PAGES, place_in, reason_in
from derivable.labs.page import PageTexts
from derivable.labs.text import colon
from derivable.templates import Macros

copy_parts = Macros("labs/grading/copy.html")
PARTLY = "±"
_CLASSES = {Status.RIGHT: "right", Status.TO_DO: "todo", Status.MANUAL: "manual"}


class GradingTexts(PageTexts):
    """The texts of a grading's pages."""

    def __init__(self, lang: str) -> None:
        super().__init__(PAGES, lang)

    def place(self, cell: int, line: int) -> str:
        """A cell and a line, as far as they are known."""
        return self.of(place_in(self.lang, cell, line))

    def part(self, part: Part) -> str:
        """Some lines of a copy."""
        lines = f"{part.first}–{part.last}"
        found = self("lines", lines=lines) if part.last > part.first else self.place(0, part.first)
        return f"{self('cell', number=part.cell)}, {found}" if part.cell else found

    def incident(self, incident: Incident) -> Markup:
        """What happened, and where."""
        amount = incident.amount / MB if incident.kind is Kind.OUTPUT else incident.amount
        text = INCIDENTS[incident.kind].to(
            self.lang,
            text=incident.text,
            amount=self.number(amount),
            reason=reason_in(self.lang, incident.reason),
        )
        place = self.place(incident.cell, incident.line)
        return copy_parts.incident(place, colon(self.lang), self.of(text))

    def status(self, feedback: Feedback) -> str:
        """What a check has found, in a word."""
        if is_partial(feedback):
            return self("partly")
        return self.of(TITLES[feedback.status])


def is_partial(feedback: Feedback) -> bool:
    """Whether a part of the points is given."""
    return 0 < feedback.share < 1


def symbol(feedback: Feedback) -> str:
    """The sign of what a check has found."""
    return PARTLY if is_partial(feedback) else MARKS[feedback.status]


def css_class(feedback: Feedback) -> str:
    """The class of the stylesheet for it."""
    return "partly" if is_partial(feedback) else _CLASSES.get(feedback.status, "wrong")
