"""Pages that show documents of the root, and links to docs/functions.md, which is no page."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
OF_THE_ROOT = {"changelog": "CHANGELOG.md", "contributing": "CONTRIBUTING.md"}


def from_root(text: str) -> str:
    """A document of the root as a page of docs/: links to files outside of it become words."""
    text = re.sub(r"\]\(docs/", "](", text)
    outside = r"\[([^\]]+)\]\((?!https?:|#)([^)#]+)\)"
    return re.sub(outside, lambda m: m[0] if (ROOT / "docs" / m[2]).exists() else f"{m[1]}", text)


def _read(app: Sphinx, docname: str, source: list[str]) -> None:
    if docname in OF_THE_ROOT:
        path = ROOT / OF_THE_ROOT[docname]
        app.env.note_dependency(str(path))
        source[0] = from_root(path.read_text(encoding="utf-8"))
    up = "../" * docname.count("/")
    source[0] = re.sub(r"\]\((?:\.\./)*functions\.md\)", f"]({up}gallery/index.md)", source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Look at each page before it is read."""
    app.connect("source-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
