"""Dates and times of text as moments, and moments as features.

2024-11-08 is read in one way. 08/11/2024 is 8 November in Paris and August 11 in Boston: the column
decides where a number above 12 stands first or second, else the other columns, else the reader is
asked. `date_spellings.py` brings names of months, AM and PM, and years of two digits to these.
"""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from derivable.data import date_spellings
from derivable.data.cells import Cells
from derivable.data.kinds import CLOCK, CYCLES, DMY, ISO, LINEAR, MDY
from derivable.data.messages import say
from derivable.messages import Message

Array = npt.NDArray[np.float64]

OPEN = "?"  # day and month in either order
YEAR = "year?"  # a year of two digits, first or last
_TIME = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?"
_ZONE = r"\s*(Z|UTC|[+-]\d{2}:?\d{2})?"
_ISO = rf"^(\d{{4}})[-/.](\d{{1,2}})(?:[-/.](\d{{1,2}})(?:(?:T|\s+){_TIME}{_ZONE})?)?$"
_DAY = rf"^(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}})(?:\s+{_TIME})?$"
_YEARS = 1500, 2400
_CLOCK = rf"^{_TIME}$"


def find_order(cells: Cells) -> str | None:
    """How the cells of a column are written.

    "?" where day and month can be exchanged, "year?" where a year of two digits may stand first.
    None where they are no dates.
    """
    text = cells.text.drop_nulls().unique()
    if cells.typed or not len(text) or not text.str.contains("[0-9]").all():
        return None
    if text.str.contains(_DAY).all():
        return _order_of_numbers(text)
    text = date_spellings.clocks(text)
    named = date_spellings.names(text, ISO)["cell"]
    numeric = text.filter(named.is_null())
    if numeric.str.contains(_ISO).all():
        years = _group(named.fill_null(text), _ISO, 1)
        return ISO if years.is_between(*_YEARS).all() else None  # 1001-12 may be a reference
    if len(numeric) == len(text) and text.str.contains(_CLOCK).all():
        return CLOCK
    whole = date_spellings.years(numeric)
    if not whole.str.contains(_DAY).all():
        return None
    return YEAR if _year_may_be_first(numeric) else _order_of_numbers(whole)


def _order_of_numbers(text: pl.Series) -> str | None:
    """The order of day and month in dates of numbers."""
    first, second = (int(_group(text, _DAY, i).max() or 0) for i in (1, 2))  # type: ignore[arg-type]  # of integers
    if first > 12 and second > 12:
        return None
    if first > 12:
        return DMY
    return MDY if second > 12 else OPEN


def _year_may_be_first(text: pl.Series) -> bool:
    """Whether all years have two digits and may stand first, as in 24-03-14.

    They may where each cell is a date in this order, too, and the last number can be no year, or
    the marks are -, as in ISO 8601, or the first number varies less than the last.
    """
    numbers = date_spellings.short_numbers(text)
    if numbers["first"].null_count():  # a year of four digits is last
        return False
    first, month, day = (numbers[name] for name in ("first", "second", "third"))
    if not (month.is_between(1, 12) & day.is_between(1, 31)).all():
        return False
    no_day = not first.is_between(1, 31).all()
    return no_day or bool((numbers["mark"] == "-").any()) or first.n_unique() < day.n_unique()


def moments(text: pl.Series, order: str, *, short: bool = False) -> pl.Series:
    """Each cell as a moment, null where it is missing or no date of this order.

    Years of two digits are read where `short` says so.
    """
    distinct = text.drop_nulls().unique()
    if 2 * len(distinct) > len(text):
        return _moments(text, order, short)
    found = _moments(distinct, order, short)
    return text.replace_strict(distinct, found, default=None, return_dtype=found.dtype)


def _moments(text: pl.Series, order: str, short: bool) -> pl.Series:
    if order == CLOCK:
        if not text.str.contains(_CLOCK).all():
            text = date_spellings.clocks(text)
        hour, minute, second = map(_whole, _groups(text, _CLOCK))
        day = pl.Series(["1970-01-01"]).new_from_index(0, len(text))
        return _moment(day, hour, minute, second)
    pattern = _ISO if order == ISO else _DAY
    if not text.str.contains(pattern).all():
        text = date_spellings.digits(text, order, short=short)
    year, month, number = {ISO: (1, 2, 3), DMY: (3, 2, 1), MDY: (3, 1, 2)}[order]
    groups = [text, *_groups(text, pattern)]
    parts = [_whole(groups[i]) for i in (year, month, number)]
    parts[2] = parts[2].fill_null(1) if order == ISO else parts[2]
    parts[2] = pl.select(pl.when(parts[0].is_not_null()).then(parts[2])).to_series()
    day = pl.select(
        pl.concat_str(
            [part.cast(pl.String).str.zfill(4 - 2 * (i > 0)) for i, part in enumerate(parts)],
            separator="-",
        )
    ).to_series()
    moment = _moment(day, *map(_whole, groups[4:7]))
    if order != ISO:
        return moment
    zone = groups[7]
    sign = zone.str.starts_with("-").fill_null(value=False).cast(pl.Int64) * -2 + 1
    digits = zone.str.replace_all("[^0-9]", "")
    minutes = digits.str.slice(0, 2).cast(pl.Int64, strict=False).fill_null(0) * 60
    minutes += digits.str.slice(2, 2).cast(pl.Int64, strict=False).fill_null(0)
    return moment - (sign * minutes * 60_000_000).cast(pl.Duration("us"))


