"""Every message of the examiner, in each language: one table of keys, its files per language."""

from __future__ import annotations

from typing import Any, TypeVar

from derivable.examiner.message import Message
from derivable.examiner.messages.en import SENTENCES as ENGLISH
from derivable.examiner.messages.fr import SENTENCES as FRENCH
from derivable.language import language as language

LANGUAGES = {"en": ENGLISH, "fr": FRENCH}
Error = TypeVar("Error", bound=Exception)


def say(message: Message, lang: str | None = None) -> str:
    """The text of a message; a Message, or several, in a gap are in the same language."""
    spoken = language(lang)
    fields = {name: _filled(value, spoken) for name, value in message.fields.items()}
    table, one = LANGUAGES[spoken], f"{message.key}_one"
    key = one if one in table and fields.get("count") == 1 else message.key
    return table[key].format_map(fields)


def error_of(kind: type[Error], key: str, /, **fields: Any) -> Error:
    """An error of this class; its text is the message `key`, such as `error.no_float`.

    The language is that of `language()` where the error is made.
    """
    return kind(say(Message(key, fields)))


def _filled(value: Any, lang: str) -> Any:
    """What stands in a gap."""
    if isinstance(value, Message):
        return say(value, lang)
    if isinstance(value, list):
        return ", ".join(str(_filled(item, lang)) for item in value)
    return value
