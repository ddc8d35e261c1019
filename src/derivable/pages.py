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
    lines = read_lines(function)
    lines.pop("Notes")
    return {name: _one_line(" ".join(part)) for name, part in lines.items()}


def read_lines(function: type[Function]) -> dict[str, list[str]]:
    """The lines of a page by heading, without the margin; those of no heading are `Notes`."""
    text = inspect.cleandoc(function.__doc__ or "")
    summary, *rest = text.split("\n\n", 1)
    page: dict[str, list[str]] = {"Summary": summary.splitlines(), "Notes": []}
    heading, margin = "Notes", 0
    for line in "\n".join(rest).splitlines():
        match = re.match(r"([A-Z][a-z]+) {2,}(\S.*)", line)
        if match and match[1] in HEADINGS:
            heading, margin = match[1], match.start(2)
            page[heading] = [match[2]]
        elif not line.strip() or heading == "Notes":
            heading = "Notes"  # a blank line ends the part
            page[heading].append(line)
        else:
            page[heading].append(line[margin:] if not line[:margin].strip() else line.strip())
    return page


def lower_case_name(function: type[Function]) -> str:
    """The name in `derivable.functional`, which is that of the file: LeakyReLU is leaky_relu."""
    return function.__module__.rsplit(".", 1)[-1]


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
