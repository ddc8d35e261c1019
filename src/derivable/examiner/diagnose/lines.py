"""The line of the user's code behind a finding: the line that raised, or the return that ran."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
import textwrap
import warnings
from collections.abc import Sequence
from types import CodeType, FrameType, TracebackType
from typing import Any

import torch

from derivable.examiner.checks.calls import cotangent
from derivable.examiner.checks.orders import cast
from derivable.examiner.checks.values import Examined
from derivable.examiner.finding import Source
from derivable.examiner.points import Kind, Point
from derivable.examiner.targets.target import FunctionSubject, Inputs


def line_at(
    examined: Examined, inputs: Inputs, point: Point, of_forward: int | None = None
) -> Source | None:
    """The line that raises in backward at these inputs, or else the return that runs there.

    With `of_forward`, the line of forward that changes this input in place.

    None for a target whose backward is not called by hand, or was written where no file is.
    """
    rule = rule_of(examined)
    if rule is None:
        return None
    if point.kind is Kind.DTYPE:
        inputs = cast(inputs, getattr(torch, point.fields["dtype"]))
    if of_forward is not None:
        return _changing(examined, inputs, of_forward)
    trace = _Trace(rule.__code__)
    try:
        with warnings.catch_warnings(), trace:
            warnings.simplefilter("ignore")
            run = examined.run(inputs)
            examined.pull(run, inputs, cotangent(run))
    except Exception as error:  # whatever the user's code raises
        raised = _deepest(error.__traceback__, rule.__code__.co_filename)
        return _source(rule.__code__.co_filename, raised, ast.stmt) if raised else None
    return _source(rule.__code__.co_filename, trace.line or _last_return(rule), ast.Return)


def line_of(examined: Examined, name: str) -> Source | None:
    """The last return of another rule of the target, such as its jvp; None if there is none."""
    rule = inspect.unwrap(getattr(examined.subject.target, name, None) or line_of)
    if rule is line_of or not hasattr(rule, "__code__"):
        return None
    path, first = rule.__code__.co_filename, rule.__code__.co_firstlineno
    return _source(path, _last_return(rule) or first, ast.Return)


def rule_of(examined: Examined) -> Any:
    """The function in which the user's backward is written; None if there is none."""
    subject: Any = examined.subject
    if not isinstance(subject, FunctionSubject):
        return None
    slope = subject.target.__dict__.get("slope")
    rule = slope.__func__ if isinstance(slope, staticmethod) else inspect.unwrap(subject.backward)
    return rule if hasattr(rule, "__code__") else None


class _Trace:
    """Inside, the line at which a function returned last is written down.

    A tracer that was there before, such as a debugger's, is put back afterwards.
    """

    def __init__(self, code: CodeType) -> None:
        self.code, self.line = code, 0
        self.before: Any = None

    def __enter__(self) -> None:
        self.before = sys.gettrace()
        sys.settrace(self._called)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)

    def _called(self, frame: FrameType, event: str, arg: Any) -> Any:
        return self._inside if frame.f_code is self.code else None

    def _inside(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "return":
            self.line = frame.f_lineno
        return self._inside


class _Watch:
    """Inside, the first line of a function after which its input has changed is written down."""

    def __init__(self, code: CodeType, argument: int) -> None:
        self.code, self.argument, self.line = code, argument, 0
        self.before: Any = None

    def __enter__(self) -> None:
        self.before = sys.gettrace()
        sys.settrace(self._called)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)

    def _called(self, frame: FrameType, event: str, arg: Any) -> Any:
        if frame.f_code is not self.code:
            return None
        name = self.code.co_varnames[self.argument]
        tensor, last = frame.f_locals.get(name), frame.f_lineno

        def inside(frame: FrameType, event: str, arg: Any) -> Any:
            nonlocal last
            changed = isinstance(tensor, torch.Tensor) and tensor._version > 0
            self.line = self.line or (last if changed else 0)
            last = frame.f_lineno
            return inside

        return inside


def _changing(examined: Examined, inputs: Inputs, argument: int) -> Source | None:
    """The line of forward that changes an input in place."""
    subject: Any = examined.subject
    rule = inspect.unwrap(subject.forward)
    if not hasattr(rule, "__code__"):
        return None
    watch = _Watch(rule.__code__, argument + (not subject.split))  # the first is ctx
    with warnings.catch_warnings(), watch:
        warnings.simplefilter("ignore")
        examined.run(inputs)
    return _source(rule.__code__.co_filename, watch.line, ast.stmt)


def _deepest(traceback: TracebackType | None, path: str) -> int:
    """The deepest line of a traceback that lies in this file; 0 if none does."""
    line = 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == path:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _last_return(rule: Any) -> int:
    """The line of the last `return` in the source of a function; 0 if there is no source."""
    try:
        lines, start = inspect.getsourcelines(rule)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return 0
    found = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Return)]
    return start + max(found) - 1 if found else 0


def _source(path: str, line: int, kind: type[ast.AST]) -> Source | None:
    """A line of a file, from where the innermost statement of this kind begins that holds it."""
    text = linecache.getlines(path)
    if not 0 < line <= len(text):
        return None
    first = _beginning(text, line, kind)
    return Source(path, first, text[first - 1].strip())


def _beginning(text: Sequence[str], line: int, kind: type[ast.AST]) -> int:
    try:
        tree = ast.parse("".join(text))
    except SyntaxError:  # such as a cell with magic commands
        return line
    around = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, kind)
        and isinstance(node, ast.stmt)
        and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return max(around, default=line)
