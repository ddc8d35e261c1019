"""A file in pieces of whole lines, or of rows, each of which can be read by itself.

The pieces of a file depend on its size alone, so that whoever reads them, the same rows are found
in the same order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from derivable.core_messages import reason_of
from derivable.data.dialect import decode
from derivable.data.messages import say
from derivable.data.opening import (
    in_meaning,
    read_lines,
    read_sheet_of,
    rows_of_parquet,
    without_total,
)
from derivable.data.options import SheetOptions
from derivable.data.sheet import Sheet
from derivable.data.source import Source
from derivable.errors import DataError, SettingError, WholeFileError
from derivable.partition import part_of

PIECES = 32
HEAD = 1 << 20  # bytes in which the names of the columns are found
CHUNK_BYTES, CHUNK_ROWS = 1 << 26, 1_000_000  # that are read at once
SAMPLE_BYTES, SAMPLE_ROWS = 1 << 18, 2_000  # from the beginning of each piece
WESTERN = "cp1252"  # how `decode` calls an encoding that is not UTF-8


class Pieces(ABC):
    """The pieces of one file."""

    name: str  # of the file
    stem: str  # of the table
    options: SheetOptions

    @abstractmethod
    def count(self, piece: int) -> int:
        """The lines or rows of a piece, which are counted without being read."""

    @abstractmethod
    def sheets(self, piece: int, before: int) -> Iterator[Sheet]:
        """A piece in parts, above which lie `before` lines or rows of all pieces together."""

    @abstractmethod
    def parts_of_sample(self, before: Sequence[int]) -> Iterator[Sheet]:
        """Rows from the beginning of each piece, and the last ones of the file."""

    def sample(self, before: Sequence[int]) -> Sheet:
        """Rows from all over the file; `before` (PIECES + 1,) is that of each piece, and all.

        Asks about rows at the end that seem to be totals, as for a whole file.
        """
        parts, last = [], 0
        for part in self.parts_of_sample(before):
            new = part.keep(part.lines > last)
            if len(new.frame):
                parts.append(new)
                last = int(new.lines[-1])
        return without_total(_joined(self.name, parts), self.options)


def pieces_of(path: Path, options: SheetOptions) -> Pieces:
    """The pieces of a file. Raises DataError for one that can only be read as a whole."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise DataError(say("unreadable", path=path, reason=reason_of(error))) from None
    if head.startswith(b"PAR1"):
        if options.sheet is not None:
            raise SettingError(say("sheet_of_none", name=path.name))
        return _Rows(path, options)
    if not head.strip():
        raise DataError(say("empty", name=path.name))
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
        whole = head if len(head) == size else _cut(head)
        first = read_sheet_of(Source(self.name, whole), replace(options, total="keep"))
        self.stem, self._first, self.options = first.stem, first, options
        self._is_western = decode(whole, self.name)[1] == WESTERN
        self._below = replace(
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
            if content.strip():
                yield self._read(content, self._above + before)
            before += content.count(b"\n")

    def parts_of_sample(self, before: Sequence[int]) -> Iterator[Sheet]:
        """Rows from the beginning of each piece, and the last ones of the file."""
        for k, (start, end) in enumerate(pairwise(self._starts)):
            content = self._content(start, min(end, start + SAMPLE_BYTES), end)
            content = content if start + len(content) == end else _cut(content)
            if content.strip():
                yield self._read(content, self._above + before[k]).head(SAMPLE_ROWS)
        content = self._tail()
        if content.strip():
            above = self._above + before[-1] - content.count(b"\n")
            yield self._read(content, above).tail(SAMPLE_ROWS)

    def _tail(self) -> bytes:
        """The last lines of the last piece, from one that is not inside of quotation marks."""
        start, end = self._starts[-2:]
        if end - start > SAMPLE_BYTES:
            start = self._next_line(end - SAMPLE_BYTES)
        content = self._content(start, end, end)
        while content.count(b'"') % 2:
            content = content.partition(b"\n")[2]
        return content

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
        text, encoding = decode(content, self.name)
        if (encoding == WESTERN) != self._is_western and not content.isascii():
            raise WholeFileError(say("whole_encoding", name=self.name))
        found = read_lines(Source(self.name, content), text, above, self._below)
        names = self._first.columns
        if found.frame.width != len(names):
            raise WholeFileError(say("whole_width", name=self.name))
        found.frame.columns = names
        below: dict[str, Any] = {"notes": (), "_cells": {}}
        below |= {name: getattr(found, name) for name in ("frame", "lines", "remarks")}
        return replace(self._first, **below)


class _Rows(Pieces):
    """Those of a Parquet file, which states the number of its rows."""

    def __init__(self, path: Path, options: SheetOptions) -> None:
        self._path, self.name, self.options = path, path.name, options
        self.stem = Source(self.name, b"").stem
        self._all = int(rows_of_parquet(path, pl.len()).item())

    def count(self, piece: int) -> int:
        """The rows of a piece."""
        return len(part_of(self._all, piece, PIECES))

    def sheets(self, piece: int, before: int) -> Iterator[Sheet]:
        """A piece in parts."""
        rows = self.count(piece)
        for first in range(0, rows, CHUNK_ROWS):
            yield self._read(before + first, min(CHUNK_ROWS, rows - first))

    def parts_of_sample(self, before: Sequence[int]) -> Iterator[Sheet]:
        """Rows from the beginning of each piece, and the last ones of the file."""
        for k, start in enumerate(before[:-1]):
            yield self._read(start, min(SAMPLE_ROWS, self.count(k)))
        last = max(self._all - SAMPLE_ROWS, 0)
        yield self._read(last, self._all - last)

    def _read(self, first: int, rows: int) -> Sheet:
        frame = rows_of_parquet(self._path, pl.all(), first, rows)
        lines = pl.Series(range(first + 1, first + rows + 1), dtype=pl.Int64)
        opening = say("parquet", name=self.name)
        sheet = Sheet(self.name, self.stem, frame, lines, unit="row", opening=opening)
        return in_meaning(sheet, self.options)


def _cut(content: bytes) -> bytes:
    """The content up to the last end of a line that is not inside of quotation marks."""
    end = content.rfind(b"\n") + 1
    while end and content.count(b'"', 0, end) % 2:
        end = content.rfind(b"\n", 0, end - 1) + 1
    return content[:end]


def _joined(name: str, parts: Sequence[Sheet]) -> Sheet:
    """The rows of several sheets in one."""
    if not parts:
        raise DataError(say("no_rows", name=name))
    return replace(
        parts[0],
        frame=pl.concat([part.frame for part in parts]),
        lines=pl.concat([part.lines.cast(pl.Int64) for part in parts]),
        remarks=frozenset().union(*(part.remarks for part in parts)),
        notes=(),
        _cells={},
    )
