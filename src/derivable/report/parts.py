"""Pieces that the sections of a page are made of; report.html has their tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup, escape

from derivable.display import style
from derivable.display.words import Words
from derivable.messages import Message
from derivable.templates import Macros, shared

STACKED = "stacked"  # a kind of table for narrow pages: each cell has the name of its column
parts = Macros("report/report.html")


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    label: str,
    *,
    best: int | None = None,
    kind: str = "",
) -> Markup:
    """A table in a frame that scrolls; the row `best` is marked."""
    return parts.scrolling(shared.table(heads, rows, best=best, kind=kind, label=label), label)


def panels(charts: Sequence[Markup], caption: str) -> Markup:
    """Small charts beside each other."""
    return parts.panels([("", charts)], caption)


def legend(names: Sequence[str]) -> Markup:
    """The names of lines, each with its colour."""
    return parts.legend(names, [style.page_colour(i) for i in range(len(names))])


def ends(words: Words, losses: Mapping[str, float]) -> str:
    """The last loss of each model, in a sentence."""
    return ", ".join(f"{name} {words.number(loss)}" for name, loss in losses.items())


def with_code(sentence: str) -> Markup:
    """A sentence whose options are set as code, which does not break after its dashes."""
    return parts.with_code(re.split(r"(--[a-z]+ \d+)", sentence))


def filled(words: Words, key: str, **gaps: str) -> Markup:
    """A message whose gaps may be `Markup`."""
    return Markup(words(key, **{name: escape(gap) for name, gap in gaps.items()}))


def foreign(text: str, words: Words) -> str:
    """A message in the language of the page; marked as English where it is in that alone."""
    if words.lang == "en" or isinstance(text, Message):
        return words.of(text)
    return parts.english(text)
