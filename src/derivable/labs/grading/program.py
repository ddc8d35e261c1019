"""A copy as statements that are run one after the other, each on its own."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from derivable.errors import DataError, TargetError
from derivable.examiner.capture.sources import Piece, cells, resumed
from derivable.labs.grading.copies import is_notebook
from derivable.labs.grading.limits import LARGEST
from derivable.labs.grading.words import EMPTY, TOO_LARGE

_CHANGING = (ast.Expr, ast.For, ast.While, ast.With)


@dataclass(frozen=True)
class Block:
    """What fails as a whole: a cell of a notebook, or one statement of a script.

    cell        its number among the cells with code, counted from 1; 0 in a script
    filename    as in tracebacks
    statements  in their order; none where the syntax is wrong from the first line on
    error       why the rest cannot be parsed
    """

    cell: int
    filename: str
    statements: tuple[ast.stmt, ...]
    error: SyntaxError | None = None


def blocks_of(path: Path) -> list[Block]:
    """The cells of a notebook, or the statements of a script.

    Raises DataError if the file is neither, or larger than 64 MB; its text states which.
    """
    if path.stat().st_size > LARGEST:
        raise DataError(TOO_LARGE.to(name=path.name, size=LARGEST >> 20))
    notebook = is_notebook(path)
    try:
        pieces = cells(path) if notebook else resumed(path)
    except TargetError as error:
        raise DataError(str(error)) from None
    except (Exception, RecursionError, MemoryError) as error:  # whatever is in the file
        raise DataError(f"{path.name}: {' '.join(str(error).split())[:300]}") from None
    found = list(_cells(pieces) if notebook else _statements(pieces))
    if not found:
        raise DataError(EMPTY.to(name=path.name))
    return found


def idle(blocks: Sequence[Block], answers: Collection[str]) -> set[tuple[int, int]]:
    """Statements after the last one that mentions an answer, which can change none.

    Definitions, imports and assignments are never among them: an answer may use what they define.
    Calls of `check` mention answers, and change none. Where nothing mentions an answer, such as
    under other names, nothing is left out, so that errors are reported.
    """
    found: set[tuple[int, int]] = set()
    for number in reversed(range(len(blocks))):
        for place, statement in reversed(list(enumerate(blocks[number].statements))):
            if isinstance(statement, _CHANGING):
                found.add((number, place))
                names = () if _is_check(statement) else _names_in(statement)
                if any(name in answers for name in names):
                    found.discard((number, place))
                    return found
            elif any(name in answers for name in _names_in(statement)):
                return found
    return set()


def _names_in(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def _is_check(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    called = call.func if isinstance(call, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr == "check"


def place_in(filename: str, line: int) -> tuple[int, int]:
    """The cell, 0 in a script, and the line that a traceback names."""
    _, _, number = filename.rpartition(" cell ")
    return (int(number) if number.isdecimal() else 0), line


def _cells(pieces: list[Piece]) -> Iterator[Block]:
    for piece in pieces:
        cell, _ = place_in(piece.filename, 0)
        yield Block(cell, piece.filename, piece.statements, piece.error)


def _statements(pieces: list[Piece]) -> Iterator[Block]:
    for piece in pieces:
        for statement in piece.statements:
            yield Block(0, piece.filename, (statement,))
        if piece.error is not None:
            yield Block(0, piece.filename, (), piece.error)
