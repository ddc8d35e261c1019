"""`Sheet`: the questions of a lab sheet, their checks, and what follows a wrong answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from derivable.errors import SettingError
from derivable.examiner.capture.places import told
from derivable.examiner.capture.surroundings import TimeUpError, time_limit
from derivable.examiner.targets.random_state import unchanged_random_state
from derivable.labs.draw import Draw
from derivable.labs.explained import explained
from derivable.labs.feedback import Feedback, Status
from derivable.labs.questions.base import Question
from derivable.labs.source import Cell, Kind, cells_of, sheet_code
from derivable.labs.text import Text
from derivable.labs.words import say
from derivable.language import language, speaking
from derivable.threads import on_one_thread

SHEETS = Path(__file__).parent / "sheets"
SECONDS = 8.0  # for one check


@dataclass
class Sheet:
    """A lab sheet: cells, and questions with their checks.

    title       of the sheet
    minutes     how long it takes, from and to
    loop_limit  turns after which grading ends a loop of a copy
    lang        the language of `check`: "en", "fr", or None for that of DERIVABLE_LANG
    fixes       whether `check` shows a solution after the fourth wrong answer; teachers set it
    """

    title: Text
    minutes: tuple[int, int]
    loop_limit: int = 300
    lang: str | None = None
    fixes: bool = False
    name: str = ""
    path: Path = Path()
    cells: list[Cell] = field(default_factory=list)
    questions: dict[str, Question] = field(default_factory=dict)
    _wrong: dict[str, int] = field(default_factory=dict)  # answers so far, by question

    def add(self, *questions: Question) -> None:
        """Add questions to the sheet, in their order."""
        for question in questions:
            if question.key in self.questions:
                raise SettingError(f"the question {question.key!r} is there twice")
            self.questions[question.key] = question

    @property
    def points(self) -> float:
        """All points of the sheet's own scale."""
        return sum(question.points for question in self.questions.values())

    def check(self, key: str, *answers: Any) -> None:
        """Show what is right or wrong in an answer; never raises.

        Each call draws new sizes and numbers. From the second wrong answer on there is a hint,
        from the third on the place of the formula.
        """
        lang = language(self.lang)
        feedback = self.feedback(key, *answers, lang=lang)
        if feedback.status in (Status.WRONG, Status.FAILED):
            self._wrong[key] = self._wrong.get(key, 0) + 1
            feedback = feedback.with_more(*self._help(key, self._wrong[key], lang))
        show(feedback)

    def feedback(
        self, key: str, *answers: Any, seed: int | None = None, lang: str | None = None
    ) -> Feedback:
        """The feedback on an answer, as data; runs the answer, and never raises.

        `seed` of the sizes and numbers; without it they are drawn anew each time.
        """
        lang = language(lang or self.lang)
        question = self.questions.get(key)
        if question is None:
            names = ", ".join(self.questions)
            line = say("unknown", lang, name=repr(key), names=names)
            return Feedback(str(key), Status.FAILED, (line,), mistake="unknown")
        if len(answers) != len(question.answers):
            gaps = {"names": question.names, "count": len(answers)}
            line = say("answers", lang, name=key, **gaps)
            return question.wrong("answers", line, status=Status.FAILED)
        draw = Draw(int.from_bytes(os.urandom(6), "big") if seed is None else seed)
        try:
            with speaking(lang), unchanged_random_state(), on_one_thread(0), time_limit(SECONDS):
                return question.judge(*answers, draw=draw, lang=lang)
        except TimeUpError:
            line = say("too_long", lang, name=question.names, seconds=f"{SECONDS:g}")
            return question.wrong("too long", line, status=Status.FAILED)
        except Exception as error:  # of the student's code, at a place that no question expects
            head = say("failed", lang, name=question.names, where=question.names)
            lines = (head, *explained(error, lang))
            return question.wrong(type(error).__name__, *lines, status=Status.FAILED)

    def _help(self, key: str, count: int, lang: str) -> Iterable[str]:
        """What is shown besides after so many wrong answers."""
        question = self.questions[key]
        if count >= 2 and question.hint is not None:
            yield say("hint", lang, text=question.hint.to(lang))
        if count >= 3 and question.place is not None:
            yield say("place", lang, text=question.place.to(lang))
        if count >= 4 and self.fixes:
            yield say("fix", lang, text=self.solution(key, lang))

    def solution(self, key: str, lang: str) -> str:
        """What the sheet itself answers to a question."""
        found = [c.solution(lang) for c in self.cells if c.question == key]
        return "\n".join(filter(None, found))

    def given(self, lang: str) -> list[str]:
        """The code that students get, cell by cell."""
        return [c.given(lang) for c in self.cells if c.is_code and c.lang in ("", lang)]

    def shown(self, lang: str) -> list[str]:
        """The code that no answer needs, which grading leaves out."""
        kept = [c for c in self.cells if c.kind is Kind.SHOW and c.lang in ("", lang)]
        return [cell.given(lang) for cell in kept]

    @cached_property
    def text(self) -> str:
        """The sheet's file, as it was read."""
        return self.path.read_text(encoding="utf-8")


def show(feedback: Feedback) -> None:
    """Show a feedback in a notebook, or print it."""
    shell = sys.modules.get("IPython")
    if shell is not None and shell.get_ipython() is not None:
        shell.display.display(feedback)
    else:
        print(feedback)


def names() -> list[str]:
    """The sheets that come along."""
    return sorted(path.stem for path in SHEETS.glob("[!_]*.py"))


def load(name: str, lang: str | None = None) -> Sheet:
    """The sheet of this name, or that of a file of one's own; runs the [sheet] cells of the file.

    Raises SettingError if there is none, or if it is no sheet; names the line.
    """
    own = name.endswith(".py")
    path = Path(name) if own else SHEETS / f"{name}.py"
    if not path.is_file():
        raise SettingError(
            f"there is no sheet {name!r}; the sheets are {', '.join(names())}, and a sheet of your "
            "own is a .py file"
        )
    cells = cells_of(path.read_text(encoding="utf-8"), str(path))
    module = ModuleType(f"derivable_sheet_{path.stem}")
    vars(module)["__file__"] = str(path)
    try:
        exec(compile(sheet_code(cells), str(path), "exec"), vars(module))
    except Exception as error:  # the author's code
        raise SettingError(f"the sheet {name!r} cannot be loaded: {told(error)}") from None
    sheet = vars(module).get("sheet")
    if not isinstance(sheet, Sheet):
        raise SettingError(f"{path}: a [sheet] cell must define sheet = Sheet(title=..., ...)")
    sheet.name, sheet.path, sheet.cells, sheet.lang = path.stem, path, cells, lang
    _check_questions(sheet)
    return sheet


def _check_questions(sheet: Sheet) -> None:
    """Refuse questions without a cell, and cells of questions that are not there."""
    asked = {cell.question: cell.line for cell in sheet.cells if cell.question}
    for key, line in asked.items():
        if key not in sheet.questions:
            raise SettingError(f"{sheet.path}:{line}: no question {key!r} was added to the sheet")
    for key in sheet.questions:
        if key not in asked:
            raise SettingError(f'{sheet.path}: no cell has question="{key}"')
