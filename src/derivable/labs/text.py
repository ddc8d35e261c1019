"""`Text`: a sentence in both languages."""

from __future__ import annotations

from typing import NamedTuple

from derivable.language import language

NB = "\u00a0"  # French sets a space that does not break before : ; ? ! % and within guillemets


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


def after_colon(text: str) -> str:
    """A sentence as it goes on after a colon: without the capital letter of a common word."""
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    return text[:1].lower() + text[1:] if first[1:].islower() or first == "A" else text


def colon(lang: str) -> str:
    """What stands between the name of something and what is stated of it."""
    return f"{NB}: " if lang == "fr" else ": "
