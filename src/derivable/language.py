"""The languages that are spoken here, and which one is to be spoken."""

from __future__ import annotations

import os

from derivable.errors import SettingError

LANGUAGES = ("en", "fr")


def language(lang: str | None = None) -> str:
    """The language to speak: `lang`, else DERIVABLE_LANG, else English.

    Raises SettingError for one that is not spoken here.
    """
    chosen = lang or os.environ.get("DERIVABLE_LANG") or "en"
    if chosen not in LANGUAGES:
        raise SettingError(
            f"derivable speaks {' and '.join(LANGUAGES)}, not {chosen!r}; set --lang or "
            "DERIVABLE_LANG to one of them"
        )
    return chosen
