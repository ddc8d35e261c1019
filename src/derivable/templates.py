"""HTML by Jinja2: `Macros` of a template, and those that everything shares.

Whatever fills a macro is escaped, except `Markup`, which is HTML already: what macros return, and
charts. A value that a template names and does not get is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


class Macros:
    """The macros of a template, as functions that return `Markup`.

        parts = Macros("report/report.html")
        parts.section(title, content)

    `path` is that of the template in this package. The template is read at the first call.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def __getattr__(self, name: str) -> Callable[..., Markup]:
        module = _environment().get_template(self._path).module
        return cast("Callable[..., Markup]", getattr(module, name))


shared = Macros("shared.html")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # 0.05 s

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
