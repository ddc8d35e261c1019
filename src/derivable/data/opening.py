"""`read_sheet`: from a file to a `Sheet`, in steps: bytes, text, lines of cells, names, rows."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import polars as pl

from derivable.data import layout
from derivable.data.cells import BLANKS
from derivable.data.dialect import decode, find_separator, named_separator, of_spreadsheet
from derivable.data.layout import Commented, Finding, NoNames, Preamble
from derivable.data.messages import say
from derivable.data.options import SheetOptions
from derivable.data.problems import ProblemError, count
from derivable.data.records import Records, read_text
from derivable.data.sheet import Sheet
from derivable.data.source import Source, read_source
from derivable.data.totals import find_total
from derivable.data.workbook import read_workbook
from derivable.errors import DataError, SettingError
from derivable.messages import joined


def read_sheet(path: str | Path, *, optional: bool = True, **options: Any) -> Sheet:
    """A file as columns of cells. The options are those of `SheetOptions`.

    `optional` says whether a column may be left out, which then is advised where one cannot be
    read. Raises DataError for what cannot be read, with file and line.
    """
    chosen = checked_options(SheetOptions(**options))
    return read_sheet_of(read_source(path, chosen.sheet), chosen, optional=optional)


def read_sheet_of(source: Source, chosen: SheetOptions, *, optional: bool = True) -> Sheet:
    """The same of the content of a file, by options that are checked."""
    if source.content.startswith(b"PAR1"):
        sheet = _read_parquet(source)
    elif source.is_workbook:
        grid, name = read_workbook(source)
        named = replace(source, name=say("sheet_of", name=source.name, sheet=name))
        sheet = replace(_laid_out(named, _Lines(grid, say("workbook")), chosen), stem=source.stem)
    else:
        sheet = _read_text(source, chosen)
    if source.sheet is not None and not source.is_workbook:
        raise SettingError(say("sheet_of_none", name=source.name))
    if not len(sheet.frame):
        raise DataError(say("no_rows", name=source.name))
    return without_total(in_meaning(sheet, chosen, optional=optional), chosen)


def in_meaning(sheet: Sheet, options: SheetOptions, *, optional: bool = True) -> Sheet:
    """The sheet that knows what the options say of its cells."""
    sheet = replace(sheet, decimal=options.decimal, dates=options.dates, optional=optional)
    return _with_missing(sheet, options.na)


def read_lines(source: Source, text: str, above: int, options: SheetOptions) -> Sheet:
    """Lines of cells from the text of a source without names, below so many lines of a file."""
    assert options.separator is not None
    records = read_text(text, options.separator, source.name, above)
    return _laid_out(source, _Lines(records, ""), options)


def checked_options(options: SheetOptions) -> SheetOptions:
    """The options, if each has a meaning."""
    choices = {
        "decimal": (".", ","),
        "units": ("skip", "keep"),
        "total": ("drop", "keep"),
        "dates": ("dmy", "mdy"),
    }
    for name, words in choices.items():
        value = getattr(options, name)
        if value not in (None, *words):
            choice = joined(map(repr, words), say("or"))
            raise SettingError(say("either_of", name=name, words=choice, got=value))
    header = options.header
    if header is not None and (options.no_header or not isinstance(header, Integral) or header < 1):
        raise SettingError(say("header_number", got=options.header))
    separator: Any = options.separator
    separator = {"tab": "\t", "\\t": "\t"}.get(separator, separator)
    if separator is not None and (
        not isinstance(separator, str)
        or len(separator.encode()) != 1
        or separator.isalnum()
        or separator in '".-+\r\n'
    ):
        raise SettingError(say("separator", got=separator))
    return replace(options, separator=separator, na=as_words("na", options.na))


def as_words(name: str, value: Any) -> tuple[str, ...]:
    """An option that is text or several texts, in which numbers are text: columns may be numbers.

    Raises SettingError for anything else.
    """
    is_one = isinstance(value, (str, bytes)) or not isinstance(value, Iterable)
    words = [value] if is_one else list(value)
    key = "spelling_of_none" if name == "na" else "names_of_columns"
    if any(isinstance(word, bool) or not isinstance(word, (str, Real)) for word in words):
        raise SettingError(say(key, name=name, got=value))
    return tuple(map(str, words))


def _read_parquet(source: Source) -> Sheet:
    with _sound_parquet(source.name):
        frame = pl.read_parquet(io.BytesIO(source.content))
    rows = pl.Series(range(1, len(frame) + 1), dtype=pl.Int64)
    opening = say("parquet", name=source.name)
    return Sheet(source.name, source.stem, frame, rows, unit="row", opening=opening)


def rows_of_parquet(
    path: Path, wanted: pl.Expr, first: int = 0, rows: int | None = None
) -> pl.DataFrame:
    """What is wanted of some rows of a file, of which no others are read."""
    with _sound_parquet(path.name):
        return pl.scan_parquet(path).slice(first, rows).select(wanted).collect()


@contextmanager
def _sound_parquet(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a broken file makes polars raise almost anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(say("broken_parquet", name=name, reason=reason)) from None


@dataclass(frozen=True)
class _Lines:
    """The records of a file, with what was found before these."""

    records: Records
    how: str  # in which encoding, with which separator
    separator: str = ""
    top: int | None = None  # the first line that is no record
    hashed: tuple[int, list[str]] | None = None  # a line with a # that may hold the names


def _read_text(source: Source, options: SheetOptions) -> Sheet:
    name = source.name
    text, encoding = decode(source.content, name)
    first_line, _, rest = text.partition("\n")
    skipped, separator, top = 0, options.separator, None
    if first_line.lower().startswith("sep=") and len(first_line) == 5:  # Excel's own header
        separator, text, skipped = separator or first_line[4], rest, 1
    comments: list[tuple[int, str]] = []
    if options.header is not None:
        top = 1 if options.header > skipped + 1 else None
        text, skipped = _from_line(text, options.header, skipped, name)
    elif not options.no_header:
        text, more, comments = layout.without_comments(text)
        comments = [(skipped + number + 1, line) for number, line in comments]
        top = comments[0][0] if comments else None
        skipped += more
        if not text.strip(BLANKS):
            raise DataError(say("only_comments" if comments else "empty", name=name))
    separator = separator or find_separator(text, name)
    hashed = None
    if comments:
        line, comment = comments[-1]
        hashed = line, [cell.strip(BLANKS) for cell in comment.split(separator)]
    how = say("how_text", encoding=encoding, separator=named_separator(separator))
    records = read_text(text, separator, name, skipped)
    sheet = _laid_out(source, _Lines(records, how, separator, top, hashed), options)
    return replace(sheet, spreadsheet=of_spreadsheet(source.content, encoding))


def _from_line(text: str, line: int, skipped: int, name: str) -> tuple[str, int]:
    """The text from a line on, whose # is taken away, and how many lines stand before it."""
    lines = text.split("\n", line - skipped - 1) if line > skipped else []
    if len(lines) < line - skipped or not lines or not lines[-1].strip(BLANKS):
        raise DataError(say("no_line_of_names", name=name, unit=say("line"), line=line))
    rest = lines[-1]
    if rest.lstrip(BLANKS).startswith("#"):
        rest = rest.lstrip(BLANKS)[1:]
    return rest, line - 1


