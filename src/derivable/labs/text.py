"""`Text`: a sentence in both languages."""

from __future__ import annotations

from typing import NamedTuple

from derivable.language import language


class Text(NamedTuple):
    """What is shown to people, in English and in French."""

    en: str
    fr: str

    def to(self, lang: str | None = None, **gaps: object) -> str:
        """The text in one language, its gaps filled.

        Raises SettingError for a language without messages.
        """
        text: str = getattr(self, language(lang))
        return text.format_map(gaps) if gaps else text
