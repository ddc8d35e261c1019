"""Small pieces of HTML that pages and notebooks share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from derivable.display import style

_SWATCH = "display:inline-block;width:.75em;height:.75em;border-radius:2px;margin-right:.5em;"
STACKED = "stacked"
Cell = str  # HTML; what comes from data has been escaped


def document(title: str, lang: str, css: str, body: str, *, head: str = "") -> str:
    """A whole page, which needs no other file; `title`, `body` and `head` are HTML."""
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n{head}'
        f'<title>{title}</title>\n<link rel="icon" href="data:,">\n<style>\n{css}</style>\n'
        f"</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    best: int | None = None,
    kind: str = "",
    label: str = "",
) -> str:
    """A table with a header; the row `best` is marked.

    Of the kind `STACKED`, each cell carries the name of its column, for narrow pages.
    """
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    named = heads if kind == STACKED else ()
    body = "".join(_row(row, i == best, named) for i, row in enumerate(rows))
    named = f' aria-label="{escape(label)}"' if label else ""
    return (
        f'<table class="{kind}"{named}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def _row(cells: Sequence[Cell], best: bool, heads: Sequence[str]) -> str:
    mark = ' style="font-weight:700"' if best else ""
    named = [f' data-head="{escape(head)}"' for head in heads] or [""] * len(cells)
    content = "".join(f"<td{name}>{cell}</td>" for name, cell in zip(named, cells, strict=True))
    return f"<tr{mark}>{content}</tr>"


def swatch(position: int) -> str:
    """A small square in the colour of the model at `position`."""
    colour = style.on_page(style.colour(position))
    return f'<span aria-hidden="true" style="{_SWATCH}background:{colour}"></span>'