def _laid_out(source: Source, lines: _Lines, options: SheetOptions) -> Sheet:
    """The rows below the names, and what stands around them."""
    records = lines.records
    number = _names_at(lines, options, source.name)
    width = _refuse_ragged(lines, number, source.name)
    frame, rows = records.frame(number + 1, width), records.lines[number + 1 :]
    finding: Finding | None
    if options.no_header:
        names, finding = [f"column {i + 1}" for i in range(width)], NoNames(width)
        frame, rows = records.frame(number, width), records.lines[number:]
    elif (commented := _names_in_comment(lines, number, frame, options, source.name)) is not None:
        names, finding = commented[1], Commented(commented[0])
        frame, rows = records.frame(number, width), records.lines[number:]
    else:
        names, finding = records.record(number), _preamble(lines, number, options)
    sheet = replace(
        _named(source, names, frame, rows, int(records.lines[number])),
        unit=records.unit,
        separator=lines.separator,
        opening=say("opened", name=source.name, how=lines.how),
        findings=(finding,) if finding else (),
        remarks=frozenset(
            int(records.lines[i])
            for i, cells in enumerate(records.widths)
            if cells < width and i >= number
        ),
    )
    return sheet if options.no_header else _without_units(sheet, options)


def _names_at(lines: _Lines, options: SheetOptions, name: str) -> int:
    """Which record holds the names, or is the first where none does."""
    records = lines.records
    if options.no_header:
        return 0
    if options.header is None:
        return layout.find_names(records)
    found = (records.lines == options.header).arg_true()
    if not len(found):
        gaps = {"unit": say(records.unit), "line": options.header}
        raise DataError(say("no_line_of_names", name=name, **gaps))
    return int(found[0])


def _preamble(lines: _Lines, number: int, options: SheetOptions) -> Preamble | None:
    """The lines before the names, if there are any with something in them."""
    records = lines.records
    top = lines.top or (int(records.lines[0]) if number else None)
    if top is None:
        return None
    last = int(records.lines[number]) - 1
    return Preamble(records.unit, top, last, options.header is not None)


def _names_in_comment(
    lines: _Lines, number: int, frame: pl.DataFrame, options: SheetOptions, name: str
) -> tuple[int, list[str]] | None:
    """The names in a line that begins with #, where what follows is data; asks if unsure."""
    if options.header is not None or not len(frame):
        return None
    record = [cell.strip(BLANKS) for cell in lines.records.record(number)]
    like = layout.looks_like_data(record, frame)
    hashed = lines.hashed
    fits = hashed is not None and len(hashed[1]) == len(record) > 1 and like is not False
    if hashed is not None and fits and lines.top == hashed[0]:
        return hashed
    line = int(lines.records.lines[number])
    if hashed is not None and fits:
        text = say("names_in_comment", name=name, comment=hashed[0], line=line)
        raise ProblemError(text, header=hashed[0])
    if like:
        place = say("line_of", name=name, unit=say(lines.records.unit), line=line)
        raise layout.ask_for_names(place, record, line)
    return None


