"""Every sentence of the examiner, in each language: one table of keys, one file per language."""

from __future__ import annotations

from derivable.examiner.finding import Message
from derivable.examiner.render.sentences.en import SENTENCES as ENGLISH
from derivable.examiner.render.sentences.fr import SENTENCES as FRENCH
from derivable.language import language as language

LANGUAGES = {"en": ENGLISH, "fr": FRENCH}


def say(said: Message, lang: str | None = None) -> str:
    """The sentence, with its gaps filled; a Message in a gap is said in the same language."""
    spoken = language(lang)
    fields = {
        name: say(value, spoken) if isinstance(value, Message) else value
        for name, value in said.fields.items()
    }
    table, one = LANGUAGES[spoken], f"{said.key}_one"
    key = one if one in table and fields.get("count") == 1 else said.key
    return table[key].format_map(fields)
