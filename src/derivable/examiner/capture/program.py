"""Runs a user's program statement by statement, and records where it stopped."""

from __future__ import annotations
import __future__

import ast
import contextlib
import functools
import operator
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType, SimpleNamespace
from typing import Any

import torch

from derivable.examiner.capture.locations import error_text, failing_line
from derivable.examiner.capture.recording import LongLoopError, Recording
from derivable.examiner.capture.sources import Piece
from derivable.examiner.capture.surroundings import TimeUpError, time_limit
from derivable.examiner.message import Message
from derivable.examiner.messages import say

DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Import, ast.ImportFrom)
_FUTURE = functools.reduce(
    operator.or_, (getattr(__future__, n).compiler_flag for n in __future__.all_feature_names)
)
DEFINING = 5.0  # seconds for the definitions after the line that ended a program


class MissingModuleError(ModuleNotFoundError):
    """A name of a module that is not installed is used."""


@dataclass
class Program:
    """A script, a notebook or a module to be run.

    name     as it is written in messages
    pieces   a script is one; a notebook has one for each cell
    module   where the names go; its `__name__` states whether it is run as the main program
    cells    whether these are cells, of which one that fails does not end the others
    """

    name: str
    pieces: Sequence[Piece]
    module: ModuleType
    cells: bool = False
    notes: list[Message] = field(default_factory=list)
    failed: bool = False  # whether a line failed
    dtype: torch.dtype = torch.float32  # PyTorch's default dtype at the end


class Compiler:
    """Compiles statements of one program; a `from __future__ import` holds for those below it."""

    def __init__(self) -> None:
        self._flags = 0

    def __call__(self, statement: ast.stmt, module: ast.Module, filename: str) -> CodeType:
        """The code of a module that is made of this statement."""
        code: CodeType = compile(module, filename, "exec", self._flags, dont_inherit=True)
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            self._flags |= code.co_flags & _FUTURE
        return code


def is_definition(statement: ast.stmt | None) -> bool:
    """Whether a statement is run even after an earlier one has failed."""
    return isinstance(statement, DEFINITIONS)


def new_module(name: str, path: str, spec: ModuleSpec | None = None) -> ModuleType:
    """An empty module in which a program runs; `spec` of one that is run by its dotted name."""
    module = ModuleType(name)
    names = vars(module)
    names.update(__file__=path, __builtins__=__builtins__, __spec__=spec)
    if spec is not None:
        names["__package__"] = spec.parent
    return module


def in_a_notebook(module: ModuleType) -> None:
    """Define names that exist in notebooks only: `display` and `get_ipython`."""
    vars(module).setdefault("display", print)
    offers_ipython(module)


def offers_ipython(module: ModuleType) -> None:
    """Define `get_ipython` for a script made of a notebook; its object does nothing."""

    class Nothing(SimpleNamespace):
        def __getattr__(self, name: str) -> Any:
            return lambda *args, **kwargs: None

    vars(module).setdefault("get_ipython", Nothing)


def run(program: Program, seconds: float, recording: Recording) -> None:
    """Run a program for at most `seconds`; `program.notes` state what did not run.

    A gradcheck that fails does not end it, because the target is examined anyway. A module that is
    not installed raises where it is used. After another error, the remaining definitions and
    imports of a script are run, and the other cells of a notebook.
    """
    running = _Running(program, recording)
    try:
        with time_limit(seconds):
            ended = running.run()
    except TimeUpError as error:
        ended = True
        running.note("run.timeout", error, seconds=f"{seconds:g}")
    except LongLoopError as error:
        ended = True
        running.note("run.long_loop", error)
    program.dtype = torch.get_default_dtype()
    if ended:
        try:
            with time_limit(DEFINING):
                running.define_the_rest()
        except (TimeUpError, LongLoopError):
            return


