"""Shapes of arguments that a docstring states, such as `x (N, D), w (D, K), b of shape (K,)`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from derivable.examiner.inputs.contract_statements import documentation

# A letter with a digit or two, letters in capitals, a number, or a word that is a usual size.
SIZE = (
    r"(?:[A-Za-z]\w?|[A-Z][A-Z_\d]{1,5}|[A-Za-z]_\w{1,4}|\d+|in|out|inp|batch|rows|cols|dim|"
    r"hidden|(?:in_|out_|n_|num_)?(?:features|classes|channels|units|samples))"
)
# `x (N, D)`, `x: (N, D)`, "x is a tensor of shape [N, D]"; one size alone has a comma, or is N.
BETWEEN = (
    r"`*\s*[:=]?\s*(?:(?:is|has)\s+)?(?:(?:a|an|the)\s+)?"
    r"(?:\(?(?:torch\.)?(?:[Tt]ensor|[Mm]atrix|[Vv]ector|[Aa]rray)\)?\s*[:,]?\s*)?"
    r"(?:(?:of|with|the)\s+)?(?:(?:shape|size)\s+)?"
)
INSIDE = rf"[(\[]\s*({SIZE}(?:\s*,\s*{SIZE})+|{SIZE}\s*,|[A-Z]|\d+)\s*,?\s*[)\]]"


def documented_shapes(target: Any, names: Sequence[str]) -> dict[str, str]:
    """The sizes of each argument that the docstring of the target or of its forward states.

    Separated by blanks, as in an annotation: `N D`. The first that is stated for a name counts.
    Where a size has the name of an argument, as in the call `f(x, y)`, it is no shape.
    """
    text = documentation(target)
    found: dict[str, str] = {}
    for name in names:
        for match in re.finditer(rf"(?<![\w.]){re.escape(name)}{BETWEEN}{INSIDE}", text):
            sizes = re.findall(r"\w+", match.group(1))
            if not set(sizes) & set(names):
                found.setdefault(name, " ".join(sizes))
    return found


def fulfilled(stated: Sequence[str | None], shapes: Sequence[tuple[int, ...]]) -> bool:
    """Whether a shape is stated, and all shapes are as stated; equal sizes have equal names."""
    known: dict[str, int] = {}
    for words, shape in zip(stated, shapes, strict=True):
        if words is None:
            continue
        sizes = words.split()
        if len(sizes) != len(shape):
            return False
        for word, size in zip(sizes, shape, strict=True):
            if known.setdefault(word, int(word) if word.isdigit() else size) != size:
                return False
    return bool(known)
