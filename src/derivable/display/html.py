"""Small pieces of HTML that pages and notebooks share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

Cell = str  # HTML; what comes from data has been escaped


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    best: int | None = None,
    kind: str = "",
    label: str = "",
) -> str:
    """A table with a header; the row `best` is marked."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(_row(row, i == best) for i, row in enumerate(rows))
    named = f' aria-label="{escape(label)}"' if label else ""
    return (
        f'<table class="{kind}"{named}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def _row(cells: Sequence[Cell], best: bool) -> str:
    mark = ' class="best"' if best else ""
    return f"<tr{mark}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def swatch(colour: str) -> str:
    """A small square in the colour of a model."""
    return f'<span class="swatch" style="background:{colour}" aria-hidden="true"></span>'
