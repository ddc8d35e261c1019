"""Readings at work: the cells of a column as numbers, what is refused, what is stated.

One function of each name for each kind of reading.
"""

from __future__ import annotations

from functools import singledispatch

import numpy as np
import numpy.typing as npt
import polars as pl

from derivable.data import dates, numbers
from derivable.data.cells import BLANKS, TRUTHS
from derivable.data.kinds import (
    CLOCK,
    CYCLES,
    DMY,
    ISO,
    MDY,
    Classes,
    Date,
    Number,
    Reading,
    Text,
    Truth,
)
from derivable.data.problems import ProblemError, count, ignore, some
from derivable.data.sheet import Sheet

Array = npt.NDArray[np.float64]

_SAID = {
    ISO: "date (year, month, day)",
    DMY: "date (day, month, year)",
    MDY: "date (month, day, year)",
    CLOCK: "time of day",
}
_PARTS = {
    "days": "elapsed days",
    "year": "the year",
    "hours": "hours",
    "weekday": "day of the week",
}


@singledispatch
def refuse(reading: Reading, sheet: Sheet, name: str) -> None:
    """Raise ProblemError where a cell of the column cannot be read so."""
    raise NotImplementedError(reading)


@singledispatch
def read(reading: Reading, sheet: Sheet, name: str, mark: str) -> Array:
    """The features of a column, (N, F), NaN where a cell is missing; `mark` is before decimals."""
    raise NotImplementedError(reading)


@singledispatch
def stated(reading: Reading, sheet: Sheet, name: str) -> str:
    """What was recognised in a column, in words; empty where there is nothing to say."""
    return ""


def _refuse_cell(sheet: Sheet, name: str, row: int, expected: str) -> None:
    raise ProblemError(f"{sheet.place(row, name)}: {sheet.quoted(row, name)} {expected}")


@refuse.register
def _(reading: Number, sheet: Sheet, name: str) -> None:
    row = sheet.cells(name).first("other")
    if row is None:
        return
    expected = "is not a number; correct the cell"
    if reading.form is not None and reading.form.sign:
        expected = f"is not a number with '{reading.form.sign}', as the column had; write it so"
    _refuse_cell(sheet, name, row, expected)


@read.register
def _(reading: Number, sheet: Sheet, name: str, mark: str) -> Array:
    return numbers.values(sheet, name, mark)[:, None]


@stated.register
def _(reading: Number, sheet: Sheet, name: str) -> str:
    form = reading.form
    if form is None:
        return ""
    said = [f"without the sign '{form.sign}', its scale unchanged"] if form.sign else []
    if form.brackets:
        said.append("with parentheses as a minus")
    return f"'{name}' is read {' and '.join(said)}"


@refuse.register
def _(reading: Truth, sheet: Sheet, name: str) -> None:
    row = sheet.cells(name).outside(TRUTHS, lower=True)
    if row is not None:
        _refuse_cell(sheet, name, row, "is neither true nor false; correct the cell")


@read.register
def _(reading: Truth, sheet: Sheet, name: str, mark: str) -> Array:
    words = sheet.cells(name).text.str.to_lowercase()
    found = words.replace_strict(TRUTHS, return_dtype=pl.Float64).to_numpy()
    return found.astype(np.float64, copy=False)[:, None]


@stated.register
def _(reading: Truth, sheet: Sheet, name: str) -> str:
    words = sorted(sheet.cells(name).text.drop_nulls().str.to_lowercase().unique())
    meaning = " and ".join(f"{word} as {TRUTHS[word]:g}" for word in words)
    return f"'{name}' reads {meaning}"


def spelled(text: pl.Series) -> pl.Series:
    """Text in lower case, with one blank where there are several."""
    return text.str.to_lowercase().str.replace_all(f"[{BLANKS}]+", " ")


def words_of(reading: Text, sheet: Sheet, name: str) -> pl.Series:
    """The cells of a column of text as they are compared."""
    text = sheet.cells(name).text
    return spelled(text) if reading.merged else text


