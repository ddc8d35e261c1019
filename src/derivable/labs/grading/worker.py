"""`python -m derivable.labs.grading.worker`: runs one copy and checks its answers.

It reads a Job from its input and reports JSON lines: what it is about to do, incidents, and one
feedback for each question. It may end at any moment: the code of the copy runs in it.
"""

from __future__ import annotations

import ast
import json
import linecache
import os
import random
import sys
import time
import traceback
import warnings
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import torch

from derivable.errors import DerivableError
from derivable.examiner.capture.locations import error_text, failing_line
from derivable.examiner.capture.program import (
    DEFINING,
    Compiler,
    in_a_notebook,
    is_definition,
    new_module,
)
from derivable.examiner.capture.surroundings import TimeUpError, time_limit
from derivable.labs.feedback import Feedback, Status
from derivable.labs.grading.guard import Guard, limit_resources
from derivable.labs.grading.incidents import Incident, Kind
from derivable.labs.grading.intact import Intact
from derivable.labs.grading.job import Job, feedback_to_json
from derivable.labs.grading.naming import defines
from derivable.labs.grading.program import Block, blocks_of, idle, place_in
from derivable.labs.grading.reporting import Asked, Printed, Reporting
from derivable.labs.grading.substitutes import substitute_checks
from derivable.labs.grading.words import (
    NOT_COMPUTED,
    NOT_DEFINED,
    NOT_REACHED_BY,
    in_words_of,
)
from derivable.labs.loops import Loops, cut_descents, whole_descents
from derivable.labs.sheet import load
from derivable.language import speaking

LEAST = 0.05  # seconds
LONGEST = 240  # letters of an error in one line
_clock, _leave = time.monotonic, os._exit


