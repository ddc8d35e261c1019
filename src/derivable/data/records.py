"""`Records`: a file as lines of cells, before it is known which of them holds the names.

polars reads Parquet, and text without quotation marks. Text with quotation marks goes through
Python's `csv` in its strict mode, which says in which line a quotation goes wrong and counts
lines inside of cells.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Protocol

import polars as pl

from derivable.data.messages import say
from derivable.errors import DataError


class Records(Protocol):
    """Lines of cells, and the number of each in the file."""

    unit: str  # what `lines` counts: line, row
    lines: pl.Series
    widths: list[int]

    def record(self, number: int) -> list[str]:
        """The cells of one."""

    def frame(self, first: int, width: int) -> pl.DataFrame:
        """Those from `first` on, as `width` columns; a shorter one is filled up."""


class Unquoted:
    """Text without quotation marks; lines of nothing are left out."""

    unit = "line"

    def __init__(self, text: str, separator: str, skipped: int) -> None:
        lines = pl.DataFrame({"text": text.split("\n")}).with_row_index("line", offset=skipped + 1)
        lines = lines.filter(pl.col("text").str.strip_chars(" ") != "")
        self.separator, self.text, self.lines = separator, lines["text"], lines["line"]
        self.widths = (self.text.str.count_matches(separator, literal=True) + 1).to_list()

    def record(self, number: int) -> list[str]:
        """The cells of one."""
        return str(self.text[number]).split(self.separator)

    def frame(self, first: int, width: int) -> pl.DataFrame:
        """Those from `first` on."""
        rows = self.text[first:].to_list()
        if min(self.widths[first:], default=width) < width:
            for i, w in enumerate(self.widths[first:]):
                rows[i] += self.separator * (width - w)
        if not rows:
            return pl.DataFrame({f"column_{i + 1}": [] for i in range(width)}, strict=False)
        return pl.read_csv(
            io.BytesIO("\n".join(rows).encode()),
            has_header=False,
            infer_schema=False,
            quote_char=None,
            separator=self.separator,
        )


class Listed:
    """Records that are lists of cells already."""

    def __init__(self, records: Sequence[list[str]], lines: Sequence[int], unit: str) -> None:
        self.unit, self.records = unit, records
        self.lines = pl.Series(lines, dtype=pl.UInt32)
        self.widths = [len(record) for record in records]

    def record(self, number: int) -> list[str]:
        """The cells of one."""
        return list(self.records[number])

    def frame(self, first: int, width: int) -> pl.DataFrame:
        """Those from `first` on."""
        rows = [row + [""] * (width - len(row)) for row in self.records[first:]]
        columns = zip(*rows, strict=True) if rows else [()] * width
        return pl.DataFrame(
            {
                f"column_{i + 1}": pl.Series(cells, dtype=pl.String)
                for i, cells in enumerate(columns)
            }
        )


def read_text(text: str, separator: str, name: str, skipped: int) -> Records:
    """The records of a text, below `skipped` lines of the file."""
    found: Records = (
        _quoted(text, separator, name, skipped)
        if '"' in text
        else Unquoted(text, separator, skipped)
    )
    if not found.widths:
        raise DataError(say("empty", name=name))
    return found


def _quoted(text: str, separator: str, name: str, skipped: int) -> Listed:
    """Text with quotation marks; a record begins in the line that it is counted by."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True
    )
    records, lines, start = [], [], skipped + 1
    try:
        for record in reader:
            if any(record) or len(record) > 1:
                records.append(record)
                lines.append(start)
            start = reader.line_num + skipped + 1
    except csv.Error as error:
        if "field limit" in str(error):
            most = csv.field_size_limit()
            raise DataError(say("long_cell", name=name, line=start, most=most)) from None
        raise DataError(say("quotation", name=name, line=start, error=error)) from None
    return Listed(records, lines, "line")
