"""Source locations: the file and line of a class or a call, and whether it is the user's own."""

from __future__ import annotations

import functools
import inspect
import linecache
import re
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, NamedTuple

import torch
from torch._library.custom_ops import OPDEFS

from derivable.examiner.render.show import short

CAPTURE, EXAMINER = str(Path(__file__).parent), str(Path(__file__).parents[1])
DERIVABLE = str(Path(__file__).parents[2])
TORCH = str(Path(torch.__file__).parent)
INSTALLED = tuple(
    {sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
)


class Location(NamedTuple):
    """A line of code."""

    path: str
    line: int  # counted from 1

    def __str__(self) -> str:
        return f"{short(self.path)}:{self.line}"


def is_below(file: str, *folders: str) -> bool:
    """Whether a file is in one of the folders, or part of Python itself."""
    return file.startswith("<frozen") or file.startswith(folders)


def is_the_users(target: Any) -> bool:
    """Whether it is defined outside of what is installed, of PyTorch and of derivable."""
    return not is_below(location_of(target).path, DERIVABLE, *INSTALLED)


def location_of(target: Any) -> Location:
    """The location of a class, operator or function; line 1 of `?` if it is unknown."""
    code = next(_codes(target), None)
    if code is None:
        return _by_inspection(target)
    name = getattr(target, "__name__", "")
    if isinstance(target, type):
        statement = re.compile(rf"\s*class\s+{re.escape(name)}\b")
        for line in range(code.co_firstlineno, 0, -1):
            if statement.match(linecache.getline(code.co_filename, line)):
                return Location(code.co_filename, line)
    return Location(code.co_filename, code.co_firstlineno)


def _codes(target: Any) -> Iterator[CodeType]:
    """The code that belongs to the target, the first line first."""
    if isinstance(target, torch._ops.OpOverload):
        definition = OPDEFS.get(target.name())
        target = getattr(definition, "_backward_fn", None)
    rules = vars(target).values() if isinstance(target, type) else [target]
    functions = [inspect.unwrap(getattr(rule, "__func__", rule)) for rule in rules]
    codes = [f.__code__ for f in functions if isinstance(f, FunctionType)]
    own = [code for code in codes if not code.co_filename.startswith(EXAMINER)]
    if isinstance(target, type):  # not `apply`, which derivable adds
        own = [code for code in own if not is_below(code.co_filename, DERIVABLE)] or own
    yield from sorted(own, key=lambda code: code.co_firstlineno)


def _by_inspection(target: Any) -> Location:
    try:
        return Location(inspect.getsourcefile(target) or "?", inspect.getsourcelines(target)[1])
    except (OSError, TypeError):
        module = sys.modules.get(getattr(target, "__module__", None) or "")
        return Location(getattr(module, "__file__", None) or "?", 1)


def failing_line(error: BaseException) -> Location | None:
    """The innermost line of the user's own code in a traceback, or that of a syntax error."""
    if isinstance(error, SyntaxError) and error.filename:
        return Location(error.filename, error.lineno or 1)
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith("<") and not _is_library_code(f.filename)]
    return Location(own[-1].filename, own[-1].lineno or 1) if own else None


def error_text(error: BaseException) -> str:
    """An error in one line: `NameError: name 'y' is not defined`."""
    try:
        words = " ".join(str(error).split())
    except Exception:  # of a class of the user's own
        words = ""
    if isinstance(error, SyntaxError):
        words = f"{error.msg}: {(error.text or '').strip()}"
    return f"{type(error).__name__}{': ' if words else ''}{words}"


def error_line(error: BaseException) -> str:
    """One line for an error in the user's code: `cube.py:14: NameError: ...`."""
    location = failing_line(error)
    return f"{location}: {error_text(error)}" if location else error_text(error)


@functools.cache
def _is_library_code(filename: str) -> bool:
    """Whether a line of a traceback belongs to Python, a package or derivable, not to the user."""
    folders = {DERIVABLE, *sysconfig.get_paths().values()}
    return any(Path(filename).is_relative_to(folder) for folder in folders)
