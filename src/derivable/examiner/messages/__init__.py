"""Every message of the examiner: one catalogue, its texts in a file for each language."""

from __future__ import annotations

from typing import Any, TypeVar

from derivable.examiner.message import Message
from derivable.examiner.messages.en import SENTENCES as ENGLISH
from derivable.examiner.messages.fr import SENTENCES as FRENCH
from derivable.language import LANGUAGES
from derivable.messages import Catalogue
from derivable.messages import Message as InLanguages

MESSAGES = Catalogue({key: (text, FRENCH[key]) for key, text in ENGLISH.items()})
Error = TypeVar("Error", bound=Exception)


def say(message: Message, lang: str | None = None) -> str:
    """The text of a message; a Message, or several, in a gap are in the same language."""
    fields = {name: _filled(value, lang) for name, value in message.fields.items()}
    return MESSAGES.text(message.key, lang, **fields)


def error_of(kind: type[Error], key: str, /, **fields: Any) -> Error:
    """An error of this class; its text is the message `key`, such as `error.no_float`."""
    message = Message(key, fields)
    return kind(InLanguages(*(say(message, lang) for lang in LANGUAGES)))


def _filled(value: Any, lang: str | None) -> Any:
    """What stands in a gap."""
    if isinstance(value, Message):
        return say(value, lang)
    if isinstance(value, list):
        return [_filled(item, lang) for item in value]
    return value
