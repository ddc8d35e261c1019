"""How a text goes on after a colon."""

from __future__ import annotations

from derivable.messages import NB
from derivable.messages import Text as Text


def after_colon(text: str) -> str:
    """A sentence as it goes on after a colon: without the capital letter of a common word."""
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    return text[:1].lower() + text[1:] if first[1:].islower() or first == "A" else text


def colon(lang: str) -> str:
    """The separator between a name and a statement about it."""
    return f"{NB}: " if lang == "fr" else ": "
