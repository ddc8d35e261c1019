"""`Sheet`: the questions of a lab sheet, their checks, and the hints after wrong answers."""

from __future__ import annotations

import keyword
import math
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from derivable.core_messages import reason_of
from derivable.errors import SettingError
from derivable.examiner.capture.locations import error_line
from derivable.examiner.capture.program import new_module
from derivable.examiner.capture.surroundings import TimeUpError, time_limit
from derivable.examiner.targets.random_state import unchanged_random_state
from derivable.labs.draw import Draw
from derivable.labs.feedback import Feedback, Status
from derivable.labs.questions.base import Question
from derivable.labs.refusals import refusal
from derivable.labs.source import Cell, cells_of, sheet_code
from derivable.labs.words import say
from derivable.language import language, speaking
from derivable.messages import Text
from derivable.threads import on_one_thread

SHEETS = Path(__file__).parent / "sheets"
SECONDS = 15.0  # for one check, on a machine that others use as well


@dataclass
class Sheet:
    """A lab sheet: cells, and questions with their checks.

    title       of the sheet
    minutes     how long it takes, from and to
    loop_limit  turns after which grading ends a loop of a copy
    lang        the language of `check`: "en", "fr", or None for that of DERIVABLE_LANG
    fixes       whether `check` shows a solution after the fourth wrong answer; teachers set it
    text        the sheet's file, as it was read
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
    text: str = field(default="", repr=False)
    _wrong: dict[str, int] = field(default_factory=dict)  # answers so far, by question

    def add(self, *questions: Question) -> None:
        """Add questions to the sheet, in their order."""
        for question in questions:
            if question.key in self.questions:
                raise SettingError(refusal("question_twice", key=question.key))
            self.questions[question.key] = question

    @property
    def points(self) -> float:
        """All points of the sheet's own scale."""
        return sum(question.points for question in self.questions.values())

    def check(self, key: str, *answers: Any) -> None:
        """Show the feedback on an answer; runs the answer, and raises none of its errors.

        Each call draws new sizes and numbers. From the second wrong answer on there is a hint,
        from the third on the place of the formula. Raises SettingError for a language without
        messages.
        """
        lang = language(self.lang)
        feedback = self.feedback(key, *answers, lang=lang)
        known = feedback.question in self.questions
        if known and feedback.status in (Status.WRONG, Status.FAILED):
            self._wrong[key] = self._wrong.get(key, 0) + 1
            if not feedback.mistake.startswith("forward"):  # help is about the derivative
                feedback = feedback.with_more(*self._help(key, self._wrong[key], lang))
        show(feedback)

    def feedback(
        self, key: str, *answers: Any, seed: int | None = None, lang: str | None = None
    ) -> Feedback:
        """The feedback on an answer, as data; runs the answer, and raises none of its errors.

        `seed` of the sizes and numbers; without it they are drawn anew each time. Raises
        SettingError for a language without messages.
        """
        lang = language(lang or self.lang)
        question = self.questions.get(key) if isinstance(key, str) else None
        if question is None:
            name = repr(key) if isinstance(key, str) else type(key).__name__
            line = say("unknown", lang, name=name, names=", ".join(self.questions))
            return Feedback(name, Status.FAILED, (line,), mistake="unknown")
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
        except (Exception, SystemExit) as error:  # where no question expects one
            return question.failed(error, lang, question.names)

    def with_consequences(self, found: Mapping[str, Feedback], lang: str) -> dict[str, Feedback]:
        """The feedback on each question; consequences of a wrong answer are marked as such."""
        done: dict[str, Feedback] = {}
        for key, feedback in found.items():
            question = self.questions[key]
            causes = [k for k in question.needs if k in done and not done[k].settled]
            follows = bool(causes) and not feedback.settled
            names = ", ".join(self.questions[k].names for k in causes)
            done[key] = question.consequence(names, lang) if follows else feedback
        return done

    def _help(self, key: str, count: int, lang: str) -> Iterable[str]:
        """The hints that are shown after a number of wrong answers."""
        question = self.questions[key]
        if count >= 2 and question.hint is not None:
            yield say("hint", lang, text=question.hint.to(lang))
        if count >= 3 and question.place is not None:
            yield say("place", lang, text=question.place.to(lang))
        if count >= 4 and self.fixes:
            yield say("fix", lang, text=self.solution(key, lang))

    def solution(self, key: str, lang: str) -> str:
        """The sheet's own solution of a question."""
        found = [c.solution(lang) for c in self.cells if c.question == key]
        return "\n".join(filter(None, found))

    def given(self, lang: str) -> list[str]:
        """The code that students get, cell by cell."""
        return [self.blanked(cell, lang) for cell in self.code(lang)]

    def code(self, lang: str) -> list[Cell]:
        """The code cells of one language."""
        return [c for c in self.cells if c.is_code and c.lang in ("", lang)]

    def blanked(self, cell: Cell, lang: str) -> str:
        """A cell as students get it."""
        question = self.questions.get(cell.question)
        return cell.given(lang, question.answers if question is not None else ())


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


