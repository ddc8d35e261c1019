"""The line of the user's code for a finding: the line that raised, or the return that ran."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
import warnings
from collections.abc import Mapping
from types import CodeType, FrameType, TracebackType
from typing import Any

import torch

from derivable.examiner.checks.calls import random_grad_output
from derivable.examiner.checks.dtypes import cast
from derivable.examiner.checks.values import ExaminedTarget
from derivable.examiner.finding import Source
from derivable.examiner.points import Kind, Point
from derivable.examiner.targets.target import FunctionAdapter, Inputs


def line_at(examined: ExaminedTarget, inputs: Inputs, point: Point) -> Source | None:
    """The line that raises in backward at these inputs, or else the return that runs there.

    None for a target whose backward is not called by hand, or was written where no file is.
    """
    rule = rule_of(examined)
    if rule is None:
        return None
    if point.kind is Kind.DTYPE:
        inputs = cast(inputs, getattr(torch, point.fields["dtype"]))
    path = rule.__code__.co_filename
    returns = _statements(path, ast.Return)
    trace = _Trace(rule.__code__, returns)
    try:
        with warnings.catch_warnings(), trace:
            warnings.simplefilter("ignore")
            run = examined.run(inputs)
            examined.vjp(run, inputs, random_grad_output(run))
    except Exception as error:  # whatever the user's code raises
        return _source(path, _deepest(error.__traceback__, path))
    return _source(path, trace.line or _last_return(rule, returns))


def rule_of(examined: ExaminedTarget) -> Any:
    """The function in which the user's backward is written; None if there is none."""
    rule = inspect.unwrap(examined.adapter.rule) if examined.adapter.rule is not None else None
    return rule if hasattr(rule, "__code__") else None


def return_of(examined: ExaminedTarget, name: str) -> Source | None:
    """The last return of another rule than backward, such as jvp; None for backward itself."""
    adapter: Any = examined.adapter
    if name == "backward" or not isinstance(adapter, FunctionAdapter):
        return None
    rule = inspect.unwrap(getattr(adapter.target, name))
    if not hasattr(rule, "__code__"):
        return None
    path = rule.__code__.co_filename
    return _source(path, _last_return(rule, _statements(path, ast.Return)))


class _Trace:
    """Inside, the last line of one function that is part of a `return`: no line of a `finally`.

    A tracer that was there before, such as a debugger's, is put back afterwards.
    """

    def __init__(self, code: CodeType, returns: Mapping[int, int]) -> None:
        self.code, self.returns, self.line = code, returns, 0
        self.before: Any = None

    def __enter__(self) -> None:
        self.before = sys.gettrace()
        sys.settrace(self._called)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)

    def _called(self, frame: FrameType, event: str, arg: Any) -> Any:
        return self._inside if frame.f_code is self.code else None

    def _inside(self, frame: FrameType, event: str, arg: Any) -> Any:
        if frame.f_lineno in self.returns:
            self.line = frame.f_lineno
        return self._inside


def _deepest(traceback: TracebackType | None, path: str) -> int:
    """The deepest line of a traceback that lies in this file; 0 if none does."""
    line = 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == path:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _last_return(rule: Any, returns: Mapping[int, int]) -> int:
    """The line of the last `return` of a function; 0 if there is no source."""
    try:
        lines, start = inspect.getsourcelines(rule)
    except (OSError, TypeError):
        return 0
    return max((n for n in returns if start <= n < start + len(lines)), default=0)


def _source(path: str, line: int) -> Source | None:
    """A line of a file, from where the innermost statement begins that holds it."""
    text = linecache.getlines(path)
    if not 0 < line <= len(text):
        return None
    first = _statements(path, ast.stmt).get(line, line)
    return Source(path, first, text[first - 1].strip())


def _statements(path: str, kind: type[ast.stmt]) -> dict[int, int]:
    """Each line that is part of a statement of a kind, with where the innermost one begins."""
    try:
        tree = ast.parse("".join(linecache.getlines(path)))
    except SyntaxError:  # such as a cell with magic commands
        return {}
    found: dict[int, int] = {}
    for node in ast.walk(tree):  # outer statements come before those inside of them
        if isinstance(node, kind):
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                found[line] = node.lineno
    return found
