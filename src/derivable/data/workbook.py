"""Sheets of Excel's and OpenDocument's workbooks as records; python-calamine reads them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import polars as pl

from derivable.data.cells import MISSING
from derivable.data.messages import say
from derivable.data.problems import did_you_mean, some
from derivable.data.records import Listed
from derivable.data.source import Source
from derivable.errors import DataError
from derivable.extras import needed


class Grid(Listed):
    """The rows of a sheet. Numbers, dates and truth keep their types where a column has one."""

    def __init__(self, rows: Sequence[list[Any]]) -> None:
        filled = [(i, row) for i, row in enumerate(rows, 1) if any(cell != "" for cell in row)]
        self.cells = [row for _, row in filled]
        texts = [[_text(cell) for cell in row] for row in self.cells]
        super().__init__(texts, [i for i, _ in filled], "row")

    def frame(self, first: int, width: int) -> pl.DataFrame:
        """Those from `first` on; a column whose cells are all of one type has this type."""
        frame = super().frame(first, width)
        columns = list(zip(*self.cells[first:], strict=True))
        typed = [_typed(cells) for cells in columns]
        return frame.with_columns(
            series.alias(frame.columns[i]) for i, series in enumerate(typed) if series is not None
        )


def read_workbook(source: Source) -> tuple[Grid, str]:
    """The records of the sheet that is asked for, or of the only one, and its name."""
    with needed(say("workbook_of", name=source.name), "save_as_csv"):
        from python_calamine import CalamineWorkbook
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(source.content))
        asked = source.sheet if source.sheet in book.sheet_names else None
        rows = {
            name: _rows(book, name) if asked in (None, name) else [] for name in book.sheet_names
        }
    except Exception as error:  # a broken file makes calamine raise almost anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(say("broken_workbook", name=source.name, reason=reason)) from None
    full = [name for name, cells in rows.items() if cells]
    if source.sheet is not None and source.sheet not in rows:
        hint = did_you_mean(source.sheet, list(rows))
        raise DataError(say("no_sheet", name=source.name, sheet=source.sheet, hint=hint))
    if source.sheet is None and len(full) > 1:
        raise DataError(say("sheets", name=source.name, count=len(full), names=some(full)))
    name = source.sheet or (full or list(rows) or [""])[0]
    grid = Grid(rows.get(name, []))
    if not grid.widths:
        raise DataError(say("empty_sheet", name=source.name, sheet=name))
    return grid, name


def _rows(book: Any, name: str) -> list[list[Any]]:
    """The cells of a sheet from its first row and column on; none of a sheet without cells."""
    found: list[list[Any]] = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    used = max((i for row in found for i, cell in enumerate(row, 1) if cell != ""), default=0)
    return [row[:used] for row in found] if used else []


def _text(cell: Any) -> str:
    """A cell as CSV would have it, with a decimal point and dates as in ISO 8601."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return str(cell)


def _typed(cells: Sequence[Any]) -> pl.Series | None:
    """The cells of a column that are all numbers, truth or dates; None where they are not."""
    values = [None if isinstance(c, str) and c.strip().lower() in MISSING else c for c in cells]
    types = {type(value) for value in values if value is not None}
    if types and types <= {int, float}:
        return pl.Series(values, dtype=pl.Float64, strict=False)
    if types == {bool}:
        return pl.Series(values, dtype=pl.Boolean)
    return None
