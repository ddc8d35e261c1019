"""`Runner`: a copy run and checked, in as many attempts as it takes."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from derivable.errors import DerivableError
from derivable.labs.feedback import Feedback, Status
from derivable.labs.grading.attempt import Attempt, attempt
from derivable.labs.grading.caches import NO_CACHES, Caches
from derivable.labs.grading.copies import Copy
from derivable.labs.grading.incidents import Incident, Kind
from derivable.labs.grading.job import Job, Statement
from derivable.labs.grading.limits import Limits
from derivable.labs.grading.words import NO_COPY, NOT_CHECKED, NOT_REACHED, reason_in

AGAIN = 3  # attempts after the first
# Of an attempt that is made again, the same happens again.
_REPEATED = frozenset({Kind.ERROR, Kind.SYNTAX, Kind.MISSING, Kind.EXIT, Kind.CUT, Kind.OUTPUT})


class WorkerError(DerivableError, RuntimeError):
    """The process that grades a copy cannot start, or failed in code that is not the copy's."""


@dataclass(frozen=True)
class Outcome:
    """What a copy came to: a feedback for each question, and what happened on the way."""

    feedback: dict[str, Feedback]
    incidents: tuple[Incident, ...]


@dataclass
class _Sum:
    """What the attempts so far have brought."""

    feedback: dict[str, Feedback] = field(default_factory=dict)
    kept: list[Incident] = field(default_factory=list)
    skip: list[Statement] = field(default_factory=list)


@dataclass(frozen=True)
class Runner:
    """Runs copies of one sheet.

    sheet      its name, or the path of its file
    questions  the keys of its questions
    caches     what is copied into each copy's folder, because it takes long to make
    """

    sheet: str
    questions: Sequence[str]
    lang: str
    limits: Limits
    caches: Caches = NO_CACHES

    def run(self, copy: Copy, seed: int, stop: threading.Event) -> Outcome:
        """The feedback on a copy; `seed` of its checks.

        Raises WorkerError where the worker itself is broken, and Interrupted once `stop` is set.
        """
        before = _found(copy)
        if copy.path is None:
            line = NO_COPY.to(self.lang)
            nothing = {
                key: Feedback(key, Status.TO_DO, (line,), mistake="missing")
                for key in self.questions
            }
            return Outcome(nothing, before)
        outcome = self._run(copy, seed, stop)
        return replace(outcome, incidents=(*before, *outcome.incidents))

    def _run(self, copy: Copy, seed: int, stop: threading.Event) -> Outcome:
        so_far = _Sum()
        last: list[Incident] = []
        for _ in range(AGAIN + 1):
            left = tuple(key for key in self.questions if key not in so_far.feedback)
            with temporary_folder() as root:  # a new one: whatever the last attempt has left there
                self.caches.bring(root)
                path = copy.bring(root / "copy")
                made = attempt(self._job(path, seed, so_far, left), root, path.parent, stop)
            if not made.ready:
                reason = made.broken or reason_in("en", "{} {}".format(*made.reason))
                raise WorkerError(f"the process that grades copies does not start: {reason}")
            so_far.feedback |= made.feedback
            last = [i for i in made.incidents if i.kind in _REPEATED]
            so_far.kept += [i for i in made.incidents if i.kind not in _REPEATED]
            if made.stray:
                so_far.kept.append(Incident(Kind.STRAY, amount=made.stray))
            if made.done or not left:
                break
            self._note_end(made, so_far)
        else:
            so_far.kept.append(Incident(Kind.GIVEN_UP, amount=AGAIN))
            self._fail_the_rest(so_far)
        feedback = {key: so_far.feedback[key] for key in self.questions}
        return Outcome(feedback, tuple(dict.fromkeys([*so_far.kept, *last])))

    def _job(self, path: Path, seed: int, so_far: _Sum, left: tuple[str, ...]) -> Job:
        return Job(path.name, self.sheet, self.lang, seed, self.limits, tuple(so_far.skip), left)

    def _note_end(self, made: Attempt, so_far: _Sum) -> None:
        """Skip what the process ended in the next time."""
        key, number = made.reason
        reason = f"{key} {number}"
        if made.question:
            line = NOT_CHECKED.to(self.lang, reason=reason_in(self.lang, reason))
            so_far.feedback[made.question] = Feedback(
                made.question, Status.FAILED, (line,), mistake="process ended"
            )
            so_far.kept.append(Incident(Kind.QUESTION_ENDED, text=made.question, reason=reason))
        elif made.statement is not None and made.statement not in so_far.skip:
            so_far.skip.append(made.statement)
            cell, line_number = made.place
            so_far.kept.append(Incident(Kind.ENDED, cell, line_number, reason=reason))

    def _fail_the_rest(self, so_far: _Sum) -> None:
        line = NOT_REACHED.to(self.lang)
        for key in self.questions:
            so_far.feedback.setdefault(
                key, Feedback(key, Status.FAILED, (line,), mistake="process ended")
            )


def _found(copy: Copy) -> tuple[Incident, ...]:
    """What was noticed before the copy was run."""
    noticed = [Incident(Kind.BROKEN_ZIP, text=name[:200]) for name in copy.broken]
    if copy.path is None:
        noticed.append(Incident(Kind.NO_FILE))
    elif copy.others:
        noticed.append(Incident(Kind.CHOSEN, text=copy.file))
    return tuple(noticed)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is removed with the block, whatever a copy has done to it."""
    root = Path(tempfile.mkdtemp(prefix="derivable-copy-")).resolve()
    try:
        yield root
    finally:
        with suppress(RecursionError):
            shutil.rmtree(root, ignore_errors=True)
        if root.exists():  # the copy has closed folders, or nested them too deeply for Python
            for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
                subprocess.run([*command, str(root)], stderr=subprocess.DEVNULL, check=False)
