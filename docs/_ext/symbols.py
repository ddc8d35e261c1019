"""The pieces of a formula on a page, and how LaTeX writes their names."""

from __future__ import annotations

import re
from typing import NamedTuple

NAMED = {  # how LaTeX writes a name
    "log": r"\log", "exp": r"\exp", "sin": r"\sin", "cos": r"\cos", "tanh": r"\tanh",
    "sinh": r"\sinh", "cosh": r"\cosh", "det": r"\det", "min": r"\min", "max": r"\max",
    "tr": r"\mathrm{tr}", "Re": r"\mathrm{Re}", "alpha": r"\alpha", "beta": r"\beta", "pi": r"\pi",
    "delta": r"\delta", "eps": r"\varepsilon", "inf": r"\infty", "gamma": r"\gamma",
    "erf": r"\mathrm{erf}", "erfc": r"\mathrm{erfc}", "sgn": r"\mathrm{sgn}", "O": "O",
    "sign": r"\mathrm{sign}", "sigmoid": r"\mathrm{sigmoid}", "softmax": r"\mathrm{softmax}",
    "floor": r"\mathrm{floor}", "clamp": r"\mathrm{clamp}", "softplus": r"\mathrm{softplus}",
    "dA": r"\mathrm{d}A", "dX": r"\mathrm{d}X", "dB": r"\mathrm{d}B", "dY": r"\mathrm{d}Y",
    "dL": r"\mathrm{d}L",
}  # fmt: skip
APPLIED = {"log", "exp", "sin", "cos", "tanh", "sinh", "cosh", "det", "tr", "Re", "erf", "erfc",
           "sgn", "sign", "sigmoid", "softmax", "floor", "clamp", "min", "max"}  # fmt: skip
RELATIONS = {
    "=": "=",
    "<=": r"\le ",
    ">=": r"\ge ",
    "<": "<",
    ">": ">",
    "->": r"\to ",
    "<-": r"\gets ",
}
ALWAYS = {"output", "grad_output", "loss", "sum", "sqrt", "conj", *NAMED}

TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<quote>"[^"]*"|`[^`]*`)|(?P<dots>\.\.\.|\.\.)
    |(?P<dotted>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)|(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)|(?P<name>[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*(?:'s\b|'*))
    |(?P<below>(?<=[)^])_[A-Za-z]+)
    |(?P<relation><=|>=|->|<-|[=<>])|(?P<sign>[-+*/^!|()\[\],;:.])|(?P<other>.)""",
    re.VERBOSE,
)


class Token(NamedTuple):
    """A piece of a page's text."""

    kind: str
    text: str
    space: bool  # whether a blank stands before it


def tokens(text: str) -> list[Token]:
    """The pieces of a text."""
    found, space = [], False
    for match in TOKEN.finditer(text):
        kind = match.lastgroup or "other"
        if kind == "space":
            space = True
            continue
        found.append(Token(kind, match[0], space))
        space = False
    return found


class UnreadableError(ValueError):
    """The text is no formula that can be set."""