def _group(text: pl.Series, pattern: str, group: int) -> pl.Series:
    return _whole(text.str.extract(pattern, group))


def _groups(text: pl.Series, pattern: str) -> list[pl.Series]:
    return text.str.extract_groups(pattern).struct.unnest().get_columns()


def _whole(digits: pl.Series) -> pl.Series:
    return digits.cast(pl.Int64, strict=False)


def _moment(day: pl.Series, hour: pl.Series, minute: pl.Series, second: pl.Series) -> pl.Series:
    """A day and a time of it; null where there is no such day or time."""
    start = day.str.to_datetime("%Y-%m-%d", strict=False, time_unit="us")
    hour, minute, second = (part.fill_null(0) for part in (hour, minute, second))
    valid = (hour < 24) & (minute < 60) & (second < 61)
    past = ((hour * 3600 + minute * 60 + second) * 1_000_000).cast(pl.Duration("us"))
    return pl.select(pl.when(valid).then(start + past)).to_series()


def epoch(moment: pl.Series) -> pl.Series:
    """Microseconds since 1970."""
    return moment.dt.epoch("us")


def find_parts(moment: pl.Series, order: str) -> tuple[str, ...]:
    """The parts of the moments that vary."""
    parts = ("hours", "hour") if order == CLOCK else ("days", "year", "month", "weekday", "hour")
    present = moment.drop_nulls()
    return tuple(part for part in parts if len(present) and np.ptp(_part(present, part, 0)) > 0)


def features_of(moment: pl.Series, parts: tuple[str, ...], origin: int) -> Array:
    """What the parts become, (N, F), NaN where a moment is missing; `origin` is day 0."""
    columns = []
    for part in parts:
        values = _part(moment, part, origin)
        if part in LINEAR:
            columns.append(values)
        else:
            angle = values * (2 * math.pi / CYCLES[part])
            columns += [np.sin(angle), np.cos(angle)]
    return np.stack(columns, 1) if columns else np.empty((len(moment), 0))


def _part(moment: pl.Series, part: str, origin: int) -> Array:
    if part == "days":
        past = (epoch(moment) - origin).cast(pl.Float64)
        return past.to_numpy().astype(np.float64) / 86_400e6
    if part in ("hours", "hour"):
        seconds = moment.dt.hour().cast(pl.Float64) + moment.dt.minute().cast(pl.Float64) / 60
        found = seconds + moment.dt.second().cast(pl.Float64) / 3600
    else:
        found = getattr(moment.dt, part)().cast(pl.Float64)
    return found.to_numpy().astype(np.float64)


def both_ways(text: pl.Series) -> tuple[int, Message, Message]:
    """The first row that reads otherwise with the month first, and how it reads both ways."""
    one, other = (moments(text, order, short=True) for order in (DMY, MDY))
    rows = one.ne_missing(other).arg_true()
    row = int(rows[0]) if len(rows) else int(text.is_not_null().arg_max() or 0)
    return row, _in_words(one[row]), _in_words(other[row])


def _in_words(day: datetime | None) -> Message:
    """A day as a message quotes it: 8 November 2024."""
    if day is None:
        return say("no_day")
    english, french = date_spellings.MONTH_NAMES[day.month - 1]
    first = "1er" if day.day == 1 else str(day.day)
    year = f"{day.year:04}"
    return Message(f"{day.day} {english.title()} {year}", f"{first} {french} {year}")


def describe(text: pl.Series, order: str) -> Message:
    """What the dates of a column are, in words."""
    if order == ISO and date_spellings.has_names(text).all():
        return say("date_named")
    return say(f"date_{order}")


def wrong_with(text: pl.Series, row: int, order: str, *, short: bool) -> Message:
    """Why a cell is no moment of a column, in words."""
    cell = text.slice(row, 1)
    halves = date_spellings.halves(text).any()
    if halves and moments(cell, order, short=short)[0] is not None:  # it is a moment by itself
        return say("no_half")
    if not short and date_spellings.is_short(cell)[0]:
        return say("short_year")
    named = date_spellings.names(cell, ISO)["cell"][0] is not None
    return say("no_date_of", date=say("date_of_calendar" if named else f"date_{order}"))
