"""Packages whose names are imported when they are first used."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from derivable.extras import needed


def names_of(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package; `homes` says in which of its modules a name is.

    An empty home stands for a module of the package itself. A name that needs a package which is
    not installed raises MissingExtraError.
    """
    listed = sorted(homes)

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = homes[name]
        with needed(name):
            module = importlib.import_module(f"{package}.{home or name}")
        return getattr(module, name) if home else module

    return get, lambda: listed
