"""Numbers and signs as a language sets them."""

from __future__ import annotations

import re

from derivable.messages import NB


def set_in(lang: str, text: str) -> str:
    """The text with the spaces of the language: French ones do not break before : ; ? ! and %."""
    if lang != "fr":
        return text
    text = re.sub(r"[ \u202f](?=[:;?!%»](?:\s|$|[)\]]))", NB, text)
    return re.sub(r"«[ \u202f]", f"«{NB}", text)


def decimal(value: float, lang: str, digits: int | None = None) -> str:
    """A number with the decimal sign of the language; `digits` after it, or as many as it has."""
    text = f"{value:.2f}".rstrip("0").rstrip(".") if digits is None else f"{value:.{digits}f}"
    return _signed_in(lang, text)


def number(value: float, lang: str) -> str:
    """A number with six significant digits, with the decimal sign of the language."""
    return _signed_in(lang, f"{value:.6g}")


def decimals_in(lang: str, text: str) -> str:
    """The text with the decimal sign of the language in its numbers."""
    return re.sub(r"(?<=\d)\.(?=\d)", ",", text) if lang == "fr" else text


def _signed_in(lang: str, text: str) -> str:
    return text.replace(".", ",") if lang == "fr" else text
