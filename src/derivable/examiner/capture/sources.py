"""A user's file as pieces of code that can be run: a script, or the cells of a notebook."""

from __future__ import annotations

import ast
import io
import json
import linecache
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path

from derivable.errors import TargetError
from derivable.examiner.messages import error_of
from derivable.examiner.render.show import short

_MAGIC = re.compile(r"^(\s*)(?:[\w.,\s]+=\s*)?[%!].*$|^(\s*)\??\?[\w.]+\s*$|^(\s*)[\w.]+\?\??\s*$")
_BEGINS = re.compile(r"(?:class|def|import|from|for|if|print)\b|@|[A-Za-z_][\w.]*\s*[=(,]")
MOST_PIECES = 100  # of a script with errors of syntax
_RUNS_ITS_CELL = ("%%time", "%%timeit", "%%capture", "%%prun", "%%python")


@dataclass(frozen=True)
class Piece:
    """A script, or one cell: its statements, or why it cannot be parsed."""

    filename: str  # as in tracebacks; `notebook.ipynb cell 3` for a cell
    statements: tuple[ast.stmt, ...]
    error: SyntaxError | None = None


@dataclass(frozen=True)
class Text:
    """A file's text, and the encoding that was assumed because it declares none."""

    text: str
    assumed: str = ""


def decoded(path: Path) -> Text:
    """The text of a Python file; where it is not what it declares, as cp1252.

    Raises TargetError if the file cannot be read.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TargetError(f"{short(str(path))}: {error.strerror}") from None
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Text(raw.decode("utf-16"), "utf-16")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        return Text(raw.decode(encoding))
    except (SyntaxError, UnicodeDecodeError):
        pass
    try:
        return Text(raw.decode("cp1252"), "cp1252")
    except UnicodeDecodeError:
        return Text(raw.decode("latin-1"), "latin-1")


def script(path: Path) -> tuple[list[Piece], str]:
    """A script as one piece, all statements above an error of its syntax; the assumed encoding."""
    read = decoded(path)
    text = read.text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return [parsed(text, str(path))], read.assumed


def cells(path: Path) -> list[Piece]:
    """The code cells of a notebook, without the lines that only IPython understands.

    Raises TargetError if the file is no notebook.
    """
    texts = enumerate(cell_texts(path), 1)
    return [parsed(_python(t), f"{path} cell {i}") for i, t in texts if t.strip()]


def cell_texts(path: Path) -> list[str]:
    """The texts of the code cells of a notebook, also of empty ones.

    Raises TargetError if the file is no notebook.
    """
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
        found = document.get("cells")
        if found is None:  # a notebook of format 3
            found = [cell for sheet in document["worksheets"] for cell in sheet["cells"]]
        code = [c.get("source", c.get("input", "")) for c in found if c["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise error_of(TargetError, "error.no_notebook", path=short(str(path))) from None
    return ["".join(source) if isinstance(source, list) else str(source) for source in code]


def _python(cell: str) -> str:
    """A cell without IPython's own lines, each replaced so that lines keep their numbers."""
    first = cell.lstrip().split(None, 1)[0]
    if first.startswith("%%"):
        if first not in _RUNS_ITS_CELL:
            return "\n"
        cell = cell.replace(cell.lstrip().split("\n", 1)[0], "", 1)
    try:
        ast.parse(cell)
    except SyntaxError:
        lines = [_MAGIC.sub(r"\1\2\3pass", line) for line in cell.split("\n")]
        return "\n".join(lines)
    return cell


def resumed(path: Path) -> list[Piece]:
    """A script as pieces: after an error of syntax, the next one begins at the next statement.

    A statement begins at the margin, where a class, a function, an import or an assignment does.
    Raises TargetError if the file cannot be read.
    """
    (whole,), _ = script(path)
    if whole.error is None:
        return [whole]
    lines = linecache.getlines(str(path))
    pieces = [whole]
    begin = 0
    while pieces[-1].error is not None and len(pieces) < MOST_PIECES:
        after = max(pieces[-1].error.lineno or 1, begin + 1)
        starts = (i for i in range(after, len(lines)) if _BEGINS.match(lines[i]))
        begin = next(starts, len(lines))
        if begin == len(lines):
            break
        pieces.append(parsed("\n" * begin + "".join(lines[begin:]), str(path)))
    linecache.cache[str(path)] = (sum(map(len, lines)), None, lines, str(path))
    return pieces


def parsed(text: str, filename: str) -> Piece:
    """The statements; where the syntax is wrong, those above the wrong one, and the error."""
    lines = text.splitlines(keepends=True)
    linecache.cache[filename] = (len(text), None, lines, filename)
    try:
        return Piece(filename, tuple(ast.parse(text, filename).body))
    except SyntaxError as caught:
        error = caught
    for end in range(min(error.lineno or 0, len(lines)), 0, -1):
        if lines[end - 1][:1].isspace() or lines[end - 1].startswith(("#", ")", "]", "}")):
            continue  # a statement begins at the margin
        try:
            above = ast.parse("".join(lines[: end - 1]), filename)
        except SyntaxError:
            continue
        return Piece(filename, tuple(above.body), error)
    return Piece(filename, (), error)