def _refuse_ragged(lines: _Lines, number: int, name: str) -> int:
    """All records below the names must be as wide; a word alone may stand below the table."""
    records, widths = lines.records, lines.records.widths
    width, last = widths[number], len(widths)
    while width > 1 and last > number + 1 and widths[last - 1] == 1:
        if layout.is_number(records.record(last - 1)[0]):
            break
        last -= 1
    odd = next((i for i in range(number, last) if widths[i] != width), None)
    if odd is not None:
        gaps = {"line": records.lines[odd], "names_line": records.lines[number]}
        gaps |= {"here": count(widths[odd], "cell"), "names": count(width, "cell")}
        separator = named_separator(lines.separator)
        raise DataError(say("ragged", name=name, separator=separator, **gaps))
    return width


def _named(
    source: Source, record: Sequence[str], frame: pl.DataFrame, lines: pl.Series, line: int
) -> Sheet:
    """The sheet whose columns have the names of a record; each name is made to stand once."""
    names = [" ".join((cell or "").strip(BLANKS).split()) for cell in record]
    unnamed = {f"column {number + 1}" for number, column in enumerate(names) if not column}
    names = [column or f"column {number + 1}" for number, column in enumerate(names)]
    met: dict[str, int] = {}
    twins: dict[str, str] = {}
    taken = set(names)
    unique = []
    for column in names:
        met[column] = met.get(column, 0) + 1
        own = column
        if met[column] > 1:
            number = met[column]
            while (own := f"{column} ({number})") in taken:
                number += 1
            taken.add(own)
            twins |= {column: column, own: column}
        unique.append(own)
    frame.columns = unique
    if len(frame):
        gone = [column for column in unnamed if _is_blank(frame[column]).all()]  # a last ";"
        frame = frame.drop(gone)
    empty: pl.Series | None = None
    for series in frame.get_columns():
        here = _is_blank(series)
        empty = here if empty is None else empty & here
        if not empty.any():  # as soon as each row has a value
            break
    sheet = Sheet(source.name, source.stem, frame, lines, unnamed=frozenset(unnamed), twins=twins)
    if empty is None or not empty.any():
        return sheet
    return replace(sheet.keep(~empty), notes=(say("blank_rows", n=int(empty.sum())),))


def _is_blank(column: pl.Series) -> pl.Series:
    if column.dtype != pl.String:
        return column.is_null()
    return column.fill_null("").str.strip_chars(BLANKS) == ""


def _without_units(sheet: Sheet, options: SheetOptions) -> Sheet:
    """The sheet without the row of units below the names, if it has one or an option says so."""
    if options.units == "keep" or len(sheet.frame) < 2:
        return sheet
    first = sheet.frame.row(0)
    if options.units is None:
        if any(
            cell is not None and (not isinstance(cell, str) or layout.is_number(cell))
            for cell in first
        ):
            return sheet
        words = layout.find_units([sheet.cells(column) for column in sheet.columns])
        if not words:
            return sheet
    else:
        words = tuple(str(cell).strip(BLANKS) for cell in first if str(cell or "").strip(BLANKS))
    place = say("unit_place", unit=say(sheet.unit), line=sheet.lines[0])
    found = layout.Units(place, words)
    frame, lines = sheet.frame.slice(1), sheet.lines.slice(1)
    return replace(sheet, frame=frame, lines=lines, findings=(*sheet.findings, found), _cells={})


def _with_missing(sheet: Sheet, na: Sequence[str]) -> Sheet:
    """The sheet that knows the user's spellings of a missing value: TEXT, or COLUMN=TEXT."""
    words: dict[str, frozenset[str]] = {}
    added = set()
    for word in na:
        column, equals, text = word.rpartition("=")
        if equals and column.strip() in sheet.known:
            column = column.strip()
            words[column] = words.get(column, frozenset()) | {text.strip().lower()}
        else:
            added.add(word.strip().lower())
    if added:
        more = frozenset(added)
        sheet = replace(sheet, missing=sheet.missing | more, added=more, _cells={})
    return sheet.with_missing(words)


def without_total(sheet: Sheet, options: SheetOptions) -> Sheet:
    """The sheet without totals and remarks, once the user confirmed it."""
    if options.total == "keep":
        return sheet
    found = find_total(sheet)
    if found is None:
        return sheet
    if options.total is None:
        text = say("question_total", name=sheet.name, question=found.question)
        raise ProblemError(text, total="drop")
    rows = pl.Series(range(len(sheet.frame)), dtype=pl.Int64).is_in(list(found.rows))
    return replace(sheet.keep(~rows), findings=(*sheet.findings, found))
