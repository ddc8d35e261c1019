"""`Sheet`: a file as named columns, each row with its line number, before anything is a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import polars as pl

from derivable.data.cells import MISSING, Cells
from derivable.data.forms import bare
from derivable.data.kinds import Form
from derivable.data.layout import Finding
from derivable.data.messages import say
from derivable.data.problems import count, ignore, shown
from derivable.errors import DataError
from derivable.messages import SEMICOLON, Message, joined


@dataclass(frozen=True)
class Sheet:
    """The columns of a file, by name; text as it stands there, Parquet with its types."""

    name: str
    stem: str  # the name of the table
    frame: pl.DataFrame
    lines: pl.Series  # the number of each row in the file
    unit: str = "line"  # what `lines` counts; a row in Parquet and in workbooks
    separator: str = ""  # empty for Parquet and workbooks
    spreadsheet: bool = False  # whether its encoding is one that spreadsheets write and expect
    decimal: str | None = None  # the decimal mark, where the user stated it
    dates: str | None = None  # the order of day and month, where the user stated it
    missing: frozenset[str] = MISSING  # spellings of a missing value, in lower case
    added: frozenset[str] = frozenset()  # those of them that the user added
    missing_in: Mapping[str, frozenset[str]] = field(default_factory=dict)  # of one column
    opening: str = ""  # the file's kind and encoding
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()  # what the reader should know
    unnamed: frozenset[str] = frozenset()  # columns without a name, which are called "column 3"
    twins: Mapping[str, str] = field(default_factory=dict)  # columns by a name that others have
    remarks: frozenset[int] = frozenset()  # lines of one cell below the table
    optional: bool = True  # whether a column may be left out
    of_rows: int = 0  # of the file, where the rows are a sample of them
    forms: Mapping[str, Form] = field(default_factory=dict)  # what stands around numbers
    _cells: dict[tuple[str, Form | None], Cells] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self.frame.columns

    @cached_property
    def known(self) -> frozenset[str]:
        """The same as a set."""
        return frozenset(self.columns)

    @property
    def detected(self) -> Message:
        """What was found out about the file, in words."""
        gaps = {
            "rows": count(self.of_rows or len(self.frame), "row"),
            "columns": count(self.frame.width, "column"),
        }
        size = say("size", opening=self.opening, **gaps)
        return joined([size, *(one.stated for one in self.findings)], SEMICOLON)

    def cells(self, column: str) -> Cells:
        """The cells of a column, sorted into numbers of one format or another, text, missing."""
        if (column, None) not in self._cells:
            self._sort()
        form = self.forms.get(column)
        if form is not None and (column, form) not in self._cells:
            self._cells[column, form] = bare(form, self._cells[column, None], self.missing)
        return self._cells[column, form]

    def _sort(self) -> None:
        """Sort the cells of all columns."""
        columns = self.frame.get_columns()
        text = [c for c in columns if c.dtype == pl.String and c.name not in self.missing_in]
        numbers = [c for c in columns if c.dtype.is_numeric()]
        sorted_cells = [*Cells.of_text(text, self.missing), *Cells.of_numbers(numbers)]
        for column, cells in zip([*text, *numbers], sorted_cells, strict=True):
            self._cells[column.name, None] = cells
        for column in columns:
            if (column.name, None) not in self._cells:
                missing = self.missing | self.missing_in.get(column.name, frozenset())
                try:
                    self._cells[column.name, None] = Cells.of(column, missing)
                except TypeError as error:
                    gaps = {"column": column.name, "type": error}
                    raise DataError(say("type", name=self.name, **gaps)) from None

    def place(self, row: int, column: str) -> Message:
        """Where a cell is, as the reader finds it: houses.csv, line 17, column 'price'."""
        gaps = {"unit": say(self.unit), "line": self.lines[row], "column": column}
        return say("place", name=self.name, **gaps)

    def quoted(self, row: int, column: str) -> str:
        """The text of a cell, as a sentence quotes it."""
        return f"'{shown(self.cells(column).text[row])}'"

    def or_without(self, column: str) -> str:
        """The way out that ends a message about a column, where there is this one."""
        return say("or_without", ignore=ignore(column)) if self.optional else ""

    def keep(self, rows: pl.Series) -> Sheet:
        """The sheet with those rows only where `rows` is true."""
        if rows.all():
            return self
        return replace(
            self, frame=self.frame.filter(rows), lines=self.lines.filter(rows), _cells={}
        )

    def tail(self, rows: int) -> Sheet:
        """The sheet with its last rows only."""
        return replace(self, frame=self.frame.tail(rows), lines=self.lines.tail(rows), _cells={})

    def head(self, rows: int) -> Sheet:
        """The sheet with its first rows only."""
        return replace(self, frame=self.frame.head(rows), lines=self.lines.head(rows), _cells={})

    def written_as(self, forms: Mapping[str, Form]) -> Sheet:
        """The sheet whose columns have these signs around their numbers."""
        return replace(self, forms={**self.forms, **forms}) if forms else self

    def with_missing(self, words: Mapping[str, frozenset[str]]) -> Sheet:
        """The sheet with further spellings of a missing value in these columns."""
        new = {c: more for c, more in words.items() if more - self.missing_in.get(c, frozenset())}
        if not new:
            return self
        both = {c: more | self.missing_in.get(c, frozenset()) for c, more in new.items()}
        kept = {key: cells for key, cells in self._cells.items() if key[0] not in new}
        return replace(self, missing_in={**self.missing_in, **both}, _cells=kept)
