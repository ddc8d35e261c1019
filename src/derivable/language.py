"""The languages of messages, and which one is used."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar

from derivable.errors import SettingError

LANGUAGES = ("en", "fr")
_speaking: ContextVar[str | None] = ContextVar("language of messages", default=None)


def language(lang: str | None = None) -> str:
    """The language of messages: `lang`, else that of `speaking`, else DERIVABLE_LANG, else English.

    Raises SettingError for a language without messages.
    """
    chosen = lang or _speaking.get() or os.environ.get("DERIVABLE_LANG") or "en"
    if chosen not in LANGUAGES:
        raise SettingError(
            f"the language must be {' or '.join(LANGUAGES)}, got {chosen!r}; set --lang or "
            "DERIVABLE_LANG to one of them"
        )
    return chosen


@contextlib.contextmanager
def speaking(lang: str | None) -> Iterator[None]:
    """Inside, `language()` is `lang`, also for the messages of errors; None changes nothing.

    Raises SettingError for a language without messages.
    """
    before = _speaking.set(language(lang) if lang else _speaking.get())
    try:
        yield
    finally:
        _speaking.reset(before)
