"""Run Python as where some packages are not installed: python tests/without.py MODULES CODE WORDS.

MODULES are separated by commas. Neither these modules nor their distributions are found.
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from packaging.utils import canonicalize_name

PACKAGE = {"sklearn": "scikit-learn"}  # where its name is not that of the module


class Without:
    """A finder of modules that does not find those of some names."""

    def __init__(self, finder: Any, modules: Iterable[str]) -> None:
        self.finder, self.modules = finder, set(modules)
        self.packages = {canonicalize_name(PACKAGE.get(name, name)) for name in modules}

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        if name.partition(".")[0] in self.modules:
            return None
        return self.finder.find_spec(name, path, target)

    def find_distributions(self, context: Any = None) -> Iterable[importlib.metadata.Distribution]:
        for found in self.finder.find_distributions(context):
            if canonicalize_name(found.metadata["Name"]) not in self.packages:
                yield found


if __name__ == "__main__":
    absent, code, *words = sys.argv[1:]
    sys.argv[1:] = words
    sys.meta_path[:] = [
        Without(finder, absent.split(",")) if hasattr(finder, "find_distributions") else finder
        for finder in sys.meta_path
    ]
    exec(compile(code, "code", "exec"), {"__name__": "__main__"})
