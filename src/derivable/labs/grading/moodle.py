"""Marks as a CSV with the columns of Moodle's grading worksheet."""

from __future__ import annotations

import csv
import io
from html import escape

from derivable.labs.feedback import MARKS
from derivable.labs.grading.marked import Class, Marked
from derivable.labs.grading.words import IDENTIFIER, SUBMITTED, YES
from derivable.labs.typography import decimal
from derivable.messages import Text

COLUMNS = (
    Text("Identifier", "Identifiant"),
    Text("Full name", "Nom complet"),
    Text("Email address", "Adresse de courriel"),
    Text("Status", "Statut"),
    Text("Grade", "Note"),
    Text("Maximum Grade", "Note maximale"),
    Text("Grade can be changed", "La note peut être modifiée"),
    Text("Last modified (grade)", "Dernière modification (note)"),
    Text("Feedback comments", "Feedback par commentaires"),
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def moodle_csv(done: Class) -> bytes:
    """The marks of a class, as UTF-8 with a byte order mark, by which spreadsheets know it.

    Numbers are written as Moodle writes them in that language. Moodle reads the identifier, the
    grade and the feedback comments; the address is not known from the copies. A cell that a
    spreadsheet would take for a formula begins with an apostrophe.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.to(done.lang) for column in COLUMNS])
    for one in done.marked:
        writer.writerow([_plain(cell) for cell in _row(one, done)])
    return text.getvalue().encode("utf-8-sig")


def _row(one: Marked, done: Class) -> list[str]:
    lang = done.lang
    number = one.student.number
    return [
        IDENTIFIER.to(lang, number=number) if number else "",
        one.student.name,
        "",
        SUBMITTED.to(lang) if one.file else "",
        decimal(one.mark, lang, 2),
        decimal(done.scale.out_of, lang, 2),
        YES.to(lang),
        "-",
        _comment(one, done),
    ]


def _comment(one: Marked, done: Class) -> str:
    """One line for each question: its points and its feedback. Moodle shows it as HTML."""
    lines = []
    for key, feedback in one.feedback.items():
        points = (
            f"{decimal(one.points[key], done.lang)}/{decimal(done.scale.points[key], done.lang)}"
        )
        title = done.sheet.questions[key].title.to(done.lang)
        feedback_lines = feedback.lines[:1] if feedback.right else feedback.lines
        lines.append(
            escape(
                f"{MARKS[feedback.status]} {title} ({points}). {' '.join(feedback_lines)}", False
            )
        )
    return "<br>\n".join(lines)


def _plain(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; a lone minus is Moodle's own sign."""
    return f"'{cell}" if cell.startswith(FORMULA) and cell != "-" else cell
