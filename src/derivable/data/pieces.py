"""A file in pieces of whole lines, or of rows, each of which can be read by itself.

The pieces of a file depend on its size alone, so that whoever reads them, the same rows are found
in the same order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from derivable.core_messages import reason_of
from derivable.data.messages import say
from derivable.data.opening import in_meaning, read_lines, read_sheet_of, rows_of_parquet
from derivable.data.options import SheetOptions
from derivable.data.sheet import Sheet
from derivable.data.source import Source
from derivable.errors import DataError, WholeFileError

PIECES = 32
HEAD = 1 << 20  # bytes in which the names of the columns are found
CHUNK_BYTES, CHUNK_ROWS = 1 << 26, 1_000_000  # that are read at once
SAMPLE_BYTES, SAMPLE_ROWS = 1 << 18, 2_000  # from the beginning of each piece


class Pieces(ABC):
    """The pieces of one file."""

    name: str  # of the file
    stem: str  # of the table

    @abstractmethod
    def count(self, piece: int) -> int:
        """The lines or rows of a piece, which are counted without being read."""

    @abstractmethod
    def sheets(self, piece: int, before: int) -> Iterator[Sheet]:
        """A piece in parts, above which lie `before` lines or rows of all pieces together."""

    @abstractmethod
    def sample(self, before: Sequence[int]) -> Sheet:
        """Rows from all over the file; `before` (PIECES,) is that of each piece."""


def pieces_of(path: Path, options: SheetOptions) -> Pieces:
    """The pieces of a file. Raises DataError for one that can only be read as a whole."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise DataError(say("unreadable", path=path, reason=reason_of(error))) from None
    if head.startswith(b"PAR1"):
        return _Rows(path, options)
    if options.sheet is not None or options.total == "drop" or options.no_header:
        raise WholeFileError(say("whole_options", name=path.name))
    packed = (b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\xff\xfe", b"\xfe\xff")
    if head.startswith(packed) or b"\r" in head.replace(b"\r\n", b""):
        raise WholeFileError(say("whole_form", name=path.name))
    return _Lines(path, head, options)


class _Lines(Pieces):
    """Those of a text, which begin and end with a line."""

    def __init__(self, path: Path, head: bytes, options: SheetOptions) -> None:
        self._path, self.name = path, path.name
        size = path.stat().st_size
        whole = head if len(head) == size else head[: head.rfind(b"\n") + 1]
        first = read_sheet_of(Source(self.name, whole), replace(options, total="keep"))
        self.stem, self._first = first.stem, first
        self._options = replace(
            options, separator=first.separator, header=None, no_header=True, units="keep"
        )
        self._above = int(first.lines[0]) - 1  # the lines above the first row
        start = 0
        for _ in range(self._above):
            start = head.index(b"\n", start) + 1
        found = [start + (size - start) * k // PIECES for k in range(1, PIECES)]
        self._starts = [start, *map(self._next_line, found), size]

    def _next_line(self, at: int) -> int:
        """The end of the line that holds the byte before a place."""
        with self._path.open("rb") as file:
            file.seek(at - 1)
            return at - 1 + len(file.readline())

    def count(self, piece: int) -> int:
        """The lines of a piece. Raises DataError where a cell of several lines may be cut."""
        lines = 0
        for content in self._contents(piece):
            lines += content.count(b"\n")
            if content.count(b'"') % 2:
                raise WholeFileError(say("whole_quotes", name=self.name))
        return lines

    def sheets(self, piece: int, before: int) -> Iterator[Sheet]:
        """A piece in parts."""
        for content in self._contents(piece):
            yield self._read(content, self._above + before)
            before += content.count(b"\n")

    def sample(self, before: Sequence[int]) -> Sheet:
        """Rows from all over the file."""
        parts = []
        for k, (start, end) in enumerate(pairwise(self._starts)):
            content = self._content(start, min(end, start + SAMPLE_BYTES), end)
            if content:
                parts.append(self._read(content, self._above + before[k]).head(SAMPLE_ROWS))
        return _joined(self._first, parts)

    def _contents(self, piece: int) -> Iterator[bytes]:
        start, end = self._starts[piece : piece + 2]
        while start < end:
            content = self._content(start, min(end, start + CHUNK_BYTES), end)
            start += len(content)
            yield content

    def _content(self, start: int, stop: int, end: int) -> bytes:
        """The bytes from one place to the end of the line that holds another."""
        with self._path.open("rb") as file:
            file.seek(start)
            content = file.read(stop - start)
            return content if stop == end else content + file.readline()

    def _read(self, content: bytes, above: int) -> Sheet:
        """Some lines below others."""
        found = read_lines(Source(self.name, content), above, self._options)
        names = self._first.columns
        if found.frame.width != len(names):
            raise WholeFileError(say("whole_width", name=self.name))
        found.frame.columns = names
        below: dict[str, Any] = {"findings": (), "notes": (), "_cells": {}}
        below |= {name: getattr(found, name) for name in ("frame", "lines", "remarks")}
        return replace(self._first, **below)


@dataclass(frozen=True)
class _Rows(Pieces):
    """Those of a Parquet file, of which only the columns' own pages are read."""

    path: Path
    options: SheetOptions

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name of the file."""
        return self.path.name

    @property
    def stem(self) -> str:  # type: ignore[override]
        """The name of the table."""
        return Source(self.name, b"").stem

    @property
    def rows(self) -> int:
        """All of them, which the file states."""
        return int(rows_of_parquet(self.path, pl.len()).item())

    def count(self, piece: int) -> int:
        """The rows of a piece."""
        rows = self.rows
        return rows * (piece + 1) // PIECES - rows * piece // PIECES

    def sheets(self, piece: int, before: int) -> Iterator[Sheet]:
        """A piece in parts."""
        rows = self.count(piece)
        for first in range(0, rows, CHUNK_ROWS):
            yield self._read(before + first, min(CHUNK_ROWS, rows - first))

    def sample(self, before: Sequence[int]) -> Sheet:
        """Rows from all over the file."""
        parts = [
            self._read(start, min(SAMPLE_ROWS, self.count(k))) for k, start in enumerate(before)
        ]
        return _joined(parts[0], [part for part in parts if len(part.frame)])

    def _read(self, first: int, rows: int) -> Sheet:
        frame = rows_of_parquet(self.path, pl.all(), first, rows)
        lines = pl.Series(range(first + 1, first + rows + 1), dtype=pl.Int64)
        opening = say("parquet", name=self.name)
        sheet = Sheet(self.name, self.stem, frame, lines, unit="row", opening=opening)
        return in_meaning(sheet, self.options)


def _joined(first: Sheet, parts: Sequence[Sheet]) -> Sheet:
    """The rows of several sheets in one."""
    if not parts:
        raise DataError(say("no_rows", name=first.name))
    return replace(
        first,
        frame=pl.concat([part.frame for part in parts]),
        lines=pl.concat([part.lines.cast(pl.Int64) for part in parts]),
        remarks=frozenset().union(*(part.remarks for part in parts)),
        notes=(),
        _cells={},
    )