def _unmet(reading: Text, sheet: Sheet, name: str) -> pl.Series:
    words = words_of(reading, sheet, name)
    return words.is_not_null() & ~words.is_in(list(reading.values))


@refuse.register
def _(reading: Text, sheet: Sheet, name: str) -> None:
    if reading.unseen == "ignore":
        return
    rows = _unmet(reading, sheet, name).arg_true()
    if len(rows):
        expected = f"is none of the values that were met before: {some(reading.values)}; "
        expected += "--unseen ignore reads such a cell as none of these"
        _refuse_cell(sheet, name, int(rows[0]), expected)


@read.register
def _(reading: Text, sheet: Sheet, name: str, mark: str) -> Array:
    words = words_of(reading, sheet, name)
    columns = [(words == value).cast(pl.Float64) for value in reading.values]
    if reading.absent:
        columns = [column.fill_null(0.0) for column in columns]
        columns.append(words.is_null().cast(pl.Float64))
    return np.stack([column.to_numpy().astype(np.float64) for column in columns], 1)


@stated.register
def _(reading: Text, sheet: Sheet, name: str) -> str:
    if reading.unseen == "ignore":
        unmet = _unmet(reading, sheet, name)
        if not unmet.any():
            return ""
        cells, first = count(int(unmet.sum()), "cell"), sheet.quoted(unmet.arg_max() or 0, name)
        return f"'{name}' has {cells} with a value that was not met before ({first}), read as none"
    said = f"'{name}' became {count(len(reading.features(name)), 'feature')}"
    return said + (", one of these for missing cells" if reading.absent else "")


@refuse.register
def _(reading: Date, sheet: Sheet, name: str) -> None:
    text = sheet.cells(name).text
    wrong = (dates.moments(text, reading.order).is_null() & text.is_not_null()).arg_true()
    if len(wrong):
        way = "; correct the cell" + (f", or {ignore(name)} leaves the column out" * sheet.optional)
        _refuse_cell(sheet, name, int(wrong[0]), f"is no {_SAID[reading.order]}{way}")


@read.register
def _(reading: Date, sheet: Sheet, name: str, mark: str) -> Array:
    moment = dates.moments(sheet.cells(name).text, reading.order)
    return dates.features_of(moment, reading.parts, reading.origin)


@stated.register
def _(reading: Date, sheet: Sheet, name: str) -> str:
    cyclic = [_PARTS.get(part, part) for part in reading.parts if part in CYCLES]
    said = [_PARTS[part] for part in reading.parts if part not in CYCLES]
    if cyclic:
        said.append(f"{' and '.join(cyclic)} as sine and cosine")
    parts = ", ".join(said) or "nothing, because it is constant"
    return f"'{name}' is a {_SAID[reading.order]}, read as {parts}"


@refuse.register
def _(reading: Classes, sheet: Sheet, name: str) -> None:
    refuse(reading.of, sheet, name)


@read.register
def _(reading: Classes, sheet: Sheet, name: str, mark: str) -> Array:
    if isinstance(reading.of, Number):
        numbers_of_classes = np.array(list(map(float, reading.values)))
        cells = sheet.cells(name).floats
        places = np.searchsorted(numbers_of_classes, cells).astype(np.float64)
        return np.where(np.isnan(cells), np.nan, places)[:, None]
    found = read(reading.of, sheet, name, mark)
    if isinstance(reading.of, Text):
        return found @ np.arange(len(reading.values), dtype=np.float64)[:, None]
    return found


@stated.register
def _(reading: Classes, sheet: Sheet, name: str) -> str:
    return f"'{name}' is a target of {count(len(reading.values), 'class')}: {some(reading.values)}"


def learn_date(sheet: Sheet, name: str, order: str) -> Date:
    """The reading of a column of dates. Raises ProblemError for a day that no calendar has."""
    refuse(Date(order), sheet, name)
    moment = dates.moments(sheet.cells(name).text, order)
    first = dates.epoch(moment).min()
    origin = first if isinstance(first, int) else 0
    return Date(order, dates.find_parts(moment, order), origin)
