"""Packages of the extras: which extra installs one, and the error where one is missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from derivable.core_messages import say
from derivable.errors import MissingExtraError
from derivable.messages import Message, joined

# The packages of each extra, with their modules; as in pyproject.toml.
EXTRAS: dict[str, dict[str, str]] = {
    "descent": {
        "filelock": "filelock",
        "numba": "numba",
        "safetensors": "safetensors",
        "scipy": "scipy",
        "threadpoolctl": "threadpoolctl",
    },
    "tables": {
        "joblib": "joblib",
        "polars": "polars",
        "python-calamine": "python_calamine",
        "scikit-learn": "sklearn",
    },
    "lab": {"matplotlib": "matplotlib", "tomli-w": "tomli_w"},
    "onnx": {"onnx": "onnx"},
    "jax": {"jax": "jax"},
}
INCLUDED = {"lab": ("descent", "tables")}  # the extras that an extra brings with it

_HOME = {
    module: (package, extra)
    for extra, packages in EXTRAS.items()
    for package, module in packages.items()
}


def is_installed(module: str) -> bool:
    """Whether there is a module; it is not imported for that."""
    return importlib.util.find_spec(module) is not None


def require(who: str, *modules: str) -> None:
    """Raise MissingExtraError, which names all that are missing and the extras that bring them."""
    missing = [module for module in modules if not is_installed(module)]
    if missing:
        raise MissingExtraError(_missing(who, missing))


@contextmanager
def needed(who: str, instead: str = "") -> Iterator[None]:
    """Inside, importing a package of an extra that is not installed raises MissingExtraError.

    `who` is a name or the key of a message; `instead` is the key of what can be done without it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module not in _HOME or is_installed(module):  # or it is broken
            raise
        text = _missing(who, [module])
        if instead:
            text = say("or_instead", text=text, instead=say(instead))
        raise MissingExtraError(text) from None


def install(modules: Iterable[str]) -> str:
    """The command that installs the extras of these modules."""
    extras = {_HOME[module][1] for module in modules}
    included = {other for extra in extras for other in INCLUDED.get(extra, ())}
    return f"pip install 'derivable[{','.join(sorted(extras - included))}]'"


def _missing(who: str, missing: list[str]) -> Message:
    *most, last = [_HOME[module][0] for module in missing]
    names = joined([", ".join(most), last], say("and")) if most else last
    gaps = {"who": say(who) if who in say else who, "command": install(missing)}
    return say("needs", n=len(missing), names=names, **gaps)
