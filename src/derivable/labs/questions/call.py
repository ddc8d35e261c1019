"""`CallQuestion`: a plain Python function, compared with a right one at drawn inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from derivable.labs.draw import Draw
from derivable.labs.feedback import Feedback, Status
from derivable.labs.ownership import blank_line, is_unwritten, shapes_made, watched
from derivable.labs.questions.base import Question
from derivable.labs.questions.compared import (
    CLOSE,
    Comparison,
    copies_of,
    inputs_in_words,
    names_of_inputs,
    sizes_of,
)
from derivable.labs.text import colon
from derivable.labs.words import say
from derivable.messages import Text

BUILT = 0.5  # of the points, for a right result by way of a tensor that is not to be built


@dataclass(frozen=True)
class Case:
    """Inputs of one kind.

    key        as in `Feedback.mistake`
    what       the kind in a few words, such as "large numbers"; stated if an answer is wrong there
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
    autograd   whether it may ask autograd for derivatives
    unbuilt    from the inputs, the shape of a tensor that is not to be built on the way
    """

    reference: Callable[..., Any]
    cases: tuple[Case, ...]
    returns: tuple[str, ...] = ()
    forbidden: frozenset[str] = frozenset()
    autograd: bool = False
    unbuilt: Callable[..., tuple[int, ...]] | None = None

    def judge(self, *answers: Any, draw: Draw, lang: str) -> Feedback:
        """Every case in turn: the first that is wrong is explained, all that are right count."""
        (function,) = answers
        stop = self.refused_function(function, lang)
        if stop is not None:
            return stop
        found = [self._case(case, function, draw, lang) for case in self.cases]
        wrong = [feedback for feedback in found if feedback is not None]
        if not wrong:
            return self.right(lang)
        first = wrong[0]
        if first.status is Status.DECLINED:
            return first
        if blank_line(function):
            return self.to_do(lang)
        return replace(first, share=max(first.share, 1 - len(wrong) / len(found)))

    def _case(
        self, case: Case, function: Callable[..., Any], draw: Draw, lang: str
    ) -> Feedback | None:
        """The feedback on one kind of inputs; None where the answer is right."""
        inputs = tuple(case.inputs(draw))
        try:
            with watched(self.forbidden) as calls, self._shapes() as shapes:
                got = function(*copies_of(inputs))
        except Exception as error:
            if is_unwritten(error):
                return self.to_do(lang)
            return self.failed(error, lang, f"{self.names}(...)", kind=case.key)
        if calls.solution:
            return self.declined(calls.solution, calls.package, lang)
        if calls.autograd and not self.autograd:
            line = say("calls_autograd", lang, name=self.names)
            return self.wrong("borrowed", line, status=Status.DECLINED)
        wrong = self._compared(case, got, inputs, names_of_inputs(function), lang)
        if wrong is None and self.unbuilt is not None and self.unbuilt(*inputs) in shapes:
            line = say("matrix", lang, name=self.names, shape=self.unbuilt(*inputs))
            return self.wrong(f"{case.key}.built", line, share=BUILT)
        return wrong

    def _shapes(self) -> AbstractContextManager[set[tuple[int, ...]]]:
        """Collects shapes where one of them is not to be built."""
        return nullcontext(set()) if self.unbuilt is None else shapes_made()

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
