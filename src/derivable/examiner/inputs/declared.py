"""Declarations about a target outside its code, in a conftest.py or a file of examples."""

from __future__ import annotations

import fnmatch
import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from derivable.errors import SettingError, TargetError
from derivable.examiner.message import Message
from derivable.examiner.messages import error_of, say

Examples = Callable[[], Any]


@dataclass(frozen=True)
class Declaration:
    """The declarations of a target; None or empty if there are none.

    examples      a function that returns the inputs of forward, or a list of such tuples
    contracts     argument -> its contract: an object of inputs/contracts.py, or a text
    surrogate     why backward is not the derivative of forward on purpose
    surrogate_of  the function whose derivative backward is instead, of the same inputs
    """

    examples: Examples | None = None
    contracts: Mapping[str, Any] = field(default_factory=dict)
    surrogate: str | None = None
    surrogate_of: Callable[..., Any] | None = None

    def over(self, other: Declaration) -> Declaration:
        """These declarations, completed by those of `other`."""
        return Declaration(
            self.examples if self.examples is not None else other.examples,
            {**other.contracts, **self.contracts},
            self.surrogate if self.surrogate is not None else other.surrogate,
            self.surrogate_of if self.surrogate_of is not None else other.surrogate_of,
        )


_by_target: dict[int, tuple[Any, Declaration]] = {}  # id -> the target, kept alive, and its own
_by_pattern: dict[str, Declaration] = {}


def declare(
    target: Any,
    *,
    examples: Any = None,
    contracts: Mapping[str, Any] | None = None,
    surrogate: str | None = None,
    surrogate_of: Callable[..., Any] | None = None,
) -> None:
    """Declare examples, contracts or a surrogate of `target`, which `check` then uses.

    target  a Function, a callable or a module, or a text such as `package.*STE` that the full name
            of one matches, in which * is anything. What is declared of a target itself comes
            before that of a pattern, and what is declared again replaces what was
    examples  the inputs of forward, a list of such tuples, or a function that returns either

    The others are those of `check`. Raises SettingError where nothing is declared.
    """
    if examples is None and not contracts and surrogate is None and surrogate_of is None:
        raise error_of(SettingError, "error.nothing_declared")
    made = examples if examples is None or callable(examples) else lambda: examples
    new = Declaration(made, dict(contracts or {}), surrogate, surrogate_of)
    if isinstance(target, str):
        _by_pattern[target] = new.over(_by_pattern.get(target, Declaration()))
    else:
        _, before = _by_target.get(id(target), (target, Declaration()))
        _by_target[id(target)] = (target, new.over(before))


def declared(target: Any) -> Declaration:
    """Everything that is declared about `target`: in its class, by patterns, and of itself."""
    found = _in_the_class(target)
    for pattern, declaration in _by_pattern.items():
        if matches(pattern, target):
            found = declaration.over(found)
    _, own = _by_target.get(id(target), (target, Declaration()))
    return own.over(found)


def _in_the_class(target: Any) -> Declaration:
    """The attributes of a class or callable that are called as the fields of a Declaration."""
    examples = getattr(target, "examples", None)
    contracts = getattr(target, "contracts", None)
    surrogate = getattr(target, "surrogate", None)
    of = getattr(target, "surrogate_of", None)
    return Declaration(
        examples=examples if callable(examples) else None,
        contracts=contracts if isinstance(contracts, Mapping) else {},
        surrogate=surrogate if isinstance(surrogate, str) else None,
        surrogate_of=of if callable(of) else None,
    )


def matches(pattern: str, target: Any) -> bool:
    """Whether the name of `target`, or its name with those of its modules, matches `pattern`."""
    name = getattr(target, "__qualname__", None) or type(target).__qualname__
    module = getattr(target, "__module__", None) or ""
    names = (name, name.rpartition(".")[2], f"{module}.{name}")
    return any(fnmatch.fnmatchcase(one, pattern) for one in names)


def parse_surrogate(text: str) -> tuple[str, str]:
    """The pattern and the reason of a text such as `package.*STE=straight-through`.

    Without a reason it is "declared from outside". Raises SettingError for an empty pattern.
    """
    pattern, _, why = text.partition("=")
    if not pattern.strip():
        raise error_of(SettingError, "error.surrogate_form", got=text)
    return pattern.strip(), why.strip() or say(Message("surrogate.declared"))


def load_declarations(path: str | Path) -> None:
    """Run a file of Python that calls `derivable.declare`.

    Raises SettingError if there is no such file, and TargetError if its code fails.
    """
    file = Path(path)
    if not file.is_file():
        raise error_of(SettingError, "error.no_declarations", path=path)
    try:
        runpy.run_path(str(file))
    except Exception as error:  # the user's code
        raise TargetError(
            f"{path}: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        ) from error


def forget() -> None:
    """Remove every declaration made by `declare`."""
    _by_target.clear()
    _by_pattern.clear()
