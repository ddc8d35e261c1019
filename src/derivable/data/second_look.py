"""A second look at a table that can be read: what a person would ask about before training on it.

Each note is a message with the option that helps. Nothing here changes a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from derivable.data import checks, reading
from derivable.data.as_numbers import spelled
from derivable.data.cells import Cells
from derivable.data.columns import Columns
from derivable.data.kinds import Classes, Date, Number, Text
from derivable.data.messages import say
from derivable.data.options import TableOptions
from derivable.data.problems import count, ignore, option_of, some
from derivable.data.rows import TRAIN_SHARE
from derivable.data.sheet import Sheet

Array = npt.NDArray[np.float64]

FEW_TEST_ROWS = 30
NEARLY = 0.999  # the R² from which on one feature nearly is the target
ORDERS = 3  # of magnitude, from which on a target spans them in a note
SENTINELS = (-9.0, -99.0, -999.0, -9999.0, -99999.0, 999.0, 9999.0, 99999.0, -999.9, -9999.9)
SMALLEST_CODE = 10  # of codes that are recognised by their values alone
HEAD = 1000  # cells that show of most columns that their numbers are not whole
MOST_NOTES = 5  # of one kind

_CODE = re.compile(
    r"(?:^|[\W_])(?:codes?|ids?|identifiant|zip|cp|insee|plz|postal\w*|postcode|sire[nt]|dept|"
    r"d[ée]partement|r[ée]gion|commune|iris|shop|store|magasin|agence|station|compte|account|acc|"
    r"client|customer|patient|sku|ean|isbn|phone|tel|t[ée]l[ée]phone|ref|nr|num[ée]ro|n°)"
    r"(?:$|[\W_\d])",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(?:^|[\W_])(?:t|time|temps|date|day|jour|week|semaine|month|mois|year|ann[ée]e|an|jahr|año|"
    r"hour|heure|timestamp)(?:$|[\W_\d])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Seen:
    """A table, and what it was made from."""

    sheet: Sheet
    columns: Columns
    x: Array
    y: Array
    options: TableOptions

    @cached_property
    def numbers(self) -> dict[str, Array]:
        """The features that are columns of numbers."""
        found, place = {}, 0
        for column in self.columns.inputs:
            if isinstance(column.reading, Number):
                found[column.name] = self.x[:, place]
            place += len(column.features)
        return found

    @cached_property
    def whole(self) -> dict[str, Array]:
        """Those of whole numbers, without the cells that are missing."""
        return {
            name: cells[~np.isnan(cells)]
            for name, cells in self.numbers.items()
            if _is_whole(cells[:HEAD]) and _is_whole(cells)
        }

    def cells(self, name: str) -> Cells:
        """The text of a column."""
        return self.sheet.cells(name)


def _is_whole(cells: Array) -> bool:
    """Whether no number of a column has decimals."""
    return bool(np.all((cells == np.floor(cells)) | np.isnan(cells)))


def notes(seen: Seen) -> list[str]:
    """All that should be known, each with its option."""
    kinds = (
        _codes(seen),
        _digits(seen),
        _counters(seen),
        iter(checks.note_duplicates(seen.columns.features, seen.columns.owners, seen.x)),
        _spellings(seen),
        _sentinels(seen),
        _near_targets(seen),
        _in_order(seen),
        _magnitudes(seen),
        _test_rows(seen),
    )
    return [note for kind in kinds for note in _first(list(kind))]


def _first(found: list[str]) -> list[str]:
    """The first notes of a kind: a wide table has thousands."""
    if len(found) <= MOST_NOTES:
        return found
    return [*found[:MOST_NOTES], say("more_notes", n=len(found) - MOST_NOTES)]


def _spaced(name: str) -> str:
    """A name with its parts apart: customerId as customer_Id."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)


def _codes(seen: Seen) -> Iterator[str]:
    """Whole numbers that may be codes of something, or identifiers of rows."""
    for name, cells in seen.whole.items():
        named = _CODE.search(_spaced(name)) is not None
        zeros = seen.cells(name).leading_zero
        if not named and not zeros and cells.min() < SMALLEST_CODE:
            continue
        rows, distinct = len(cells), len(np.unique(cells))
        ways = say("way_category", one_hot=option_of("--one-hot", name), ignore=ignore(name))
        if zeros:
            few = distinct <= reading.MOST_VALUES
            way = ways if few else say("way_out", ignore=ignore(name))
            yield say("leading_zeros", name=name, ways=way)
        elif named and distinct > 0.9 * rows:
            yield say("like_identifier", name=name, ignore=ignore(name))
        elif named and 2 < distinct <= reading.MOST_VALUES and 2 * distinct < rows:
            yield say("like_code", name=name, ways=ways)
        elif _sparse(cells, distinct):
            yield say("may_be_codes", name=name, distinct=distinct, ways=ways)


def _sparse(cells: Array, distinct: int) -> bool:
    """Whether few whole numbers repeat that are far apart and no multiples of one step."""
    if not 3 <= distinct <= 50 or len(cells) < 10 * distinct or cells.min() < SMALLEST_CODE:
        return False
    steps = np.diff(np.unique(cells)).astype(np.int64)
    return bool(np.ptp(cells) > 3 * distinct and np.gcd.reduce(steps) == 1)


