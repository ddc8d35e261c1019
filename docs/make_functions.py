"""Write docs/functions.md, the table of the library, from the pages of its Functions.

python docs/make_functions.py
"""

from __future__ import annotations

from pathlib import Path

from derivable import functions
from derivable.pages import lower_case_name, read_page

TARGET = Path(__file__).parent / "functions.md"
HEAD = """# The library

Each Function is used as a class, by hand (`Tanh.forward(ctx, x)`) or recorded (`Tanh.apply(x)`),
or by its lower-case name in `derivable.functional`. The derivation of each backward is on its
page, in its docstring: `help(derivable.functions.Tanh)`.

Written by `make docs` from those pages; a test fails when this table and the pages differ.
"""
TITLES = {
    "elementwise": "Elementwise",
    "algebra": "Algebra, with broadcasting",
    "losses": "Losses",
    "layers": "Layers",
    "linalg": "Linear algebra",
}


def table() -> str:
    """The whole document."""
    parts = [HEAD]
    for group, names in functions.GROUPS.items():
        parts.append(f"## {TITLES[group]}\n")
        parts.append("| Function | in `functional` | what it is | forward | kinks |")
        parts.append("|---|---|---|---|---|")
        parts += [_row(name) for name in names]
        parts.append("")
    return "\n".join(parts)


def _row(name: str) -> str:
    function = getattr(functions, name)
    page = read_page(function)
    path = f"../src/{function.__module__.replace('.', '/')}.py"
    cells = (
        f"[{name}]({path})",
        f"`{lower_case_name(function)}`",
        page["Summary"],
        f"`{page['Forward']}`",
        page["Kinks"],
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    TARGET.write_text(table(), encoding="utf-8")
    print(TARGET)
