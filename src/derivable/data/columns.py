"""`Columns`: how the columns of a file become features and targets.

It is learned from one table and applied to others, by name: what `predict` needs, and a run folder
keeps as JSON.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor

from derivable.data.cells import TRUTHS, fault
from derivable.data.numbers import find_marks, values
from derivable.data.sheet import Sheet
from derivable.errors import DataError

MOST_VALUES = 100  # of a text column that becomes one feature for each of its values
NUMBER, TRUTH, TEXT = "number", "truth", "text"


@dataclass(frozen=True)
class Column:
    """One column of a file, and how it is read.

    A number is one feature. True and false (yes and no, oui and non, vrai and faux) are 1 and 0.
    Text is one feature for each of its `values`, 1 where the cell holds it and 0 elsewhere.
    """

    name: str
    kind: str = NUMBER
    values: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """The names of what the column becomes: rooms, or city=Lyon, city=Paris."""
        return tuple(f"{self.name}={value}" for value in self.values) or (self.name,)


@dataclass(frozen=True)
class Columns:
    """The columns of a table that are features, and those that are targets."""

    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features, in the order of `apply`."""
        return tuple(name for column in self.inputs for name in column.features)

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the targets."""
        return tuple(column.name for column in self.outputs)

    @property
    def _all(self) -> tuple[Column, ...]:
        return self.inputs + self.outputs

    @classmethod
    def learn(
        cls, sheet: Sheet, features: Sequence[str], targets: Sequence[str], one_hot: bool = False
    ) -> Columns:
        """See how each column of a sheet can be read. Raises DataError where one cannot."""
        inputs = tuple(_learn(sheet, name) for name in features)
        _refuse_text(sheet, inputs, one_hot)
        return cls(inputs, tuple(_learn(sheet, name, target=True) for name in targets))

    def apply(self, sheet: Sheet) -> Tensor:
        """The features of a sheet, (N, D) in float64, NaN where a cell is missing.

        Columns are found by name, in any order; others than those of `inputs` are not looked at
        (`unused` names them). Raises DataError for a column that is not there, a cell that cannot
        be read, or text that the model has not met.
        """
        return self._read(sheet, self.inputs)

    def apply_targets(self, sheet: Sheet) -> Tensor:
        """The targets of a sheet, (N, K) in float64, NaN where a cell is missing."""
        return self._read(sheet, self.outputs)

    def marks(self, sheet: Sheet, columns: Sequence[Column] | None = None) -> dict[str, str]:
        """The decimal mark of each of these columns of numbers, or of all, that the sheet has."""
        wanted = self._all if columns is None else columns
        numbers = [c for c in self._all if c.kind == NUMBER and c.name in sheet.frame.columns]
        return find_marks(
            sheet,
            [column.name for column in numbers if column in wanted],
            [column.name for column in numbers if column not in wanted],
        )

    def unused(self, sheet: Sheet) -> tuple[str, ...]:
        """The columns of a sheet that are neither features nor targets."""
        used = {column.name for column in self._all}
        return tuple(name for name in sheet.frame.columns if name not in used)

    def _read(self, sheet: Sheet, columns: Sequence[Column]) -> Tensor:
        """What some columns become, side by side."""
        names = sheet.frame.columns
        if absent := {column.name for column in columns} - set(names):
            name = min(absent)
            hint = did_you_mean(name, names)
            raise DataError(f"{sheet.name} has no column '{name}', which is needed; {hint}")
        for column in columns:
            _refuse_unreadable(sheet, column)
        marks = self.marks(sheet, columns)
        parts = [
            values(sheet, column.name, marks[column.name]).to_numpy()[:, None]
            if column.kind == NUMBER
            else _indicators(sheet, column)
            for column in columns
        ]
        rows = np.concatenate(parts, axis=1) if parts else np.empty((len(sheet.frame), 0))
        return torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float64))

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and words, for JSON."""
        return {
            "inputs": [_to_dict(column) for column in self.inputs],
            "outputs": [_to_dict(column) for column in self.outputs],
        }

    @classmethod
    def from_dict(cls, document: Any) -> Columns:
        """The columns of `to_dict`. Raises DataError for another document."""
        try:
            sides = (document["inputs"], document["outputs"])
            inputs, outputs = (tuple(map(_from_dict, side)) for side in sides)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"this does not describe the columns of a table ({type(error).__name__}: {error}); "
                "expected what Columns.to_dict gives"
            ) from None
        return cls(inputs, outputs)


def _to_dict(column: Column) -> dict[str, Any]:
    values = {"values": list(column.values)} if column.values else {}
    return {"name": column.name, "kind": column.kind, **values}


def _from_dict(document: Any) -> Column:
    column = Column(document["name"], document["kind"], tuple(document.get("values", ())))
    words = all(isinstance(word, str) for word in (column.name, *column.values))
    if (
        not words
        or column.kind not in (NUMBER, TRUTH, TEXT)
        or (column.kind == TEXT) != bool(column.values)
    ):
        raise ValueError(f"{document} describes no column")
    return column


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
