"""`ValueQuestion`: a number or a tensor that the notebook computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from derivable.labs.draw import Draw
from derivable.labs.feedback import Feedback
from derivable.labs.questions.base import Question
from derivable.labs.questions.compared import Comparison
from derivable.labs.words import say
from derivable.messages import Text


@dataclass(frozen=True)
class Known:
    """A wrong value that is often found, and what it means."""

    key: str
    value: Callable[[], Any]
    why: Text


@dataclass(frozen=True, kw_only=True)
class ValueQuestion(Question):
    """A value, to a tolerance relative to its largest entry.

    value  makes the right one
    known  wrong ones that have an explanation
    """

    value: Callable[[], Any]
    tolerance: float = 1e-3
    known: tuple[Known, ...] = ()

    def judge(self, *answers: Any, draw: Draw, lang: str) -> Feedback:
        """Right, a known mistake with its explanation, or the first entry that differs."""
        (answer,) = answers
        if answer is ... or answer is None:
            return self.to_do(lang)
        compared = Comparison(self.names, self.names, lang, tolerance=self.tolerance)
        right = torch.as_tensor(self.value(), dtype=torch.float64)
        difference = compared(answer, right)
        if difference is None:
            return self.right(lang)
        for known in self.known:
            if compared(answer, torch.as_tensor(known.value())) is None:
                head = say("not_right", lang, name=self.names)
                return self.wrong(known.key, head, known.why.to(lang))
        if difference.kind in ("type", "shape", "complex"):
            return self.wrong(difference.kind, *difference.lines)
        return self.wrong(difference.kind, *self._without_the_answer(answer, right, lang))

    def _without_the_answer(self, answer: Any, right: torch.Tensor, lang: str) -> list[str]:
        """What is wrong with a number, or how many of several are, without what is right."""
        got = torch.as_tensor(answer, dtype=torch.float64)
        if right.dim():
            far = (got - right).abs() > self.tolerance * right.abs().max()
            return [say("some_wrong", lang, name=self.names, count=int(far.sum()), all=far.numel())]
        if not got.isfinite() or got * right < 0:
            return [say("not_right", lang, name=self.names)]
        large = bool(got.abs() > right.abs())
        return [say("too_large" if large else "too_small", lang, name=self.names)]
