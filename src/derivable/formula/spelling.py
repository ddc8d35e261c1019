"""Expressions as Python source in the vocabulary of `derivable.function.kernel`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from derivable.formula.expression import OPERATIONS, Expression, Number, ordered
from derivable.function import kernel


def spell(name: str, arguments: Sequence[str], root: Expression) -> str:
    """The source of a function of `arguments`, of which the first, x, gives constants its type.

    It depends on the expression alone, so that it can be the key of compiled code.
    """
    lines: list[str] = []
    names: dict[Expression, str] = {}
    for node in ordered(root):
        if node.operation == "variable":
            names[node] = str(node.label)
        elif node.number is not None:
            names[node] = _spell_number(node.number)
        else:
            names[node] = f"t{len(lines)}"
            given = [names[argument] for argument in node.arguments]
            lines.append(
                f"    {names[node]} = {OPERATIONS[node.operation].spelling.format(*given)}"
            )
    lines.append(f"    return {names[root]}")
    return "\n".join([f"def {name}({', '.join(arguments)}):", *lines, ""])


@cache
def compiled(source: str) -> Callable[..., Any]:
    """The function with that source, which is kept as its attribute `source`; one for each text."""
    names: dict[str, Any] = {word: getattr(kernel, word) for word in kernel.VOCABULARY}
    names["__name__"] = __name__  # Numba keeps code on disk only for functions of a module
    before = set(names)
    exec(compile(source, "<derived>", "exec"), names)
    (name,) = set(names) - before - {"__builtins__"}
    function: Callable[..., Any] = names[name]
    function.source = source  # type: ignore[attr-defined]  # mypy knows no attributes of functions
    return function


def _spell_number(number: Number) -> str:
    if isinstance(number, bool):
        return repr(number)
    if math.isnan(number):
        return "like(x, 1e999 - 1e999)"
    if math.isinf(number):
        return "like(x, 1e999)" if number > 0 else "like(x, -1e999)"
    return f"like(x, {number!r})"
