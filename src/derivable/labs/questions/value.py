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
from derivable.labs.text import Text


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
        difference = compared(answer, torch.as_tensor(self.value()))
        if difference is None:
            return self.right(lang)
        for known in self.known:
            if compared(answer, torch.as_tensor(known.value())) is None:
                return self.wrong(known.key, difference.lines[0], known.why.to(lang))
        return self.wrong(difference.kind, *difference.lines)
