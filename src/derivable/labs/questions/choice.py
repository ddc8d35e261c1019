"""`ChoiceQuestion` and `TextQuestion`: multiple choice, and a text that a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from derivable.errors import SettingError
from derivable.labs.draw import Draw
from derivable.labs.feedback import Feedback, Status
from derivable.labs.questions.base import Mistake, Question
from derivable.labs.refusals import refusal
from derivable.labs.words import say
from derivable.messages import Text

SHORT = 20  # characters below which a text is no answer


@dataclass(frozen=True)
class Choice:
    """One of the answers to choose from: whether it is right, and why or why not."""

    right: bool
    why: Text


@dataclass(frozen=True, kw_only=True)
class ChoiceQuestion(Question):
    """One letter of several, such as `why_sum = "b"`; the letters are in the notebook's text.

    Each wrong letter is a typical mistake.
    """

    choices: Mapping[str, Choice]

    def __post_init__(self) -> None:
        right = next((letter for letter, choice in self.choices.items() if choice.right), None)
        if right is None:
            raise SettingError(refusal("choices", key=self.key))
        wrong = [letter for letter, choice in self.choices.items() if not choice.right]
        mistakes = tuple(
            Mistake(
                f'"{right}"', f'"{letter}"', f"choice.{letter}",
                Text(f"answer ({letter})", f"réponse ({letter})"),
            )
            for letter in wrong
        )  # fmt: skip
        object.__setattr__(self, "mistakes", mistakes)

    def judge(self, *answers: Any, draw: Draw, lang: str) -> Feedback:
        """The feedback on a choice, with its reason; an invalid choice is to be answered again."""
        (answer,) = answers
        if _is_blank(answer):
            return self.to_do(lang)
        letter = str(answer).strip().lower().strip("().")
        if letter not in self.choices:
            named = ", ".join(self.choices)
            example = repr(next(iter(self.choices)))
            line = say("no_choice", lang, name=self.names, choices=named, example=example)
            return self.wrong("no choice", line, status=Status.FAILED)
        choice = self.choices[letter]
        if choice.right:
            return self.right(lang, (choice.why.to(lang),))
        head = say("wrong_value", lang, name=self.names, got=repr(letter))
        return self.wrong(f"choice.{letter}", head, choice.why.to(lang))


@dataclass(frozen=True, kw_only=True)
class TextQuestion(Question):
    """A short text, which a person reads; `expected` is the expected answer."""

    expected: Text

    def judge(self, *answers: Any, draw: Draw, lang: str) -> Feedback:
        """The feedback on whether something was written; the text is on the teacher's page."""
        (answer,) = answers
        if _is_blank(answer):
            return self.to_do(lang)
        text = " ".join(str(answer).split())
        if len(text) < SHORT:
            line = say("manual_short", lang, name=self.names)
            return self.wrong("short", line, status=Status.TO_DO)
        line = say("manual", lang, name=self.names)
        return Feedback(self.key, Status.MANUAL, (line, text), share=0.0)


def _is_blank(answer: Any) -> bool:
    """Whether nothing was written yet."""
    return answer is ... or answer is None or (isinstance(answer, str) and not answer.strip())