class _Running:
    """The state of a running program."""

    def __init__(self, program: Program, recording: Recording) -> None:
        self.program, self.recording = program, recording
        self.names = vars(program.module)
        self.rest = self._all()
        self.compiler = Compiler()

    def _all(self) -> Iterator[tuple[Piece, ast.stmt | None]]:
        for piece in self.program.pieces:
            for statement in piece.statements:
                yield piece, statement
            if piece.error is not None:
                yield piece, None

    def run(self) -> bool:
        """Run every statement; True if one ended the program before its end."""
        skipped: Piece | None = None  # the rest of a cell that failed
        for piece, statement in self.rest:
            if piece is skipped:
                continue
            failures = self.recording.failed_checks
            try:
                self._run(piece, statement)
            except (KeyboardInterrupt, TimeUpError, LongLoopError):
                raise
            except SystemExit as error:
                if error.code not in (None, 0):
                    self.note("run.exit", error, code=error.code)
                if not self.program.cells:
                    return True
                skipped = piece
            except BaseException as error:
                if self._continues(statement, error, self.recording.failed_checks > failures):
                    continue
                self.program.failed = True
                self._note_failure(error)
                if not self.program.cells:
                    return True
                skipped = piece
        return False

    def define_the_rest(self) -> None:
        """Run the remaining definitions and imports; errors of these are ignored."""
        for piece, statement in self.rest:
            if is_definition(statement):
                try:
                    self._run(piece, statement)
                except (KeyboardInterrupt, TimeUpError, LongLoopError):
                    raise
                except BaseException as error:
                    self._bind_missing(statement, error)

    def note(self, key: str, error: BaseException, **gaps: object) -> None:
        """Record the line at which the program was, and the error."""
        location = failing_line(error)
        where = str(location) if location else self.program.name
        fields = {"name": self.program.name, "location": where, "error": error_text(error)}
        self.program.notes.append(Message(key, {**fields, **gaps}))

    def _run(self, piece: Piece, statement: ast.stmt | None) -> None:
        if statement is None:
            assert piece.error is not None
            raise piece.error
        code = self.compiler(statement, ast.Module([statement], []), piece.filename)
        exec(code, self.names)

    def _continues(
        self, statement: ast.stmt | None, error: BaseException, check_failed: bool
    ) -> bool:
        """Whether the program goes on after an error, as if the statement were not there."""
        if check_failed and isinstance(error, AssertionError):
            self.note("run.gradcheck", error)
            return True
        if self._bind_missing(statement, error):
            self.note("run.missing", error, module=getattr(error, "name", None) or "?")
            return True
        return False

    def _bind_missing(self, statement: ast.stmt | None, error: BaseException) -> bool:
        """Bind the names of a failed import to objects that raise when they are used."""
        if not (
            isinstance(statement, ast.Import | ast.ImportFrom) and isinstance(error, ImportError)
        ):
            return False
        missing = _Missing(getattr(error, "name", None) or "?")
        for alias in statement.names:
            name = alias.asname or alias.name.partition(".")[0]
            if name != "*" and (alias.asname or name not in self.names):
                self.names[name] = missing
        return True

    def _note_failure(self, error: BaseException) -> None:
        """Record the failing line; one that uses a missing module replaces that of its import."""
        if isinstance(error, MissingModuleError):
            stated = [n for n in self.program.notes if n.fields.get("module") == error.name]
            for note in stated:
                self.program.notes.remove(note)
        self.note("run.failed_cell" if self.program.cells else "run.failed", error)


class _Missing:
    """A substitute for a module that is not installed and for its names; any use raises."""

    def __init__(self, name: str) -> None:
        vars(self)["_name"] = name

    def _raise(self) -> Any:
        name = vars(self)["_name"]
        text = say(Message("error.module_not_installed", {"module": name}))
        raise MissingModuleError(text, name=name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # such as what inspect asks for
        return self._raise()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._raise()

    def __mro_entries__(self, bases: Any) -> Any:
        return self._raise()


@contextlib.contextmanager
def as_main(module: ModuleType) -> Iterator[None]:
    """Inside, the module is what `sys.modules` knows by its name, `__main__` if it is that."""
    name = module.__name__
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        yield
    finally:
        if before is None:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = before
