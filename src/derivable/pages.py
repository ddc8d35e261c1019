"""Reading a Function's page: the headed lines of its docstring, as data.

The table in the documentation and the test that no page is incomplete both come from here.
"""

from __future__ import annotations

import inspect
import re

from derivable.function import Function

HEADINGS = ("Forward", "Backward", "Shapes", "Kinks", "Saves", "Raises", "Source")


def read_page(function: type[Function]) -> dict[str, str]:
    """The parts of a page by heading, each on one line; its first sentence is the `Summary`."""
    text = inspect.cleandoc(function.__doc__ or "")
    summary, *rest = text.split("\n\n", 1)
    page = {"Summary": _one_line(summary)}
    heading = ""
    for line in "\n".join(rest).splitlines():
        match = re.match(r"([A-Z][a-z]+) {2,}(\S.*)", line)
        if match and match[1] in HEADINGS:
            heading = match[1]
            page[heading] = match[2]
        elif not line.strip():
            heading = ""  # a blank line ends the part
        elif heading:
            page[heading] += " " + line.strip()
    return {name: _one_line(part) for name, part in page.items()}


def lower_case_name(function: type[Function]) -> str:
    """The name in `derivable.functional`, which is that of the file: LeakyReLU is leaky_relu."""
    return function.__module__.rsplit(".", 1)[-1]


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
