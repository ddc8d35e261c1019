"""Write what follows from the files of the library: its lists of names, and its table in the docs.

    python tools/write_library.py

Whoever adds a Function writes its file and its case; this writes the `__init__.py` of each group,
`functional.py` and its types, `functional.pyi`, and `docs/functions.md`. A test fails when they are
not what this would write.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

from derivable.function import Function
from derivable.pages import lower_case_name, read_page

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "src" / "derivable" / "functions"
GROUPS = {  # folder -> title in the docs, docstring of the package
    "elementwise": ("Elementwise", "Functions of each entry by itself."),
    "algebra": ("Algebra", "Sums, products and their relatives, with broadcasting."),
    "losses": ("Losses", "Losses: how far a prediction is from what was wanted."),
    "layers": ("Layers", "Layers: normalisation, convolution, pooling, attention, cells."),
    "linalg": ("Linear algebra", "Linear algebra on square matrices, in batches."),
}
DOCUMENT = """# The library

Each Function is used as a class, by hand (`Tanh.forward(ctx, x)`) or recorded (`Tanh.apply(x)`),
or by its lower-case name in `derivable.functional`. The derivation of each backward is on its
page, in its docstring: `help(derivable.functions.Tanh)`; the gallery of the site, which `make docs`
builds, has it typeset, with pictures and examples.

Written by `make library` from those pages; a test fails when this table and the pages differ.
"""
FUNCTIONAL = '''"""The library in lower case: `linear(x, w, b)` is `Linear.apply(x, w, b)`."""

from __future__ import annotations

from derivable import functions

'''
# What annotations of a forward are made of.
TYPES = '''"""The types of the library in lower case, as those of each `forward`."""

from collections.abc import Sequence

import torch
from torch import Tensor

from derivable.functions.algebra._operands import Operand
from derivable.functions.algebra._reduction import Dim
from derivable.functions.layers._windows import Size

'''


def members(group: str) -> list[type[Function]]:
    """The Functions of a group, one per public file, in alphabetical order of the files."""
    found = []
    for path in sorted((LIBRARY / group).glob("[a-z]*.py")):
        module = importlib.import_module(f"derivable.functions.{group}.{path.stem}")
        found += [
            value
            for value in vars(module).values()
            if inspect.isclass(value)
            and issubclass(value, Function)
            and value.__module__ == module.__name__
        ]
    return found


def package(group: str) -> str:
    """The `__init__.py` of a group."""
    functions = members(group)
    lines = [f'"""{GROUPS[group][1]}"""', ""]
    lines += [f"from {function.__module__} import {function.__name__}" for function in functions]
    lines += ["", "__all__ = ["]
    lines += [f'    "{function.__name__}",' for function in functions]
    return "\n".join([*lines, "]", ""])


def functional() -> str:
    """The library in lower case."""
    functions = [function for group in GROUPS for function in members(group)]
    lines = [f"{lower_case_name(f)} = functions.{f.__name__}.apply" for f in functions]
    return FUNCTIONAL + "\n".join([*lines, "", *_all(functions), ""])


def types() -> str:
    """The types of the library in lower case, because `apply` takes and returns anything."""
    functions = [function for group in GROUPS for function in members(group)]
    return TYPES + "\n".join([*map(_typed, functions), "", *_all(functions), ""])


def _all(functions: list[type[Function]]) -> list[str]:
    return ["__all__ = [", *(f'    "{lower_case_name(f)}",' for f in functions), "]"]


def _typed(function: type[Function]) -> str:
    _, *inputs = inspect.signature(function.forward).parameters.values()
    given = [f"{one.name}: {one.annotation}" + _default(one) for one in inputs]
    returned = inspect.signature(function.forward).return_annotation
    output = "Tensor" if returned is inspect.Signature.empty else returned
    name = lower_case_name(function)
    line = f"def {name}({', '.join(given)}) -> {output}: ..."
    if len(line) <= 100:
        return line
    rows = ", ".join(given)
    if len(rows) <= 96:
        return f"def {name}(\n    {rows}\n) -> {output}: ..."
    return f"def {name}(\n" + "".join(f"    {one},\n" for one in given) + f") -> {output}: ..."


def _default(one: inspect.Parameter) -> str:
    if one.default is one.empty:
        return ""
    return f' = "{one.default}"' if isinstance(one.default, str) else f" = {one.default!r}"


def document() -> str:
    """The table in the docs."""
    parts = [DOCUMENT]
    for group, (title, _) in GROUPS.items():
        parts += [f"## {title}\n", "| Function | in lower case | what it is | forward | kinks |"]
        parts += ["|---|---|---|---|---|", *(_row(function) for function in members(group)), ""]
    return "\n".join(parts)


def _row(function: type[Function]) -> str:
    page = read_page(function)
    cells = (
        f"[{function.__name__}](../src/{function.__module__.replace('.', '/')}.py)",
        f"`{lower_case_name(function)}`",
        page["Summary"],
        f"`{page['Forward']}`",
        page["Kinks"],
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def files() -> dict[Path, str]:
    """Every file that follows from the library, with what it must hold."""
    written = {LIBRARY / group / "__init__.py": package(group) for group in GROUPS}
    written[LIBRARY.parent / "functional.py"] = functional()
    written[LIBRARY.parent / "functional.pyi"] = types()
    written[ROOT / "docs" / "functions.md"] = document()
    return written


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
