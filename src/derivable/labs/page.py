"""Parts of all pages of labs: the document, and the texts in one language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from markupsafe import Markup

from derivable.display.numbers import percent
from derivable.labs.typography import decimal, set_in
from derivable.messages import NB, Text
from derivable.templates import shared


class PageTexts:
    """The texts of a page by their keys, in one language."""

    def __init__(self, texts: Mapping[str, Text], lang: str) -> None:
        self.texts, self.lang = texts, lang

    def __call__(self, key: str, **gaps: object) -> str:
        """A text by its key, with the spaces of the language."""
        return self.of(self.texts[key], **gaps)

    def of(self, text: Text | str, /, **gaps: object) -> str:
        """Anybody's text, with the spaces of the language."""
        return set_in(self.lang, text.to(self.lang, **gaps) if isinstance(text, Text) else text)

    def number(self, value: float) -> str:
        """A number with the decimal sign of the language."""
        return decimal(value, self.lang)

    def out_of(self, value: float, most: float) -> str:
        """`12,5 / 20`, which does not break."""
        return f"{self.number(value)}{NB}/{NB}{self.number(most)}"

    def percent(self, share: float) -> str:
        """A share of one, in percent."""
        return percent(share, self.lang)


def page(title: str, lang: str, sections: Iterable[str]) -> Markup:
    """A self-contained HTML page, which sends no referrer."""
    return shared.document(title, lang, _css(), Markup("\n").join(sections), referrer=False)


@cache
def _css() -> Markup:
    """The stylesheet of reports, and what the pages here have besides."""
    package = files("derivable")
    sheets = ("report/page.css", "labs/pages.css")
    return Markup("".join(package.joinpath(sheet).read_text("utf-8") for sheet in sheets))
