"""A sheet as notebooks: the students', with blanks, and the teacher's, with solutions.

The teacher's notebook has the marks of nbgrader (metadata of cells, hidden tests) and of otter
(`# BEGIN SOLUTION`), so that either can make its own version of it; neither is needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import derivable
from derivable.labs.questions.base import Question
from derivable.labs.questions.choice import TextQuestion
from derivable.labs.sheet import SHEETS, Sheet
from derivable.labs.source import Cell, Kind


@dataclass(frozen=True)
class Version:
    """Which notebook of a sheet is made.

    solutions  whether the solutions are in it, between their marks
    fixes      whether checks show a solution after the fourth wrong answer
    """

    lang: str
    solutions: bool = False
    fixes: bool = False


def notebook(sheet: Sheet, version: Version) -> dict[str, Any]:
    """A notebook of format 4.5, as a JSON document."""
    cells = [cell for cell in sheet.cells if cell.lang in ("", version.lang)]
    made = list(_made(sheet, cells, version))
    for number, cell in enumerate(made):
        text = f"{sheet.name} {number} {cell['cell_type']}"
        cell["id"] = hashlib.sha256(text.encode()).hexdigest()[:12]
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "derivable": {
                "sheet": sheet.name, "lang": version.lang, "version": derivable.__version__,
            },
        },
        "cells": made,
    }  # fmt: skip


def _made(sheet: Sheet, cells: list[Cell], version: Version) -> Iterator[dict[str, Any]]:
    """The cells, with the one that loads the checks and one check after each question."""
    ends = {cell.question: cell for cell in cells if cell.question}  # the last one counts
    loaded = False
    for cell in cells:
        if cell.kind is Kind.SHEET:
            continue
        if cell.is_code and not loaded:
            loaded = True
            yield _code(loading(sheet, version), {"tags": ["derivable"]})
        if not cell.is_code:
            yield {"cell_type": "markdown", "metadata": {}, "source": _lines(cell.text)}
            continue
        text = cell.marked(version.lang) if version.solutions else sheet.blanked(cell, version.lang)
        question = sheet.questions.get(cell.question)
        yield _code(text, _marks(question) if question else {})
        if question is not None and ends[cell.question] is cell:
            yield _check(sheet, question, version)


def loading(sheet: Sheet, version: Version) -> str:
    """The code that makes the checks of a sheet available."""
    if sheet.path.parent == SHEETS:
        lines = [f"from derivable.labs import {sheet.name}", ""]
        lines.append(f'{sheet.name}.lang = "{version.lang}"')
    else:
        lines = ["from derivable.labs import load", ""]
        lines.append(f'{sheet.name} = load("{sheet.path.name}", lang="{version.lang}")')
    return "\n".join(lines + ([f"{sheet.name}.fixes = True"] if version.fixes else []))


def _check(sheet: Sheet, question: Question, version: Version) -> dict[str, Any]:
    """The cell that checks a question."""
    arguments = ", ".join((f'"{question.key}"', *question.answers))
    text = f"{sheet.name}.check({arguments})"
    if version.solutions and not isinstance(question, TextQuestion):
        text += (
            "\n### BEGIN HIDDEN TESTS\n"
            f"assert {sheet.name}.feedback({arguments}).right\n### END HIDDEN TESTS"
        )
    marks = _nbgrader(f"check-{question.key}", grade=True, solution=False, points=question.points)
    return _code(text, {} if isinstance(question, TextQuestion) else marks)


def _marks(question: Question) -> dict[str, Any]:
    """Nbgrader's marks of a cell with blanks; what a person reads is graded there."""
    manual = isinstance(question, TextQuestion)
    points = question.points if manual else None
    return _nbgrader(question.key, grade=manual, solution=True, points=points)


def _nbgrader(name: str, *, grade: bool, solution: bool, points: float | None) -> dict[str, Any]:
    marks: dict[str, Any] = {
        "grade": grade, "grade_id": name.replace("_", "-"), "locked": grade and not solution,
        "schema_version": 3, "solution": solution, "task": False,
    }  # fmt: skip
    return {"nbgrader": marks if points is None else {**marks, "points": points}}


def _code(text: str, metadata: dict[str, Any]) -> dict[str, Any]:
    return {
        "cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": [],
        "source": _lines(text),
    }  # fmt: skip


def _lines(text: str) -> list[str]:
    return text.strip("\n").splitlines(keepends=True)
