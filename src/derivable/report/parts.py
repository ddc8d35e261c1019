"""Pieces that the sections of a page are made of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

from derivable.display.html import swatch
from derivable.display.words import Words
from derivable.messages import Message


def section(title: str, content: str) -> str:
    """A heading with what is below it."""
    return f"<section>\n<h2>{escape(title)}</h2>\n{content}\n</section>"


def chart(svg: str, label: str, caption: str) -> str:
    """A chart that scrolls where the page is too narrow for it."""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    framed = f'<div class="chart">{svg}</div>'
    return f"<figure>{scrolling(framed, label)}{below}</figure>"


def panels(content: list[str], caption: str) -> str:
    """Small charts beside each other."""
    below = f"<figcaption>{escape(caption)}</figcaption>"
    return f'<figure><div class="panels">{"".join(content)}</div>{below}</figure>'


def legend(names: Sequence[str]) -> str:
    """The names of lines, each with its colour."""
    each = (f'<span class="name">{swatch(i)}{escape(name)}</span>' for i, name in enumerate(names))
    return f"<p>{' '.join(each)}</p>"


def scrolling(content: str, label: str) -> str:
    """Something wide, in a frame of its own that the keyboard can reach."""
    reachable = f'tabindex="0" role="region" aria-label="{escape(label)}"'
    return f'<div class="scroll" {reachable}>{content}</div>'


def ends(words: Words, losses: Mapping[str, float]) -> str:
    """The last loss of each model, in a sentence."""
    return ", ".join(f"{name} {words.number(loss)}" for name, loss in losses.items())


def with_code(sentence: str) -> str:
    """A sentence whose options are set as code, which does not break after its dashes."""
    return re.sub(r"--[a-z]+ \d+", r"<code>\g<0></code>", escape(sentence))


def foreign(text: str, words: Words) -> str:
    """A message in the language of the page; marked as English where it is in that alone."""
    if words.lang == "en" or isinstance(text, Message):
        return escape(words.of(text))
    return f'<span lang="en">{escape(text)}</span>'
