"""`ProgramQuestion`: an answer that the author of the sheet checks by a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from derivable.labs.draw import Draw
from derivable.labs.feedback import Feedback
from derivable.labs.ownership import blank_line, is_unwritten, package_of
from derivable.labs.questions.base import Question
from derivable.labs.text import colon
from derivable.messages import Text


@dataclass(frozen=True)
class Flaw:
    """What is wrong, as an id and in words; `share` of the points is given all the same."""

    mistake: str
    what: Text
    share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ProgramQuestion(Question):
    """Answers that `flaws(draw, *answers)` checks: it yields a Flaw for each mistake.

    What it raises counts as an error of the student's code.
    """

    flaws: Callable[..., Iterator[Flaw]]

    def judge(self, *answers: Any, draw: Draw, lang: str) -> Feedback:
        """The feedback on the first flaw, or on a right answer."""
        if any(answer is ... for answer in answers):
            return self.to_do(lang)
        for answer in answers:
            package = package_of(answer) if callable(answer) else ""
            if package:
                return self.borrowed(package, lang)
        try:
            flaw = next(iter(self.flaws(draw, *answers)), None)
        except Exception as error:
            if self._is_blank(*answers) or is_unwritten(error):
                return self.to_do(lang)
            raise
        if flaw is None:
            return self.right(lang)
        if self._is_blank(*answers):
            return self.to_do(lang)
        line = f"{self.names}{colon(lang)}{flaw.what.to(lang)}"
        return self.wrong(flaw.mistake, line, share=flaw.share)

    def _is_blank(self, *answers: Any) -> bool:
        """Whether a `...` is left in one of the answers."""
        return any(_blank_in(answer) for answer in answers)


def _blank_in(answer: Any) -> bool:
    if isinstance(answer, type):
        members = (getattr(m, "fget", None) or m for m in vars(answer).values())
        return any(blank_line(getattr(m, "__func__", m)) for m in members if callable(m) or m)
    return bool(callable(answer) and blank_line(answer))
