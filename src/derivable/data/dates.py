"""Dates and times of text as moments, and moments as features.

2024-11-08 is read in one way. 08/11/2024 is 8 November in Paris and August 11 in Boston: the column
decides where a number above 12 stands first or second, else the other columns, else the reader is
asked.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import polars as pl

from derivable.data.cells import Cells
from derivable.data.kinds import CLOCK, CYCLES, DMY, ISO, LINEAR, MDY
from derivable.data.messages import say

Array = npt.NDArray[np.float64]

OPEN = "?"  # day and month in either order
_TIME = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?"
_ZONE = r"\s*(Z|UTC|[+-]\d{2}:?\d{2})?"
_ISO = rf"^(\d{{4}})[-/.](\d{{1,2}})(?:[-/.](\d{{1,2}})(?:(?:T|\s+){_TIME}{_ZONE})?)?$"
_DAY = rf"^(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}})(?:\s+{_TIME})?$"
_YEARS = 1500, 2400
_CLOCK = rf"^{_TIME}$"


def find_order(cells: Cells) -> str | None:
    """How the cells of a column are written, "?" where day and month can be exchanged.

    None where they are no dates.
    """
    text = cells.text.drop_nulls()
    if cells.typed or not len(text):
        return None
    if text.str.contains(_ISO).all():
        years = _group(text, _ISO, 1)
        return ISO if years.is_between(*_YEARS).all() else None  # 1001-12 may be a reference
    if text.str.contains(_CLOCK).all():
        return CLOCK
    if not text.str.contains(_DAY).all():
        return None
    first, second = (int(_group(text, _DAY, i).max() or 0) for i in (1, 2))  # type: ignore[arg-type]  # of integers
    if first > 12 and second > 12:
        return None
    if first > 12:
        return DMY
    return MDY if second > 12 else OPEN


def moments(text: pl.Series, order: str) -> pl.Series:
    """Each cell as a moment, null where it is missing or no date of this order."""
    if order == CLOCK:
        hour, minute, second = (_group(text, _CLOCK, i) for i in (1, 2, 3))
        day = pl.Series(["1970-01-01"]).new_from_index(0, len(text))
        return _moment(day, hour, minute, second)
    pattern = _ISO if order == ISO else _DAY
    year, month, number = {ISO: (1, 2, 3), DMY: (3, 2, 1), MDY: (3, 1, 2)}[order]
    parts = [_group(text, pattern, i) for i in (year, month, number)]
    parts[2] = parts[2].fill_null(1) if order == ISO else parts[2]
    parts[2] = pl.select(pl.when(parts[0].is_not_null()).then(parts[2])).to_series()
    day = pl.select(
        pl.concat_str(
            [part.cast(pl.String).str.zfill(4 - 2 * (i > 0)) for i, part in enumerate(parts)],
            separator="-",
        )
    ).to_series()
    moment = _moment(day, *(_group(text, pattern, i) for i in (4, 5, 6)))
    if order != ISO:
        return moment
    zone = text.str.extract(pattern, 7)
    sign = zone.str.starts_with("-").fill_null(value=False).cast(pl.Int64) * -2 + 1
    digits = zone.str.replace_all("[^0-9]", "")
    minutes = digits.str.slice(0, 2).cast(pl.Int64, strict=False).fill_null(0) * 60
    minutes += digits.str.slice(2, 2).cast(pl.Int64, strict=False).fill_null(0)
    return moment - (sign * minutes * 60_000_000).cast(pl.Duration("us"))


def _group(text: pl.Series, pattern: str, group: int) -> pl.Series:
    return text.str.extract(pattern, group).cast(pl.Int64, strict=False)


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
    return tuple(part for part in parts if len({*_part(moment, part, 0)} - {math.nan}) > 1)


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


def both_ways(cell: str) -> tuple[str, str]:
    """A date as it reads with the day first, and with the month first."""
    days = [moments(pl.Series([cell]), order)[0] for order in (DMY, MDY)]
    one, other = (f"{day:%d %B %Y}".lstrip("0") if day else say("no_day") for day in days)
    return one, other
