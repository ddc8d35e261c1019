"""Parts of all pages of labs: the document, sections, and texts escaped for HTML."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files

from derivable.display.html import document
from derivable.display.numbers import percent
from derivable.labs.typography import decimal, set_in
from derivable.messages import NB, Text

NO_REFERRER = '<meta name="referrer" content="no-referrer">\n'


class PageTexts:
    """The texts of a page by their keys, in one language, ready for HTML."""

    def __init__(self, texts: Mapping[str, Text], lang: str) -> None:
        self.texts, self.lang = texts, lang

    def __call__(self, key: str, **gaps: object) -> str:
        """A text by its key; gaps are escaped."""
        return self.html(self.texts[key].to(self.lang, **gaps))

    def text(self, key: str, **gaps: object) -> str:
        """A text by its key, not escaped: for what escapes it itself."""
        return set_in(self.lang, self.texts[key].to(self.lang, **gaps))

    def html(self, text: str) -> str:
        """A text of anybody, with the spaces of the language, escaped."""
        return escape(set_in(self.lang, text))

    def number(self, value: float) -> str:
        """A number with the decimal sign of the language."""
        return decimal(value, self.lang)

    def out_of(self, value: float, most: float) -> str:
        """`12,5 / 20`, which does not break."""
        return f"{self.number(value)}{NB}/{NB}{self.number(most)}"

    def percent(self, share: float) -> str:
        """A share of one, in percent."""
        return percent(share, self.lang)


def section(title: str, content: str, kind: str = "") -> str:
    """A part of a page; both are HTML."""
    named = f' class="{kind}"' if kind else ""
    return f"<section{named}>\n<h2>{title}</h2>\n{content}\n</section>"


def scrolling(content: str, label: str) -> str:
    """A scrollable, focusable frame around wide content; `label` is HTML."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">{content}</div>'


def page(title: str, lang: str, content: str) -> str:
    """A self-contained HTML page, which sends no referrer."""
    return document(title, lang, _css(), content, head=NO_REFERRER)


@cache
def _css() -> str:
    """The stylesheet of reports, and what the pages here have besides."""
    package = files("derivable")
    shared = package.joinpath("report/page.css").read_text("utf-8")
    return shared + package.joinpath("labs/pages.css").read_text("utf-8")
