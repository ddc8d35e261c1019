"""Columns of a sheet as numbers: `learn` sees how each can be read, the others read them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np
import polars as pl
import torch
from torch import Tensor

from derivable.data.cells import TRUTHS, fault
from derivable.data.columns import NUMBER, TEXT, TRUTH, Column, Columns
from derivable.data.numbers import find_marks, values
from derivable.data.sheet import Sheet
from derivable.errors import DataError

MOST_VALUES = 100  # of a text column that becomes one feature for each of its values


def learn(
    sheet: Sheet, features: Sequence[str], targets: Sequence[str], one_hot: bool = False
) -> Columns:
    """How each column of a sheet can be read. Raises DataError where one cannot."""
    inputs = tuple(_learn(sheet, name) for name in features)
    _refuse_text(sheet, inputs, one_hot)
    return Columns(inputs, tuple(_learn(sheet, name, target=True) for name in targets))


def features(sheet: Sheet, columns: Columns) -> Tensor:
    """The features of a sheet, (N, D) in float64, NaN where a cell is missing.

    Columns are found by name, in any order; others than those of `columns.inputs` are not looked
    at (`unused` names them). Raises DataError for a column that is not there, a cell that cannot be
    read, or text that was not there when the columns were learned.
    """
    return _read(sheet, columns, columns.inputs)


def targets(sheet: Sheet, columns: Columns) -> Tensor:
    """The targets of a sheet, (N, K) in float64, NaN where a cell is missing. Raises as above."""
    return _read(sheet, columns, columns.outputs)


def marks(sheet: Sheet, columns: Columns, wanted: Sequence[Column] | None = None) -> dict[str, str]:
    """The decimal mark of each of the `wanted` columns of numbers, or of all, that a sheet has."""
    both = columns.inputs + columns.outputs
    wanted = both if wanted is None else wanted
    numbers = [c for c in both if c.kind == NUMBER and c.name in sheet.frame.columns]
    return find_marks(
        sheet,
        [column.name for column in numbers if column in wanted],
        [column.name for column in numbers if column not in wanted],
    )


def unused(sheet: Sheet, columns: Columns) -> tuple[str, ...]:
    """The columns of a sheet that are neither features nor targets."""
    used = {column.name for column in columns.inputs + columns.outputs}
    return tuple(name for name in sheet.frame.columns if name not in used)


def _read(sheet: Sheet, columns: Columns, wanted: Sequence[Column]) -> Tensor:
    """What the wanted columns become, side by side."""
    names = sheet.frame.columns
    if absent := {column.name for column in wanted} - set(names):
        name = min(absent)
        hint = did_you_mean(name, names)
        raise DataError(f"{sheet.name} has no column '{name}', which is needed; {hint}")
    for column in wanted:
        _refuse_unreadable(sheet, column)
    found = marks(sheet, columns, wanted)
    parts = [
        values(sheet, column.name, found[column.name]).to_numpy()[:, None]
        if column.kind == NUMBER
        else _indicators(sheet, column)
        for column in wanted
    ]
    rows = np.concatenate(parts, axis=1) if parts else np.empty((len(sheet.frame), 0))
    return torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float64))


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """The end of a sentence about a name that is not there."""
    lower = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), lower, n=1)
    if near:
        return f"did you mean '{lower[near[0]]}'?"
    return f"it has {some(names)}"


def _learn(sheet: Sheet, name: str, target: bool = False) -> Column:
    """How one column can be read; DataError, with the cell, where it cannot."""
    cells = sheet.cells(name)
    row = cells.first("other")
    if row is None:
        return Column(name)
    if cells.outside(TRUTHS, lower=True) is None:
        return Column(name, TRUTH)
    cell = cells.text[row]
    place, wrong = f"{sheet.place(row, name)}: '{cell}'", fault(cell)
    way_out = "choose another --target" if target else f"{ignore(name)} leaves the column out"
    only_text = wrong is None and bool(cells.kind.is_in(["other", "missing"]).all())
    if only_text and target:
        raise DataError(f"{place} is text, and a target must be numbers; {way_out}")
    if not only_text:
        more = int(cells.kind.eq("other").sum()) - 1
        also = f", one of {more + 1:,} cells of the column that are no numbers" if more else ""
        raise DataError(f"{place} {wrong or 'is not a number'}{also}; correct it, or {way_out}")
    return Column(name, TEXT, tuple(sorted(cells.text.drop_nulls().unique())))


def _refuse_text(sheet: Sheet, columns: Sequence[Column], one_hot: bool) -> None:
    """Text becomes features only where that was asked for and its values are few."""
    text = [column for column in columns if column.kind == TEXT]
    many = [column.name for column in text if len(column.values) > MOST_VALUES]
    few = [] if one_hot else [column.name for column in text if column.name not in many]
    if not few and not many:
        return
    first = next(column.name for column in text if column.name in (*few, *many))
    row = sheet.cells(first).first("other") or 0
    ways = []
    if few:
        ways.append(f"--one-hot makes a feature of each value of {some(few)}")
    if many:
        ways.append(f"{ignore(*many)} leaves out what has more than {MOST_VALUES} values")
    else:
        ways.append(f"{ignore(*few)} leaves the column{'s' * (len(few) > 1)} out")
    cell = sheet.cells(first).text[row]
    raise DataError(f"{sheet.place(row, first)}: '{cell}' is text; {', '.join(ways)}")


def ignore(*names: str) -> str:
    """The option that leaves these columns out."""
    joined = [",".join(names)] if not any("," in name for name in names) else names
    return " ".join(f"--ignore '{word}'" for word in joined)


def _refuse_unreadable(sheet: Sheet, column: Column) -> None:
    """Each cell must be of the kind of its column."""
    cells = sheet.cells(column.name)
    if column.kind == NUMBER:
        row, expected = cells.first("other"), "is not a number; correct the cell"
    elif column.kind == TRUTH:
        row = cells.outside(TRUTHS, lower=True)
        expected = "is neither true nor false; correct the cell"
    else:
        row = cells.outside(column.values)
        expected = f"is none of the values that were met before: {some(column.values)}"
    if row is not None:
        raise DataError(f"{sheet.place(row, column.name)}: '{cells.text[row]}' {expected}")


def _indicators(sheet: Sheet, column: Column) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Words as numbers: 1 and 0 for each value of text, one column of them for true and false."""
    text = sheet.cells(column.name).text
    if column.kind == TRUTH:
        words = text.str.to_lowercase()
        return words.replace_strict(TRUTHS, return_dtype=pl.Float64).to_numpy()[:, None]
    return pl.DataFrame({v: (text == v).cast(pl.Float64) for v in column.values}).to_numpy()


def some(words: Sequence[str], most: int = 12) -> str:
    """The first of some names or values, as a list in a sentence."""
    rest = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(f"'{word}'" for word in words[:most]) + rest
