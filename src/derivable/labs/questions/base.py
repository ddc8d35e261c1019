"""`Question`: the base class of questions, with their points, hints and feedback."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

from derivable.labs.draw import Draw
from derivable.labs.explained import explained
from derivable.labs.feedback import Feedback, Status
from derivable.labs.ownership import package_of
from derivable.labs.words import say
from derivable.messages import Text


@dataclass(frozen=True)
class Mistake:
    """A typical mistake: the solution with one passage replaced by another.

    right, wrong  the passage in the sheet's solution, and its replacement
    finds         the beginning of `Feedback.mistake` that the check answers
    what          the mistake in a few words, for the teacher's page
    """

    right: str
    wrong: str
    finds: str
    what: Text


@dataclass(frozen=True, kw_only=True)
class Question(ABC):
    """One question of a sheet.

    key       its name in `sheet.check(key, ...)` and in the scale
    title     what it is called on pages
    answers   the names in the notebook that answer it, in the order in which `check` takes them
    points    what it is worth by the sheet's own scale
    hint      shown at the second call of a check that is not right
    place     where the formula is to be found; shown at the third call
    mistakes  typical ones; the tests and the teacher's page run each of them
    needs     keys of earlier questions whose mistakes this one would repeat; in grading, what is
              wrong here is then marked as their consequence
    """

    key: str
    title: Text
    answers: tuple[str, ...]
    points: float = 1.0
    hint: Text | None = None
    place: Text | None = None
    mistakes: tuple[Mistake, ...] = field(default=())
    needs: tuple[str, ...] = ()

    @abstractmethod
    def judge(self, *answers: Any, draw: Draw, lang: str) -> Feedback:
        """The feedback on the answers, at sizes and numbers of this draw; runs the answers."""

    @property
    def names(self) -> str:
        """The names of its answers, as in `w, b`."""
        return ", ".join(self.answers)

    def right(self, lang: str, remarks: tuple[str, ...] = (), **more: Any) -> Feedback:
        """The feedback on a right answer."""
        line = say("right", lang, name=self.names)
        return Feedback(self.key, Status.RIGHT, (line,), remarks, 1.0, **more)

    def wrong(
        self, mistake: str, *lines: str, status: Status = Status.WRONG, share: float = 0.0
    ) -> Feedback:
        """The feedback on a wrong answer."""
        return Feedback(self.key, status, lines, (), share, mistake)

    def failed(
        self, error: BaseException, lang: str, call: str, *, kind: str = "", share: float = 0.0
    ) -> Feedback:
        """The feedback on an error of the student's code, by its line.

        call  the call that raised it
        kind  the prefix of the name of the error in `Feedback.mistake`
        """
        head = say("failed", lang, name=self.names, where=call)
        mistake = ".".join(filter(None, (kind, type(error).__name__)))
        return self.wrong(mistake, head, *explained(error, lang), status=Status.FAILED, share=share)

    def borrowed(self, package: str, lang: str, name: str = "") -> Feedback:
        """The feedback on an answer that is the code of a package."""
        line = say("borrowed", lang, name=name or self.names, package=package)
        return self.wrong("borrowed", line, status=Status.DECLINED)

    def declined(self, function: str, package: str, lang: str) -> Feedback:
        """The feedback on an answer that calls the solution."""
        line = say("uses", lang, name=self.names, function=function, package=package)
        return self.wrong("borrowed", line, status=Status.DECLINED)

    def consequence(self, causes: str, lang: str) -> Feedback:
        """The feedback on an answer that is wrong because of other wrong answers."""
        line = say("consequence", lang, name=self.names, causes=causes)
        return self.wrong("consequence", line)

    def refused_function(self, answer: Any, lang: str) -> Feedback | None:
        """The feedback on an answer that is not a function of the student; None for one."""
        if answer is ... or answer is None:
            return self.to_do(lang)
        if not callable(answer):
            got = type(answer).__name__
            return self.wrong("type", say("no_function", lang, name=self.names, got=got))
        package = package_of(answer)
        return self.borrowed(package, lang) if package else None

    def to_do(self, lang: str) -> Feedback:
        """The feedback on a blank."""
        return self.wrong("", say("to_do", lang, name=self.names), status=Status.TO_DO)
