"""Messages for people in every language: catalogues of texts by key, and the texts made of them.

Each package keeps its own in a catalogue, `messages.py`. French is written there with ordinary
spaces; the ones that do not break before : ; ? ! % and within guillemets are set where a text is
made, and numbers get the decimal comma.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from string import Formatter
from typing import Any, NamedTuple

from derivable.errors import SettingError
from derivable.language import LANGUAGES, language

NB = "\u00a0"  # French sets a space that does not break before : ; ? ! % and within guillemets
NARROW = "\u202f"  # and one between thousands


class Text(NamedTuple):
    """A text, or a template with gaps in braces, in English and in French."""

    en: str
    fr: str

    def to(self, lang: str | None = None, **gaps: object) -> str:
        """The text in one language, its gaps filled.

        Raises SettingError for a language without messages.
        """
        text: str = getattr(self, language(lang))
        return text.format_map(gaps) if gaps else text


class Message(str):
    """A text in the language of messages, which knows itself in the others.

    It is an ordinary string: it can be printed, compared, pickled and raised. `to` gives it in a
    language, for a page in another one than the text was made in.
    """

    texts: Text
    __slots__ = ("texts",)

    def __new__(cls, en: str, fr: str) -> Message:
        """The message of these texts."""
        texts = Text(en, fr)
        try:
            message = super().__new__(cls, texts.to())
        except SettingError:  # commands report it; an import must not fail of it
            message = super().__new__(cls, en)
        message.texts = texts
        return message

    def to(self, lang: str | None = None) -> str:
        """The text in one language."""
        return self.texts.to(lang)

    def __reduce__(self) -> tuple[type[Message], Text]:
        return Message, self.texts


class Catalogue(Mapping[str, Text]):
    """Texts by key. Calling it with a key and what fills the gaps makes a `Message`."""

    def __init__(self, *tables: Mapping[str, tuple[str, str]]) -> None:
        self._texts = {key: Text(*texts) for table in tables for key, texts in table.items()}

    def __getitem__(self, key: str) -> Text:
        return self._texts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __call__(self, key: str, /, **gaps: Any) -> Message:
        """The text of this key; in the singular, `key_one`, where `n` or `count` is 1."""
        return Message(*(self.text(key, lang, **gaps) for lang in LANGUAGES))

    def text(self, key: str, lang: str | None = None, /, **gaps: Any) -> str:
        """The same in one language, as a plain string."""
        if gaps.get("n", gaps.get("count")) in (1, "1"):
            key = f"{key}_one" if f"{key}_one" in self._texts else key
        chosen = language(lang)
        return _FILLING[chosen].vformat(typeset(self[key].to(chosen), chosen), (), gaps)


SEMICOLON = Message("; ", f"{NB}; ")  # between the parts of a message


def in_language(text: str, lang: str | None = None) -> str:
    """A message in a language; any other text as it is."""
    return text.to(lang) if isinstance(text, Message) else text


def message_of(error: BaseException) -> str:
    """The text of an error; a message where it was raised with one."""
    text = error.args[0] if error.args else ""
    return text if isinstance(text, Message) else str(error)


def joined(parts: Iterable[str], between: str = " ") -> Message:
    """Texts, each a message or a plain string, one behind another."""
    parts = tuple(parts)
    en, fr = (
        in_language(between, lang).join(in_language(part, lang) for part in parts)
        for lang in LANGUAGES
    )
    return Message(en, fr)


def packed(text: str) -> str | list[str]:
    """A text as JSON keeps it, with every language that it knows."""
    return list(text.texts) if isinstance(text, Message) else text


def unpacked(kept: str | list[str]) -> str:
    """The text that `packed` kept."""
    return kept if isinstance(kept, str) else Message(*kept)


def typeset(text: str, lang: str = "fr") -> str:
    """A text with the spaces of its language: in French, those that do not break."""
    return re.sub("(?<=«) | (?=[;:?!%»])", NB, text) if lang == "fr" else text


class _Filling(Formatter):
    """Fills gaps in one language: messages, lists, errors, and numbers that have a format."""

    def __init__(self, lang: str) -> None:
        self._lang = lang

    def convert_field(self, value: Any, conversion: Any) -> Any:
        value = in_language(value, self._lang) if isinstance(value, str) else value
        return super().convert_field(value, conversion)

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, BaseException):
            value = in_language(message_of(value), self._lang)
        if isinstance(value, list):
            value = ", ".join(
                in_language(str(one) if not isinstance(one, str) else one, self._lang)
                for one in value
            )
        text: str = super().format_field(value, format_spec)
        if format_spec and self._lang == "fr" and isinstance(value, (int, float)):
            return text.translate(_FRENCH_NUMBER)
        return text


_FRENCH_NUMBER = str.maketrans({",": NARROW, ".": ","})
_FILLING = {lang: _Filling(lang) for lang in LANGUAGES}
