"""Every sentence of the examiner, in each language: one table of keys, one file per language."""

from __future__ import annotations

import os

from derivable.errors import SettingError
from derivable.examiner.finding import Said
from derivable.examiner.sentences.en import SENTENCES as ENGLISH
from derivable.examiner.sentences.fr import SENTENCES as FRENCH

LANGUAGES = {"en": ENGLISH, "fr": FRENCH}


def language(lang: str | None = None) -> str:
    """The language to speak: `lang`, else DERIVABLE_LANG, else English.

    Raises SettingError for one that is not spoken here.
    """
    chosen = lang or os.environ.get("DERIVABLE_LANG") or "en"
    if chosen not in LANGUAGES:
        raise SettingError(
            f"the examiner speaks {' and '.join(LANGUAGES)}, not {chosen!r}; set --lang or "
            "DERIVABLE_LANG to one of them"
        )
    return chosen


def say(said: Said, lang: str | None = None) -> str:
    """The sentence, with its gaps filled; a Said in a gap is said in the same language."""
    spoken = language(lang)
    fields = {
        name: say(value, spoken) if isinstance(value, Said) else value
        for name, value in said.fields.items()
    }
    table, one = LANGUAGES[spoken], f"{said.key}_one"
    key = one if one in table and fields.get("count") == 1 else said.key
    return table[key].format_map(fields)