def load(name: str | Path, lang: str | None = None) -> Sheet:
    """The sheet of this name, or that of a file of one's own; RUNS the [sheet] cells of the file.

    Raises SettingError if there is none, or if it is no sheet; names the line.
    """
    with speaking(lang):
        sheet = _loaded(name)
    sheet.lang = language(lang) if lang else None
    return sheet


def _loaded(name: str | Path) -> Sheet:
    own = str(name).endswith(".py")
    path = Path(name) if own else SHEETS / f"{name}.py"
    if not (path.is_file() if own else str(name) in names()):
        raise SettingError(refusal("no_sheet", name=str(name), names=", ".join(names())))
    if not path.stem.isidentifier() or keyword.iskeyword(path.stem):
        raise SettingError(refusal("sheet_name", path=path))
    text = _text_of(path)
    cells = cells_of(text, str(path))
    module = new_module(f"derivable_sheet_{path.stem}", str(path))
    try:
        exec(compile(sheet_code(cells), str(path), "exec"), vars(module))
    except (Exception, SystemExit) as error:  # the author's code
        raise SettingError(refusal("not_loaded", name=str(name), error=error_line(error))) from None
    sheet = vars(module).get("sheet")
    if not isinstance(sheet, Sheet):
        raise SettingError(refusal("undefined", path=path))
    sheet.name, sheet.path, sheet.cells, sheet.text = path.stem, path, cells, text
    _check_sheet(sheet)
    return sheet


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingError(refusal("unreadable", path=path, reason=reason_of(error))) from None
    except UnicodeDecodeError as error:
        raise SettingError(refusal("no_utf8", path=path, reason=error.reason)) from None


def _check_sheet(sheet: Sheet) -> None:
    """Refuse questions without a cell, cells of questions that are not there, and wrong fields."""
    asked = {cell.question: cell.line for cell in sheet.cells if cell.question}
    for key, line in asked.items():
        if key not in sheet.questions:
            raise SettingError(refusal("unknown_question", path=sheet.path, line=line, key=key))
    for key in sheet.questions:
        if key not in asked:
            raise SettingError(refusal("no_cell", path=sheet.path, key=key))
    if not isinstance(sheet.title, Text):
        raise SettingError(refusal("sheet_title", path=sheet.path, got=sheet.title))
    for question in sheet.questions.values():
        wrong = _refusal(question)
        if wrong:
            raise SettingError(refusal("question", path=sheet.path, key=question.key, reason=wrong))
    if not sheet.points > 0:
        raise SettingError(refusal("no_points", path=sheet.path))


def _refusal(question: Question) -> str:
    """The error message about the fields of a question; empty if they are valid."""
    if not question.key.isidentifier():
        return refusal("question_key")
    answers = question.answers
    if isinstance(answers, str) or not all(str(name).isidentifier() for name in answers):
        return refusal("question_answers", got=answers)
    if not (isinstance(question.points, int | float) and 0 <= question.points < math.inf):
        return refusal("question_points", got=question.points)
    if not isinstance(question.title, Text):
        return refusal("question_title", got=question.title)
    return ""
