"""`CallQuestion`: a plain Python function, compared with a right one at drawn inputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from derivable.labs.draw import Draw
from derivable.labs.feedback import Feedback, Status
from derivable.labs.ownership import blank_line, is_unwritten, package_of, watched
from derivable.labs.questions.base import Question
from derivable.labs.questions.compared import (
    CLOSE,
    Comparison,
    copies_of,
    inputs_in_words,
    sizes_of,
)
from derivable.labs.text import Text, colon
from derivable.labs.words import say


@dataclass(frozen=True)
class Case:
    """Inputs of one kind.

    key        as it stands in `Feedback.mistake`
    what       the kind in a few words, such as "large numbers"; said where an answer is wrong there
    inputs     makes the inputs from a Draw
    tolerance  relative to the largest expected entry
    """

    key: str
    what: Text
    inputs: Callable[[Draw], Sequence[Any]]
    tolerance: float = CLOSE


@dataclass(frozen=True, kw_only=True)
class CallQuestion(Question):
    """A function that returns a tensor, a number, or a tuple of them.

    reference  the right function
    cases      the kinds of inputs at which both are compared; the points are shared among them
    returns    the names of what is returned, where it is a tuple
    forbidden  functions of PyTorch, by their names, that are the answer themselves
    """

    reference: Callable[..., Any]
    cases: tuple[Case, ...]
    returns: tuple[str, ...] = ()
    forbidden: frozenset[str] = frozenset()

    def judge(self, *answers: Any, draw: Draw, lang: str) -> Feedback:
        """Every case in turn: the first that is wrong is explained, all that are right count."""
        (function,) = answers
        if function is ... or function is None:
            return self.to_do(lang)
        if not callable(function):
            got = type(function).__name__
            return self.wrong("type", say("no_function", lang, name=self.names, got=got))
        package = package_of(function)
        if package:
            return self.borrowed(package, lang)
        found = [self._case(case, function, draw, lang) for case in self.cases]
        wrong = [feedback for feedback in found if feedback is not None]
        if not wrong:
            return self.right(lang)
        if blank_line(function) and wrong[0].status is not Status.DECLINED:
            return self.to_do(lang)
        declined = wrong[0].status is Status.DECLINED
        share = 0.0 if declined else 1 - len(wrong) / len(found)
        return replace(wrong[0], share=share)

    def _case(
        self, case: Case, function: Callable[..., Any], draw: Draw, lang: str
    ) -> Feedback | None:
        """The feedback on one kind of inputs; None where the answer is right."""
        inputs = tuple(case.inputs(draw))
        try:
            with watched(self.forbidden) as calls:
                got = function(*copies_of(inputs))
        except Exception as error:
            if is_unwritten(error):
                return self.to_do(lang)
            return self.failed(error, lang, f"{self.names}(...)", kind=case.key)
        if calls.solution:
            return self.declined(calls.solution, calls.package, lang)
        return self._compared(case, got, inputs, _names(function), lang)

    def _compared(
        self, case: Case, got: Any, inputs: Sequence[Any], names: Sequence[str], lang: str
    ) -> Feedback | None:
        expected = self.reference(*copies_of(inputs))
        parts: list[tuple[str, Any, Any]] = [(self.names, got, expected)]
        if self.returns:
            if not isinstance(got, tuple | list) or len(got) != len(self.returns):
                size = f"{len(self.returns)}: {', '.join(self.returns)}"
                gaps = {"got": type(got).__name__, "expected": f"tuple {size}"}
                return self.wrong("type", say("wrong_type", lang, name=self.names, **gaps))
            parts = list(zip(self.returns, got, expected, strict=True))
        for name, one, right in parts:
            words = f"{case.what.to(lang)} ({inputs_in_words(names, inputs)})"
            head = name if name == self.names else f"{self.names}{colon(lang)}{name}"
            compared = Comparison(head, name, lang, words, sizes_of(inputs), case.tolerance)
            difference = compared(one, right)
            if difference is not None:
                return self.wrong(f"{case.key}.{difference.kind}", *difference.lines)
        return None


def _names(function: Callable[..., Any]) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []
