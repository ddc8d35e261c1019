"""`Words`: sentences and numbers in one language."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from derivable.display import numbers
from derivable.display.sentences import ELSEWHERE, SENTENCES
from derivable.language import LANGUAGES, language


class Words:
    """Says sentences by their keys, and numbers, in the language that is asked for."""

    def __init__(self, lang: str | None = None) -> None:
        self.lang = language(lang)
        self._column = LANGUAGES.index(self.lang)

    def __call__(self, key: str, **gaps: object) -> str:
        """The sentence, with its gaps filled; in the singular where `n` is "1"."""
        if gaps.get("n") == "1" and f"{key}_one" in SENTENCES:
            key = f"{key}_one"
        return SENTENCES[key][self._column].format_map(gaps)

    def number(self, value: float, spread: float | None = None) -> str:
        """A result, with its spread where there is one."""
        if spread is None:
            return numbers.number(value, self.lang)
        return numbers.with_spread(value, spread, self.lang)

    def short(self, value: float, digits: int = 3) -> str:
        """A number in a sentence, with so many digits."""
        return numbers.short(value, self.lang, digits)

    def cell(self, value: float) -> str:
        """A number as a table has it."""
        return numbers.cell(value, self.lang)

    def deviation(self, deviation: float, *, exact: bool) -> str:
        """How far losses are from those of exact steps, relative."""
        if exact:
            return self("exact")
        if math.isinf(deviation):
            return self("unmeasured")
        return self("deviates", deviation=self.short(deviation))

    def rate(self, lr: object) -> str:
        """A learning rate: a number, a schedule, or none."""
        if lr is None:
            return "–"
        return self.short(lr) if isinstance(lr, float) else str(lr)

    def count(self, value: int) -> str:
        """A whole number."""
        return numbers.count(value, self.lang)

    def percent(self, share: float) -> str:
        """A share of one."""
        return numbers.percent(share, self.lang)

    def together(self, items: Sequence[str]) -> str:
        """a, b and c."""
        *first, last = items
        return f"{', '.join(first)} {self('and')} {last}" if first else last

    def translated(self, text: str) -> str | None:
        """What another room said in English; None where it is not known here."""
        if self.lang == "en":
            return text
        for pattern, template in ELSEWHERE:
            if match := re.fullmatch(pattern, text):
                return template.format(*(self._local(part) for part in match.groups()))
        return None

    def measure(self, text: str) -> str:
        """What a loss measures; the name of a loss stays as it is in code."""
        return self.translated(text) or text

    def _local(self, text: str) -> str:
        """A number with the sign for decimals of this language; any other text as it is."""
        return text.replace(".", ",") if re.fullmatch(r"[\d.e+-]+", text) else text
