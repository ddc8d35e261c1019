"""`Words`: messages and numbers in one language."""

from __future__ import annotations

import math
from collections.abc import Sequence

from derivable.display import numbers
from derivable.display.messages import MESSAGES
from derivable.language import language
from derivable.messages import in_language


class Words:
    """Messages by their keys, and numbers, in the language that is asked for."""

    def __init__(self, lang: str | None = None) -> None:
        self.lang = language(lang)

    def __call__(self, key: str, **gaps: object) -> str:
        """The text of this key, its gaps filled; in the singular where `n` is "1"."""
        return MESSAGES.text(key, self.lang, **gaps)

    def number(self, value: float, spread: float | None = None) -> str:
        """A result, with its spread where there is one."""
        if spread is None:
            return numbers.number(value, self.lang)
        return numbers.with_spread(value, spread, self.lang)

    def short(self, value: float, digits: int = 3) -> str:
        """A number in a sentence, with so many digits."""
        return numbers.short(value, self.lang, digits)

    def fixed(self, value: float, digits: int) -> str:
        """A number with so many decimals."""
        return numbers.fixed(value, digits, self.lang)

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

    def of(self, text: str) -> str:
        """A message in this language; any other text as it is."""
        return in_language(text, self.lang)