class Worker:
    """One attempt at one copy."""

    def __init__(self, job: Job, report: Reporting) -> None:
        self.job, self.report = job, report
        self.sheet = load(job.sheet, job.lang)
        questions = self.sheet.questions.values()
        self.answers = {name for question in questions for name in question.answers}
        self.loops = Loops(self.sheet.loop_limit)
        self.loops.install()
        substitute_checks(self.sheet)
        cut_descents(self.loops)
        self.module = new_module("__main__", job.path)
        self.printed = Printed(job.limits.output)
        self.intact = Intact()
        self.recursion = sys.getrecursionlimit()
        self.folder = os.getcwd()
        self.used = 0.0  # seconds, by all cells
        self.compiler = Compiler()
        self.idle: set[tuple[int, int]] = set()  # statements that cannot change an answer
        self.before: dict[str, Any] = {}  # the answers at the beginning of a cell
        self.stale: dict[str, list[Any]] = {}  # values that a cell which failed was to replace
        self.failures: list[tuple[Incident, str]] = []  # with the code that has not run to its end
        self.reported: set[Any] = set()  # loops and kinds of incidents that were reported

    def run(self) -> None:
        """The copy, then the checks."""
        self.report.send(begin=[-1, 0], at=[0, 0], allow=self.job.limits.cell)
        try:
            blocks = blocks_of(Path(self.job.path))
        except DerivableError as error:
            self.incident(Kind.UNREADABLE, text=str(error))
            blocks = []
        self.idle = idle(blocks, self.answers)
        self._prepare()
        for number, block in enumerate(blocks):
            self._run_block(number, block)
        self._check()
        self.report.send(done=True)

    def incident(self, kind: Kind, **fields: Any) -> None:
        """Report what happened."""
        self.report.send(incident=Incident(kind, **fields).to_json())

    def _prepare(self) -> None:
        """What a notebook has when it is opened."""
        limits = self.job.limits
        seconds = limits.cells + len(self.job.questions) * limits.question
        limit_resources(limits, seconds)
        self.printed.install()
        sys.argv = [self.job.path]
        sys.path.insert(0, self.folder)
        in_a_notebook(self.module)
        sys.modules["__main__"] = self.module
        torch.set_num_threads(1)
        _seed(self.job.seed)
        Guard(limits.processes).install()

    def _run_block(self, number: int, block: Block) -> None:
        """Run the statements of a block; after a failure, only definitions and imports."""
        failed, begun = False, self.used
        self.before = {n: value for n, value in vars(self.module).items() if n in self.answers}
        for place, statement in enumerate(block.statements):
            definition = is_definition(statement)
            if (failed and not definition) or (number, place) in self.idle:
                continue
            left = min(
                self.job.limits.cell - (self.used - begun), self.job.limits.cells - self.used
            )
            if left <= LEAST and not definition:
                self._out_of_time(block, statement)
                failed = True
                continue
            if (number, place) in self.job.skip:
                self._lost(Incident(Kind.ENDED, block.cell, statement.lineno), block, statement)
                failed = True
                continue
            at = [block.cell, statement.lineno]
            self.report.send(begin=[number, place], at=at, allow=max(left, DEFINING))
            ended = self._run(block, statement, max(left, DEFINING if definition else LEAST))
            failed = failed or not ended
            self._restore()
        if block.error is not None:
            line, text = block.error.lineno or 0, _short(error_text(block.error))
            self._lost(Incident(Kind.SYNTAX, block.cell, line, text), block, None)
            self.incident(Kind.SYNTAX, cell=block.cell, line=line, text=text)

    def _out_of_time(self, block: Block, statement: ast.stmt) -> None:
        """The time of the cell, or of all cells, is used up before a statement."""
        limits = self.job.limits
        if self.used >= limits.cells - LEAST:
            self._once(Kind.ALL_TIME, cell=block.cell, amount=limits.cells)
            kind = Kind.ALL_TIME
        else:
            kind = Kind.TIME
            self.incident(kind, cell=block.cell, line=statement.lineno, amount=limits.cell)
        self._lost(Incident(kind, block.cell, statement.lineno), block, statement)

    def _run(self, block: Block, statement: ast.stmt, seconds: float) -> bool:
        """One statement; whether it ended without an error."""
        begun = _clock()
        try:
            with time_limit(seconds):
                try:
                    self._exec(statement, block.filename)
                    return True
                except TimeUpError:
                    raise
                except BaseException as error:
                    sys.setrecursionlimit(max(self.recursion, sys.getrecursionlimit()))
                    return self._note(block, statement, error)
        except TimeUpError:
            ended = Incident(Kind.TIME, block.cell, statement.lineno, amount=round(seconds))
            self._lost(ended, block, statement)
            self.report.send(incident=ended.to_json())
            return False
        finally:
            self.used += _clock() - begun

    def _exec(self, statement: ast.stmt, filename: str) -> None:
        """Run one statement, and restore replaced functions however it ends."""
        code = self.compiler(statement, self.loops.rewritten(statement, filename), filename)
        try:
            exec(code, vars(self.module))
        finally:
            self.intact.put_back_own()

    def _note(self, block: Block, statement: ast.stmt, error: BaseException) -> bool:
        """Report an error; whether the rest of the block is run all the same."""
        self.report.end_children()
        if isinstance(error, SystemExit):
            left = Incident(Kind.EXIT, block.cell, statement.lineno)
            self._lost(left, block, statement)
            self.report.send(incident=left.to_json())
            return False
        try:
            place = failing_line(error)
            text = _short(error_text(error))
        except BaseException:  # an error of the copy's own that cannot be shown
            place, text = None, type(error).__name__
        path, line = place or (block.filename, statement.lineno)
        cell, line = place_in(path, line) if path.startswith(self.job.path) else (block.cell, 0)
        missing = isinstance(error, ImportError)
        noted = Incident(Kind.MISSING if missing else Kind.ERROR, cell, line, text)
        self._lost(noted, block, statement)
        self.report.send(incident=noted.to_json())
        return missing

    def _lost(self, incident: Incident, block: Block, statement: ast.stmt | None) -> None:
        """Keep why the code of a cell, or a statement of a script, has not run to its end."""
        lines = linecache.getlines(block.filename)
        if statement is not None and not block.cell:
            lines = lines[statement.lineno - 1 : statement.end_lineno]
        code = "".join(lines)
        self.failures.append((incident, code))
        if statement is None and not block.cell:
            return  # the code is the whole script, most of which has run
        for name, old in self.before.items():
            now = vars(self.module).get(name)
            if now is not None and now is old and defines(code, name):
                self.stale.setdefault(name, []).append(old)

    def _restore(self) -> None:
        """After each statement: restore the interpreter's state, and report what was cut."""
        self.intact.put_back_own()
        sys.settrace(None)
        sys.setprofile(None)
        sys.setrecursionlimit(self.recursion)
        self.report.end_children()
        self.printed.install()
        _ensure_folder(self.job.path)
        self._report_cuts()
        if self.printed.too_much:
            self._once(Kind.OUTPUT, amount=self.job.limits.output)

    def _report_cuts(self) -> None:
        for filename, line in self.loops.cut.keys() - self.reported:
            self.reported.add((filename, line))
            cell, line = place_in(filename, line)
            self.incident(Kind.CUT, cell=cell, line=line, amount=self.loops.limit)

    def _once(self, kind: Kind, **fields: Any) -> None:
        if kind not in self.reported:
            self.reported.add(kind)
            self.incident(kind, **fields)

    def _check(self) -> None:
        """One feedback for each question."""
        whole_descents()
        # A file of the copy is not imported in the place of a package.
        sys.path[:] = [*(path for path in sys.path if path != self.folder), self.folder]
        found: dict[str, Feedback] = {}
        for key in self.job.questions:
            self.report.send(question=key, allow=self.job.limits.question)
            seed = (self.job.seed + zlib.crc32(key.encode())) % (1 << 32)
            found[key] = replace(self._feedback(key, seed), question=key)
            self._restore()
            known = self.sheet.with_consequences(found, self.job.lang)
            self.report.send(feedback=feedback_to_json(known[key]))

    def _is_stale(self, name: str) -> bool:
        """Whether a value is that of before a cell which was to replace it, and failed."""
        value = vars(self.module)[name]
        return not callable(value) and any(value is old for old in self.stale.get(name, ()))

    def _feedback(self, key: str, seed: int) -> Feedback:
        """The sheet's feedback on what the copy defines under the names of the answers."""
        lang, names = self.job.lang, vars(self.module)
        wanted = self.sheet.questions[key].answers
        missing = [name for name in wanted if name not in names or self._is_stale(name)]
        if missing:
            why = [i for i, code in self.failures if any(defines(code, name) for name in missing)]
            text = NOT_REACHED_BY if why else NOT_DEFINED
            line = text.to(lang, names=", ".join(missing))
            lines = [line, *(in_words_of(incident, lang) for incident in why[:1])]
            status = Status.FAILED if why else Status.TO_DO
            return Feedback(key, status, tuple(lines), mistake="stopped" if why else "missing")
        answers = [names[name] for name in self.sheet.questions[key].answers]
        self.intact.put_back()
        torch.set_grad_enabled(True)
        _seed(seed)
        try:
            with warnings.catch_warnings(), time_limit(self.job.limits.question):
                warnings.simplefilter("ignore")
                found = self.sheet.feedback(key, *answers, seed=seed, lang=lang)
                feedback_to_json(found)
                return found
        except BaseException as error:  # `feedback` raises nothing, but an answer may exit
            self.intact.put_back_own()
            line = NOT_COMPUTED.to(lang, error=type(error).__name__)
            return Feedback(key, Status.FAILED, (line,), mistake=type(error).__name__)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _seed(seed: int) -> None:
    torch.manual_seed(seed)
    numpy.random.seed(seed % (1 << 32))
    random.seed(seed)


def _ensure_folder(path: str) -> None:
    """Make a working directory if the copy has removed it."""
    try:
        os.getcwd()
    except OSError:
        home = os.environ["HOME"] if "HOME" in os.environ else os.path.dirname(path)
        os.makedirs(home, exist_ok=True)
        os.chdir(home)


def main() -> None:
    """Run the Job on stdin; the process ends without the exit handlers of the copy."""
    asked = Asked()
    job = Job.of_json(json.loads(asked.job()))
    asked.end_with_it()
    report = Reporting()
    try:
        worker = Worker(job, report)
        report.send(ready=True)
    except BaseException:
        report.send(broken=traceback.format_exc()[-2000:])
        _leave(1)
    try:
        with speaking(job.lang):
            worker.run()
    except BaseException:
        report.send(broken=traceback.format_exc()[-2000:])
        _leave(1)
    _leave(0)


if __name__ == "__main__":
    main()
