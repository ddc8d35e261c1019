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
from derivable.data.date_spellings import is_short
from derivable.data.kinds import (
    CYCLES,
    Classes,
    Date,
    Number,
    Reading,
    Text,
    Truth,
)
from derivable.data.messages import say
from derivable.data.problems import ProblemError, count, ignore, some
from derivable.data.sheet import Sheet
from derivable.messages import joined

Array = npt.NDArray[np.float64]


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
    raise NotImplementedError(reading)


def _refuse_cell(sheet: Sheet, name: str, row: int, wrong: str) -> None:
    place, cell = sheet.place(row, name), sheet.quoted(row, name)
    raise ProblemError(say("cell_is", place=place, cell=cell, wrong=wrong))


@refuse.register
def _(reading: Number, sheet: Sheet, name: str) -> None:
    row = sheet.cells(name).first("other")
    if row is None:
        return
    sign = reading.form.sign if reading.form is not None else ""
    wrong = say("not_with_sign", sign=sign) if sign else say("not_a_number")
    _refuse_cell(sheet, name, row, wrong)


@read.register
def _(reading: Number, sheet: Sheet, name: str, mark: str) -> Array:
    return numbers.values(sheet, name, mark)[:, None]


@stated.register
def _(reading: Number, sheet: Sheet, name: str) -> str:
    form = reading.form
    if form is None:
        return ""
    how = [say("without_sign", sign=form.sign)] if form.sign else []
    if form.brackets:
        how.append(say("with_brackets"))
    return say("read_with", name=name, how=joined(how, say("and")))


@refuse.register
def _(reading: Truth, sheet: Sheet, name: str) -> None:
    row = sheet.cells(name).outside(TRUTHS, lower=True)
    if row is not None:
        _refuse_cell(sheet, name, row, say("no_truth"))


@read.register
def _(reading: Truth, sheet: Sheet, name: str, mark: str) -> Array:
    words = sheet.cells(name).text.str.to_lowercase()
    found = words.replace_strict(TRUTHS, return_dtype=pl.Float64).to_numpy()
    return found.astype(np.float64, copy=False)[:, None]


@stated.register
def _(reading: Truth, sheet: Sheet, name: str) -> str:
    words = sorted(sheet.cells(name).text.drop_nulls().str.to_lowercase().unique())
    each = (say("truth_as", word=word, value=TRUTHS[word]) for word in words)
    return say("reads_truth", name=name, meaning=joined(each, say("and")))


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
        _refuse_cell(sheet, name, int(rows[0]), say("unseen", values=some(reading.values)))


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
        return say("unmet", name=name, cells=cells, first=first)
    key = "became_absent" if reading.absent else "became"
    return say(key, name=name, features=count(len(reading.features(name)), "feature"))


@refuse.register
def _(reading: Date, sheet: Sheet, name: str) -> None:
    text = sheet.cells(name).text
    found = dates.moments(text, reading.order, short=reading.short)
    rows = (found.is_null() & text.is_not_null()).arg_true()
    if len(rows):
        row = int(rows[0])
        wrong = dates.wrong_with(text, row, reading.order, short=reading.short)
        key = "correct_or_ignore" if sheet.optional else "correct_cell"
        _refuse_cell(sheet, name, row, say(key, wrong=wrong, ignore=ignore(name)))


@read.register
def _(reading: Date, sheet: Sheet, name: str, mark: str) -> Array:
    moment = dates.moments(sheet.cells(name).text, reading.order, short=reading.short)
    return dates.features_of(moment, reading.parts, reading.origin)


@stated.register
def _(reading: Date, sheet: Sheet, name: str) -> str:
    cyclic = [say(f"part_{part}") for part in reading.parts if part in CYCLES]
    parts = [say(f"part_{part}") for part in reading.parts if part not in CYCLES]
    if cyclic:
        parts.append(say("cyclic", parts=joined(cyclic, say("and"))))
    listed = joined(parts, ", ") if parts else say("no_parts")
    date = dates.describe(sheet.cells(name).text.drop_nulls(), reading.order)
    text = say("is_date", name=name, date=date, parts=listed)
    return joined([text, say("short_years")]) if reading.short else text


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
    classes = count(len(reading.values), "class")
    return say("is_classes", name=name, classes=classes, values=some(reading.values))


def learn_date(sheet: Sheet, name: str, order: str) -> Date:
    """The reading of a column of dates. Raises ProblemError for a day that no calendar has."""
    text = sheet.cells(name).text
    short = bool(is_short(text.drop_nulls().unique()).any())
    moment = dates.moments(text, order, short=short)
    if moment.null_count() > text.null_count():
        refuse(Date(order, short=short), sheet, name)
    first = dates.epoch(moment).min()
    origin = first if isinstance(first, int) else 0
    return Date(order, dates.find_parts(moment, order), origin, short)
