"""Lab sheets: notebooks with blanks, checks in the cell, and copies that are graded.

    from derivable.labs import tp2

    tp2.check("linear", Linear)

Each sheet that comes along is a name of this package, loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from derivable.lazy import names_of

if TYPE_CHECKING:
    from derivable.labs.draw import Draw as Draw
    from derivable.labs.feedback import Curve as Curve
    from derivable.labs.feedback import Feedback as Feedback
    from derivable.labs.feedback import Status as Status
    from derivable.labs.questions.base import Mistake as Mistake
    from derivable.labs.questions.base import Question as Question
    from derivable.labs.questions.call import CallQuestion as CallQuestion
    from derivable.labs.questions.call import Case as Case
    from derivable.labs.questions.choice import Choice as Choice
    from derivable.labs.questions.choice import ChoiceQuestion as ChoiceQuestion
    from derivable.labs.questions.choice import TextQuestion as TextQuestion
    from derivable.labs.questions.curve import CurveQuestion as CurveQuestion
    from derivable.labs.questions.function import FunctionQuestion as FunctionQuestion
    from derivable.labs.questions.gradients import Convention as Convention
    from derivable.labs.questions.gradients import KnownGradient as KnownGradient
    from derivable.labs.questions.program import Flaw as Flaw
    from derivable.labs.questions.program import ProgramQuestion as ProgramQuestion
    from derivable.labs.questions.trained import TrainedQuestion as TrainedQuestion
    from derivable.labs.questions.training import TrainingQuestion as TrainingQuestion
    from derivable.labs.questions.value import Known as Known
    from derivable.labs.questions.value import ValueQuestion as ValueQuestion
    from derivable.labs.sheet import Sheet as Sheet
    from derivable.labs.sheet import load as load
    from derivable.labs.tables import fetch_california_housing as fetch_california_housing
    from derivable.labs.text import Text as Text

_HOME = {
    "CallQuestion": "questions.call",
    "Case": "questions.call",
    "Choice": "questions.choice",
    "ChoiceQuestion": "questions.choice",
    "Convention": "questions.gradients",
    "Curve": "feedback",
    "CurveQuestion": "questions.curve",
    "Draw": "draw",
    "Feedback": "feedback",
    "Flaw": "questions.program",
    "FunctionQuestion": "questions.function",
    "Known": "questions.value",
    "KnownGradient": "questions.gradients",
    "Mistake": "questions.base",
    "ProgramQuestion": "questions.program",
    "Question": "questions.base",
    "Sheet": "sheet",
    "Status": "feedback",
    "Text": "text",
    "TextQuestion": "questions.choice",
    "TrainedQuestion": "questions.trained",
    "TrainingQuestion": "questions.training",
    "ValueQuestion": "questions.value",
    "fetch_california_housing": "tables",
    "load": "sheet",
}

__all__ = sorted(_HOME)
_get, __dir__ = names_of(__name__, _HOME)


def __getattr__(name: str) -> Any:
    """A name of this package, or the sheet of this name."""
    if name in _HOME or name.startswith("_"):
        return _get(name)
    sheet = importlib.import_module("derivable.labs.sheet")
    if name not in sheet.names():
        return _get(name)
    globals()[name] = sheet.load(name)
    return globals()[name]
