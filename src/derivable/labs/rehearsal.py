"""`Rehearsal`: a test run of a sheet: its solutions, its blanks and its typical mistakes."""

from __future__ import annotations

import ast
import contextlib
import io
import linecache
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from derivable.errors import SettingError
from derivable.examiner.capture.locations import error_text
from derivable.examiner.capture.program import new_module
from derivable.labs.feedback import TITLES, Feedback, Status
from derivable.labs.loops import Loops, cut_descents, whole_descents
from derivable.labs.questions.base import Mistake, Question
from derivable.labs.refusals import refusal
from derivable.labs.sheet import Sheet
from derivable.labs.source import Cell, Kind
from derivable.threads import on_one_thread

SEED = 20


@dataclass
class Rehearsal:
    """The cells of a sheet, run one after the other with the solutions; long loops are cut.

    after  the names as they were after the cells of each question
    """

    sheet: Sheet
    lang: str
    after: dict[str, dict[str, Any]] = field(default_factory=dict)

    def run(self, *, shown: bool = False) -> None:
        """Run every cell with its solution; also what is only shown, if asked for.

        Raises SettingError for a cell that fails.
        """
        names = vars(new_module("__main__", self.sheet.name))
        for cell in self.sheet.code(self.lang):
            if shown or cell.kind is not Kind.SHOW:
                self._run(cell, cell.solved(self.lang), names)
            if cell.question:
                self.after[cell.question] = dict(names)

    def feedback(self, question: Question, names: dict[str, Any]) -> Feedback:
        """The feedback on what these names hold."""
        answers = [names.get(name, ...) for name in question.answers]
        return self.sheet.feedback(question.key, *answers, seed=SEED, lang=self.lang)

    def solutions(self) -> Iterator[tuple[Question, Feedback]]:
        """Each question with the feedback on its solution."""
        for key, question in self.sheet.questions.items():
            yield question, self.feedback(question, self.after[key])

    def mistakes(self) -> Iterator[tuple[Question, Mistake, Feedback]]:
        """Each typical mistake with the feedback on it.

        Raises SettingError for one whose passage is not in the solution.
        """
        for question in self.sheet.questions.values():
            for mistake in question.mistakes:
                yield question, mistake, self._mistaken(question, mistake)

    def _mistaken(self, question: Question, mistake: Mistake) -> Feedback:
        cells = [c for c in self.sheet.code(self.lang) if c.question == question.key]
        texts = [cell.solved(self.lang) for cell in cells]
        if not any(mistake.right in text for text in texts):
            gaps = {"path": self.sheet.path, "key": question.key, "passage": mistake.right}
            raise SettingError(refusal("no_passage", **gaps))
        names = dict(self.after[question.key])
        for cell, text in zip(cells, texts, strict=True):
            self._run(cell, text.replace(mistake.right, mistake.wrong, 1), names)
        return self.feedback(question, names)

    def _run(self, cell: Cell, text: str, names: dict[str, Any]) -> None:
        try:
            run_cell(text, f"{self.sheet.name} line {cell.line}", names, self.sheet.loop_limit)
        except (Exception, SystemExit) as error:
            gaps = {"path": self.sheet.path, "line": cell.line, "error": error_text(error)}
            raise SettingError(refusal("cell_fails", **gaps)) from error


def problems_of(sheet: Sheet, lang: str, show: Callable[[str], None]) -> Iterator[str]:
    """The problems of a sheet; `show` is called with each feedback, as students read it.

    Its cells run with the solutions and as they are given; each solution must be right, each blank
    to be done, and each typical mistake must be found as the sheet says.
    """
    rehearsal = Rehearsal(sheet, lang)
    rehearsal.run(shown=True)
    for question, feedback in rehearsal.solutions():
        show(str(feedback))
        if not feedback.settled:
            yield refusal("wrong_solution", key=question.key, line=feedback.lines[0]).to(lang)
    for question, mistake, feedback in rehearsal.mistakes():
        show(f"\n{question.key}: {mistake.what.to(lang)}\n{feedback}")
        if feedback.settled or not feedback.mistake.startswith(mistake.finds):
            found = feedback.mistake or TITLES[feedback.status].to(lang)
            gaps = {"what": mistake.what.to(lang), "found": found, "expected": mistake.finds}
            yield refusal("other_mistake", key=question.key, **gaps).to(lang)
    names = blank_names(sheet, lang)
    for question in sheet.questions.values():
        feedback = rehearsal.feedback(question, names)
        if feedback.status is not Status.TO_DO:
            gaps = {"state": TITLES[feedback.status].to(lang), "line": feedback.lines[0]}
            yield refusal("blank_done", key=question.key, **gaps).to(lang)


def blank_names(sheet: Sheet, lang: str) -> dict[str, Any]:
    """The names after all cells as students get them. Raises what a cell raises."""
    names = vars(new_module("__main__", sheet.name))
    for cell in sheet.code(lang):
        run_cell(
            sheet.blanked(cell, lang), f"{sheet.name} blank {cell.line}", names, sheet.loop_limit
        )
    return names


def run_cell(text: str, filename: str, names: dict[str, Any], loop_limit: int) -> None:
    """Run the code of a cell, its long loops cut, without showing what it prints and draws."""
    import matplotlib.pyplot as plt

    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    loops = Loops(loop_limit)
    loops.install()
    modules = [loops.rewritten(one, filename) for one in ast.parse(text, filename).body]
    backend = plt.get_backend()
    plt.switch_backend("agg")
    cut_descents(loops)
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()), on_one_thread(0), warnings.catch_warnings()
        ):  # fmt: skip
            warnings.simplefilter("ignore")
            for module in modules:
                exec(compile(module, filename, "exec"), names)
    finally:
        whole_descents()
        plt.close("all")
        plt.switch_backend(backend)
