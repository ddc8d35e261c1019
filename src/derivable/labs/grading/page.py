"""What the pages of a grading share: their frame, their sections, marks and incidents in words."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files

from derivable.display.numbers import percent
from derivable.labs.feedback import MARKS, TITLES, Feedback, Status
from derivable.labs.grading.incidents import Incident, Kind
from derivable.labs.grading.limits import MB
from derivable.labs.grading.similar import Part
from derivable.labs.grading.typography import decimal, set_in
from derivable.labs.grading.words import INCIDENTS, PAGES, place_in, reason_in
from derivable.labs.text import NB, colon

PARTLY = "±"
_CLASSES = {Status.RIGHT: "right", Status.TO_DO: "todo", Status.MANUAL: "manual"}


class Words:
    """Texts of pages in one language, ready for HTML."""

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def __call__(self, key: str, **gaps: object) -> str:
        """A text by its key; gaps are escaped."""
        return self.html(PAGES[key].to(self.lang, **gaps))

    def text(self, key: str, **gaps: object) -> str:
        """A text by its key, not escaped: for what escapes it itself."""
        return set_in(self.lang, PAGES[key].to(self.lang, **gaps))

    def html(self, text: str) -> str:
        """A text of anybody, with the spaces of the language, escaped."""
        return escape(set_in(self.lang, text))

    def number(self, value: float) -> str:
        """A number with the decimal sign of the language."""
        return decimal(value, self.lang)

    def out_of(self, value: float, most: float) -> str:
        """`12,5 / 20`, which does not break."""
        return f"{self.number(value)}{NB}/{NB}{self.number(most)}"

    def place(self, cell: int, line: int) -> str:
        """A cell and a line, as far as they are known."""
        return self.html(place_in(self.lang, cell, line))

    def part(self, part: Part) -> str:
        """Some lines of a copy."""
        lines = f"{part.first}–{part.last}"
        found = self("lines", lines=lines) if part.last > part.first else self.place(0, part.first)
        return f"{self('cell', number=part.cell)}, {found}" if part.cell else found

    def percent(self, share: float) -> str:
        """A share of one, in percent."""
        return percent(share, self.lang)

    def incident(self, incident: Incident) -> str:
        """What happened, and where."""
        amount = incident.amount / MB if incident.kind is Kind.OUTPUT else incident.amount
        text = INCIDENTS[incident.kind].to(
            self.lang,
            text=incident.text,
            amount=self.number(amount),
            reason=reason_in(self.lang, incident.reason),
        )
        place = self.place(incident.cell, incident.line)
        where = f"<b>{place}</b>" if place else ""
        return f"{where}{colon(self.lang) if where else ''}{self.html(text)}"

    def status(self, feedback: Feedback) -> str:
        """What a check has found, in a word."""
        if is_partial(feedback):
            return self("partly")
        return self.html(TITLES[feedback.status].to(self.lang))


def is_partial(feedback: Feedback) -> bool:
    """Whether a part of the points is given."""
    return 0 < feedback.share < 1


def symbol(feedback: Feedback) -> str:
    """The sign of what a check has found."""
    return PARTLY if is_partial(feedback) else MARKS[feedback.status]


def css_class(feedback: Feedback) -> str:
    """The class of the stylesheet for it."""
    return "partly" if is_partial(feedback) else _CLASSES.get(feedback.status, "wrong")


def section(title: str, content: str, kind: str = "") -> str:
    """A part of a page; both are HTML."""
    named = f' class="{kind}"' if kind else ""
    return f"<section{named}>\n<h2>{title}</h2>\n{content}\n</section>"


def scrolling(content: str, label: str) -> str:
    """Something wide, in a frame of its own that the keyboard can reach; `label` is HTML."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">{content}</div>'


def page(title: str, lang: str, content: str) -> str:
    """A whole page, which needs no other file; `title` is HTML."""
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f'<title>{title}</title>\n<link rel="icon" href="data:,">\n<style>\n{_css()}</style>\n'
        f"</head>\n<body>\n<main>\n{content}\n</main>\n</body>\n</html>\n"
    )


@cache
def _css() -> str:
    """The stylesheet of reports, and what the pages here have besides."""
    package = files("derivable")
    shared = package.joinpath("report/page.css").read_text("utf-8")
    return shared + package.joinpath("labs/grading/pages.css").read_text("utf-8")
