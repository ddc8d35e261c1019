"""Links to the table of the library, docs/functions.md: to the gallery, which has its place."""

from __future__ import annotations

import re

from sphinx.application import Sphinx


def _relink(app: Sphinx, docname: str, source: list[str]) -> None:
    up = "../" * docname.count("/")
    source[0] = re.sub(r"\]\((?:\.\./)*functions\.md\)", f"]({up}gallery/index.md)", source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Look at each page before it is read."""
    app.connect("source-read", _relink)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
