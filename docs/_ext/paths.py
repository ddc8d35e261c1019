"""Links of docs/*.md that leave the folder: to a page of the site instead of a file."""

from __future__ import annotations

import re

from sphinx.application import Sphinx


def _relink(app: Sphinx, docname: str, source: list[str]) -> None:
    up = "../" * docname.count("/")
    text = re.sub(
        r"\]\((?:\.\./)+src/derivable/functions/\w+/(\w+)\.py\)",
        rf"]({up}gallery/\1.md)",
        source[0],
    )
    text = re.sub(r"\]\(docs/", f"]({up}", text)  # the changelog and others, from the root
    source[0] = text


def setup(app: Sphinx) -> dict[str, bool]:
    """Look at each page before it is read."""
    app.connect("source-read", _relink)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
