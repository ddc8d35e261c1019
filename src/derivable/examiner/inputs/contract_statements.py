"""What docstrings and comments of a target state about the contracts of its arguments."""

from __future__ import annotations

import inspect
import io
import re
import textwrap
import tokenize
from collections.abc import Sequence
from typing import Any

import torch

from derivable.examiner.inputs.contracts import (
    Contract,
    Definite,
    LogSimplex,
    Lower,
    Rotation,
    Simplex,
    Sorted,
    Symmetric,
    Unit,
    Upper,
)

_SYMMETRIC = r"symmetric|positive[- ](?:semi[- ]?)?definite|P\.?S\.?D\b|S\.?P\.?D\b|PD\b"
# How docstrings name a contract.
WORDS: dict[type[Contract], str] = {
    Symmetric: _SYMMETRIC, Definite: _SYMMETRIC,
    Lower: r"lower[- ]triangular", Upper: r"upper[- ]triangular",
    Rotation: r"orthogonal|orthonormal|rotation", Unit: r"unit",
    Simplex: r"probabilit|distribution|simplex",
    LogSimplex: r"log[- ]?probabilit|log[- ]distribution",
    Sorted: r"sorted|increasing|ascending",
}  # fmt: skip
BETWEEN = r"(?:[\w-]+\s+){0,3}"  # such as "real" and "positive definite matrix"
DENIED = r"\b(?:not|no|need\w*|any|right for|non-?symmetric|asymmetric|unsymmetric)\b"
# What a sentence states of the only matrix of a target without naming it.
OF_THE_MATRIX = (
    rf"(?<![\w-])(?:{_SYMMETRIC})\s+{BETWEEN}(?:matri(?:x|ces)|kernels?|covariances?)\b"
    r"|\b(?:exploit\w*|us(?:es?|ing)|by|because of)\s+(?:of\s+)?(?:the\s+|its\s+)?symmetry\b"
)


def stated(contract: Contract, name: str, text: str) -> bool:
    """Whether a text states it of an argument: "A is symmetric", "of a symmetric matrix A"."""
    word = WORDS.get(type(contract))
    if word is None:
        return False
    name = re.sub(r"\[\d+\]$", "", name)  # the first of *matrices is documented as `matrices`
    stated, named = rf"(?<![\w-])(?:{word})\w*", rf"(?<![\w.])[`'*]*{re.escape(name)}[`'*]*(?!\w)"
    forms = (
        rf"{named}\s+(?:is|are|has to be|have to be|must be)\s+(?:an?\s+|of\s+)?{BETWEEN}{stated}",
        rf"{named}\s*(?:\([^)]*\))?\s*[:,]\s*(?:an?\s+)?{BETWEEN}{stated}",
        rf"{stated}\s+{BETWEEN}{named}",
    )
    return any(re.search(form, sentence) for sentence in _affirmative(text) for form in forms)


def stated_of_the_matrix(contract: Contract, others: Sequence[str], text: str) -> bool:
    """Whether a text calls a matrix symmetric, or uses its symmetry, without naming an argument.

    others  the names of the other arguments, of none of which the sentence may state it
    """
    return isinstance(contract, Symmetric) and any(
        re.search(OF_THE_MATRIX, sentence)
        and not any(stated(contract, name, sentence) for name in others)
        for sentence in _affirmative(text)
    )


def documentation(target: Any) -> str:
    """The docstrings of a target and of its forward, but for those that PyTorch leaves there."""
    rules = (target, getattr(target, "forward", None))
    texts = [rule.__doc__ for rule in rules if isinstance(getattr(rule, "__doc__", None), str)]
    inherited = (torch.autograd.Function.__doc__, torch.autograd.Function.forward.__doc__)
    return " ".join(inspect.cleandoc(t) for t in texts if t and t not in inherited)


def comments(target: Any) -> str:
    """The comments in a target's forward and backward; those on successive lines are joined."""
    found: list[str] = []
    for rule in (getattr(target, "forward", None), getattr(target, "backward", None)):
        try:
            source = textwrap.dedent(inspect.getsource(inspect.unwrap(rule)))  # type: ignore[arg-type]
            tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
        except (OSError, TypeError, ValueError, SyntaxError, tokenize.TokenError):
            continue  # there is no source, as in an interactive session
        last = -1
        for token in tokens:
            if token.type == tokenize.COMMENT:
                text, line = token.string.lstrip("# ").strip(), token.start[0]
                if found and line == last + 1:
                    found[-1] += f" {text}"
                else:
                    found.append(text)
                last = line
    return "\n".join(found)


def _affirmative(text: str) -> list[str]:
    """The sentences that deny nothing."""
    sentences = re.split(r"(?<=[.;])\s+|\n", text)
    return [sentence for sentence in sentences if not re.search(DENIED, sentence)]