def _digits(seen: Seen) -> Iterator[str]:
    for name in seen.whole:
        cells = seen.cells(name)
        if not cells.typed and np.nanmax(np.abs(cells.floats), initial=0.0) >= 1e16:
            yield say("many_digits", name=name)


def _counters(seen: Seen) -> Iterator[str]:
    """Features that number the rows, which a table saved with its index has."""
    if len(seen.columns.features) > 1:
        for name, cells in seen.whole.items():
            if len(cells) == len(seen.x) and np.all(np.diff(cells) == 1):
                yield say("numbers_rows", name=name, ignore=ignore(name))


def _spellings(seen: Seen) -> Iterator[str]:
    """Categories that differ in case or blanks only."""
    for column in seen.columns.inputs + seen.columns.outputs:
        reading = column.reading.of if isinstance(column.reading, Classes) else column.reading
        if not isinstance(reading, Text) or reading.merged:
            continue
        values = pl.Series(reading.values, dtype=pl.String)
        groups: dict[str, list[str]] = {}
        for value, key in zip(values, spelled(values), strict=True):
            groups.setdefault(key, []).append(value)
        for same in groups.values():
            if len(same) > 1:
                yield say("spellings", values=some(same), name=column.name)


def _sentinels(seen: Seen) -> Iterator[str]:
    """Numbers that may stand for a missing value: -999, 9999, 0 among large ones."""
    targets = dict(zip(seen.columns.targets, seen.y.T, strict=True))
    for name, cells in {**seen.numbers, **targets}.items():
        present = cells[~np.isnan(cells)]
        low, high = present.min(), present.max()
        for value in (*SENTINELS, 0.0):
            if value not in (low, high):
                continue
            times = int((present == value).sum())
            rest = present[present != value]
            if not len(rest) or not _stands_apart(value, times, rest):
                continue
            yield say(
                "sentinel",
                name=name,
                value=value,
                rows=count(times, "row"),
                low=float(rest.min()),
                high=float(rest.max()),
                na=option_of("--na", f"{name}={value:g}"),
            )


def _stands_apart(value: float, times: int, rest: Array) -> bool:
    """Whether a number is far from the rest, and rare."""
    if 4 * times > len(rest):
        return False
    if value == 0:
        return len(rest) > 10 and rest.min() >= 10 and rest.min() > 0.2 * float(np.median(rest))
    gap = rest.min() - value if value < rest.min() else value - rest.max()
    often = value < 0 or times > 1
    return often and gap > max(float(np.ptp(rest)), abs(value) / 2) and len(rest) > 10


def _near_targets(seen: Seen) -> Iterator[str]:
    """Features each of which nearly is a target."""
    features = seen.columns.features
    if len(features) < 2 or len(seen.x) < 10:
        return
    x = seen.x - np.nanmean(seen.x, axis=0)
    np.nan_to_num(x, copy=False)
    lengths = np.sqrt(np.einsum("ij,ij->j", x, x))
    for target, y in zip(seen.columns.targets, seen.y.T, strict=True):
        centred = y - y.mean()
        r = (x.T @ centred) / np.where(lengths > 0, lengths, 1) / np.sqrt((centred**2).sum())
        for number in np.flatnonzero(r**2 > NEARLY):
            gaps = {"target": target, "ignore": ignore(seen.columns.owners[number])}
            yield say("nearly_target", name=features[number], r2=float(r[number] ** 2), **gaps)


def _in_order(seen: Seen) -> Iterator[str]:
    """Rows in order of time, which a shuffle mixes."""
    if seen.options.split == "last" or len(seen.x) < 10:
        return
    place = 0
    for column in seen.columns.inputs:
        cells, name = seen.x[:, place], column.name
        place += len(column.features)
        if isinstance(column.reading, Date):
            ordered = "days" in column.reading.parts and _rises(cells)
        elif name in seen.whole:
            counts = np.all(np.diff(cells) == 1)
            timely = _TIME.search(_spaced(name)) is not None
            ordered = bool(counts and (timely or cells[0] not in (0, 1))) or (
                timely and _rises(cells) and len(np.unique(cells)) > 2
            )
        else:
            ordered = False
        if ordered:
            yield say("in_order", name=name)
            return


def _rises(cells: Array) -> bool:
    steps = np.diff(cells[~np.isnan(cells)])
    return bool(len(steps) > 5 and (np.all(steps >= 0) or np.all(steps <= 0)) and steps.any())


def _magnitudes(seen: Seen) -> Iterator[str]:
    for target, y in zip(seen.columns.targets, seen.y.T, strict=True):
        present = y[~np.isnan(y)]
        if present.min() <= 0 or len(present) < 10:
            continue
        orders = int(np.log10(present.max() / present.min()))
        if orders >= ORDERS:
            low, high = float(present.min()), float(present.max())
            yield say("magnitudes", target=target, orders=orders, low=low, high=high)


def _test_rows(seen: Seen) -> Iterator[str]:
    rows = len(seen.x) - int(TRAIN_SHARE * len(seen.x))
    others = "" if seen.options.split == "last" else say("another_seed")
    if rows < FEW_TEST_ROWS:
        yield say("few_test_rows", n=rows, all=len(seen.x), others=others)
