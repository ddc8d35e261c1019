"""`Sheet`: a file as columns of text, each row with its line number, before anything is a number.

polars reads: Parquet, and text without quotation marks. Text with quotation marks goes through
Python's `csv` in its strict mode, which says in which line a quotation goes wrong and counts
lines inside of cells.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from derivable.data.cells import BLANKS, MISSING, Cells
from derivable.data.checks import count
from derivable.data.dialect import SEPARATORS, decode, find_separator
from derivable.errors import DataError, SettingError


@dataclass(frozen=True)
class Sheet:
    """The columns of a file, by name; text as it stands there, Parquet with its types."""

    name: str
    frame: pl.DataFrame
    lines: pl.Series  # the number of each row in the file
    unit: str = "line"  # what `lines` counts; a row in Parquet
    separator: str = ""  # empty for Parquet
    decimal: str | None = None  # the decimal mark, where the user said it
    missing: frozenset[str] = MISSING  # spellings of a missing value, in lower case
    detected: str = ""
    notes: tuple[str, ...] = ()  # what the reader should know
    unnamed: frozenset[str] = frozenset()  # columns without a name, which are called "column 3"
    optional: bool = True  # whether a column may be left out
    _cells: dict[str, Cells] = field(default_factory=dict, repr=False, compare=False)

    def cells(self, column: str) -> Cells:
        """The cells of a column, sorted into numbers of one format or another, text, missing."""
        if column not in self._cells:
            try:
                self._cells[column] = Cells.of(self.frame[column], self.missing)
            except TypeError as error:
                raise DataError(f"{self.name}, column '{column}': {error}") from None
        return self._cells[column]

    def place(self, row: int, column: str) -> str:
        """Where a cell is, as the reader finds it: houses.csv, line 17, column 'price'."""
        return f"{self.name}, {self.unit} {self.lines[row]}, column '{column}'"

    def or_without(self, column: str) -> str:
        """The way out that ends a sentence about a column, where there is this one."""
        return f", or leave it out with --ignore '{column}'" if self.optional else ""

    def keep(self, rows: pl.Series) -> Sheet:
        """The sheet with those rows only where `rows` is true."""
        return replace(
            self, frame=self.frame.filter(rows), lines=self.lines.filter(rows), _cells={}
        )


def read_sheet(
    path: str | Path,
    *,
    decimal: str | None = None,
    separator: str | None = None,
    na: Iterable[str] = (),
    optional: bool = True,
) -> Sheet:
    """Read CSV, TSV and their like, also compressed by gzip, or Parquet.

    `decimal` is "." or ",", `separator` one character; each is found where it is not given. `na`
    are spellings of a missing value besides the usual ones (`MISSING`). `optional` says whether a
    column may be left out, which then is advised where one cannot be read.

    Raises DataError for what cannot be read, with file and line.
    """
    if decimal not in (None, ".", ","):
        raise SettingError(f"decimal must be '.' or ',', got {decimal!r}")
    separator = {"tab": "\t", "\\t": "\t", None: None}.get(separator, separator)
    if separator is not None and (
        len(separator.encode()) != 1 or separator.isalnum() or separator in '".-+\r\n'
    ):
        raise SettingError(
            f"the separator must be one character such as ',', ';' or tab, got {separator!r}"
        )
    name, content = _content(path)
    missing = MISSING | {word.strip().lower() for word in na}
    if content.startswith(b"PAR1"):
        sheet = _read_parquet(name, content)
    else:
        sheet = _read_text(name, content, separator)
    if not len(sheet.frame):
        raise DataError(f"{name} has names of columns and no rows of numbers below them")
    return replace(sheet, decimal=decimal, missing=missing, optional=optional)


def _content(path: str | Path) -> tuple[str, bytes]:
    """The name and the bytes of a file, decompressed."""
    if "://" in str(path):
        raise DataError(
            f"{path} is an address; derivable reads files and leaves the network alone: download "
            "the table and give the file"
        )
    path = Path(path).expanduser()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    if content.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path.name} is broken: {error}; fetch or compress it again") from None
    if not content.strip(b"\xef\xbb\xbf \t\r\n"):
        raise DataError(f"{path.name} is empty")
    return path.name, content


def _read_parquet(name: str, content: bytes) -> Sheet:
    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except Exception as error:  # a broken file makes polars raise almost anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"{name} is a broken Parquet file: {reason}") from None
    rows = pl.Series(range(1, len(frame) + 1), dtype=pl.Int64)
    return Sheet(name, frame, rows, unit="row", detected=f"{name}: Parquet, {_size(frame)}")


def _read_text(name: str, content: bytes, separator: str | None) -> Sheet:
    text, encoding = decode(content, name)
    first_line, _, rest = text.partition("\n")
    skipped = 0
    if first_line.lower().startswith("sep=") and len(first_line) == 5:  # Excel's own header
        separator, text, skipped = separator or first_line[4], rest, 1
    separator = separator or find_separator(text, name)
    read = _quoted if '"' in text else _unquoted
    frame, lines = read(text, separator, name, skipped)
    names = _names(frame.row(0), name, lines[0])
    unnamed = {f"column {number + 1}" for number, column in enumerate(names) if not column}
    frame.columns = [column or f"column {number + 1}" for number, column in enumerate(names)]
    frame, lines = frame.slice(1), lines.slice(1)
    blank = frame.select(pl.all().fill_null("").str.strip_chars(BLANKS) == "")
    frame = frame.drop(column for column in unnamed if blank[column].all())  # a last ";"
    empty = blank.select(pl.all_horizontal(pl.all())).to_series()
    said = SEPARATORS.get(separator, repr(separator))
    detected = f"{name}: {encoding}, cells separated by {said}, {_size(frame.filter(~empty))}"
    notes = (
        (f"{count(int(empty.sum()), 'row')} without any value left out.",) if empty.any() else ()
    )
    sheet = Sheet(
        name,
        frame,
        lines,
        separator=separator,
        detected=detected,
        notes=notes,
        unnamed=frozenset(unnamed),
    )
    return sheet.keep(~empty)


def _size(frame: pl.DataFrame) -> str:
    return f"{count(len(frame), 'row')} of {count(frame.width, 'column')}"


def _unquoted(text: str, separator: str, name: str, skipped: int) -> tuple[pl.DataFrame, pl.Series]:
    """Cells of text without quotation marks, and the line of each record."""
    lines = pl.DataFrame({"text": text.split("\n")}).with_row_index("line", offset=skipped + 1)
    lines = lines.filter(pl.col("text").str.strip_chars(" ") != "")
    if not len(lines):
        raise DataError(f"{name} is empty")
    widths = lines["text"].str.count_matches(separator, literal=True) + 1
    _refuse_ragged(widths, lines["line"], separator, name)
    frame = pl.read_csv(
        io.BytesIO("\n".join(lines["text"]).encode()),
        has_header=False,
        infer_schema=False,
        quote_char=None,
        separator=separator,
    )
    return frame, lines["line"]


def _quoted(text: str, separator: str, name: str, skipped: int) -> tuple[pl.DataFrame, pl.Series]:
    """Cells of text with quotation marks, and the line in which each record begins."""
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
        raise DataError(
            f"{name}, line {start}: the quotation marks do not match ({error}); a quotation mark "
            "inside of a quoted cell is written twice"
        ) from None
    if not records:
        raise DataError(f"{name} is empty")
    numbers = pl.Series(lines, dtype=pl.UInt32)
    _refuse_ragged(pl.Series([len(record) for record in records]), numbers, separator, name)
    columns = zip(*records, strict=True)
    names = (f"column_{i + 1}" for i in range(len(records[0])))
    frame = pl.DataFrame(
        {
            column: pl.Series(cells, dtype=pl.String)
            for column, cells in zip(names, columns, strict=True)
        }
    )
    return frame, numbers


def _refuse_ragged(widths: pl.Series, lines: pl.Series, separator: str, name: str) -> None:
    """All records must have as many cells as there are names."""
    odd = (widths != widths[0]).arg_true()
    if len(odd):
        here, names = count(widths[odd[0]], "cell"), count(widths[0], "cell")
        raise DataError(
            f"{name}, line {lines[odd[0]]} has {here} where line {lines[0]}, with the names of the "
            f"columns, has {names}, separated by {SEPARATORS.get(separator, repr(separator))}; "
            "correct the line, or name another character with --separator"
        )


def _names(record: Sequence[str | None], name: str, line: int) -> list[str]:
    """The names of the columns, without blanks around them; each must be there once."""
    names = [" ".join((cell or "").strip(BLANKS).split()) for cell in record]
    for number, column in enumerate(names):
        if column and column in names[:number]:
            raise DataError(
                f"{name}, line {line}: the name '{column}' stands over columns "
                f"{names.index(column) + 1} and {number + 1}; name each column differently"
            )
    return names
