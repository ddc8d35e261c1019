"""`read_table`: anybody's file as a `Table`, or one sentence about why not."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import torch
from torch import Tensor

from derivable.data import checks, reading
from derivable.data.cells import TRUTHS
from derivable.data.checks import count
from derivable.data.columns import NUMBER, TEXT, TRUTH, Column, Columns
from derivable.data.numbers import describe
from derivable.data.reading import did_you_mean, ignore, some
from derivable.data.sheet import Sheet, read_sheet
from derivable.data.table import Table
from derivable.errors import DataError, SettingError

_ENDINGS = {".csv", ".tsv", ".txt", ".tab", ".gz", ".parquet"}
MISSING_RULES = ("error", "drop", "median")


def read_table(
    path: str | Path,
    *,
    target: str | Sequence[str] | None,
    ignore: str | Sequence[str] = (),
    missing: str = "error",
    one_hot: bool = False,
    decimal: str | None = None,
    separator: str | None = None,
    na: Iterable[str] = (),
) -> Table:
    """A table from CSV, TSV (also compressed by gzip) or Parquet.

    `target` names the column to predict, or several ("a,b"); all others are features, but for
    those of `ignore`. `missing` says what becomes of cells without a value: "error"; "drop", which
    leaves their rows out; or "median", which keeps them as NaN, for a split to fill with the
    median of its training rows (a row without a target is left out). `one_hot` makes a feature of
    each value of a text column. `decimal`, `separator` and `na` are those of `read_sheet`.

    What was found out is in `Table.detected`, what the reader should know in `Table.note`.
    Raises DataError, one sentence, for a table that cannot be used as it is.
    """
    if missing not in MISSING_RULES:
        raise SettingError(f"missing must be one of {', '.join(MISSING_RULES)}; got {missing!r}")
    sheet = read_sheet(path, decimal=decimal, separator=separator, na=na)
    features, targets = _choose(sheet, target, ignore)
    _refuse_empty(sheet, (*features, *targets))
    reading.learn(sheet, features, targets, one_hot)  # what cannot be read is said first
    sheet = _without_missing(sheet, features, targets, missing)
    return _checked(sheet, reading.learn(sheet, features, targets, one_hot))


def _choose(
    sheet: Sheet, target: str | Sequence[str] | None, without: str | Sequence[str]
) -> tuple[list[str], list[str]]:
    """The names of the features and of the targets."""
    names = sheet.frame.columns
    if not target:
        raise SettingError(
            f"which column of {sheet.name} is to be predicted? Name it with --target; the table "
            f"has {some(names)}"
        )
    ignored = _named(sheet, without, "--ignore")
    targets = _named(sheet, target, "--target")
    for name in targets:
        if targets.count(name) > 1:
            raise DataError(f"the target '{name}' is named twice; name each --target once")
        if name in ignored:
            raise DataError(
                f"'{name}' is named by --target and by --ignore; name it in one of them"
            )
    features = [name for name in names if name not in (*targets, *ignored)]
    for name in (*features, *targets):
        if name in sheet.unnamed:
            raise DataError(
                f"{sheet.name}: {name} has no name (is it an index?); give it one in the first "
                f"line, or leave it out with --ignore '{name}'"
            )
    if not features:
        raise DataError(
            f"{sheet.name} has no column besides {some((*targets, *ignored))}, so there is nothing "
            "to predict from; if its columns were not told apart, name what separates them with "
            "--separator"
        )
    return features, targets


def _named(sheet: Sheet, words: str | Sequence[str], option: str) -> list[str]:
    """The columns that an option names: each word a name, or several with commas between them."""
    known = sheet.frame.columns
    names: list[str] = []
    for word in [words] if isinstance(words, str) else words:
        parts = [word] if word.strip() in known else word.split(",")
        names += [" ".join(part.split()) for part in parts if part.strip()]
    for name in names:
        if name not in known:
            raise DataError(
                f"{sheet.name} has no column '{name}', which {option} names; "
                f"{did_you_mean(name, known)}{_if_no_header(known)}"
            )
    return names


def _if_no_header(names: Sequence[str]) -> str:
    """A hint where the first line seems to hold numbers instead of names."""
    digits = [
        name for name in names if name.replace(",", ".").lstrip("-").replace(".", "").isdigit()
    ]
    return "; the first line must hold the names of the columns" if digits == list(names) else ""


def _refuse_empty(sheet: Sheet, columns: Sequence[str]) -> None:
    empty = [name for name in columns if not sheet.cells(name).text.count()]
    if empty:
        raise DataError(
            f"{sheet.name}: no row has a value in {some(empty)}; {ignore(*empty)} leaves out what "
            "is empty"
        )


def _without_missing(
    sheet: Sheet, features: Sequence[str], targets: Sequence[str], rule: str
) -> Sheet:
    """The sheet after what `missing` says of cells without a value."""
    absent = {name: sheet.cells(name).text.is_null() for name in (*features, *targets)}
    holes = {name: int(rows.sum()) for name, rows in absent.items() if rows.any()}
    if not holes:
        return sheet
    if rule == "error":
        name = next(iter(holes))
        where = ", ".join(f"{number:,} in '{column}'" for column, number in holes.items())
        place = sheet.place(int(absent[name].arg_true()[0]), name)
        raise DataError(
            f"{place} has no value (missing: {where}); "
            "--missing drop leaves such rows out, --missing median puts the median of the column"
        )
    needed = [absent[name] for name in holes if rule == "drop" or name in targets]
    gone = functools.reduce(
        operator.or_, needed, pl.Series([False]).new_from_index(0, len(sheet.lines))
    )
    if gone.all():
        emptiest = max(holes, key=lambda name: holes[name])
        raise DataError(
            f"{sheet.name}: no row has a value in every column; --missing median puts the median "
            f"of the column, {ignore(emptiest)} leaves out the column with the most holes"
        )
    notes = []
    if gone.any():
        which = "a missing value" if rule == "drop" else "a missing target"
        notes.append(f"{count(int(gone.sum()), 'row')} with {which} left out of {len(gone):,}.")
    if rule == "median" and (filled := sum(holes[name] for name in holes if name in features)):
        notes.append(f"{count(filled, 'missing value')} filled with the median of the column.")
    return replace(sheet.keep(~gone), notes=(*sheet.notes, *notes))


def _detected(sheet: Sheet, columns: Columns) -> str:
    """What was found out about the file, in a sentence."""
    said = [sheet.detected, describe(sheet, reading.marks(sheet, columns))]
    for column in columns.inputs + columns.outputs:
        if column.kind == TRUTH:
            words = sorted(sheet.cells(column.name).text.drop_nulls().str.to_lowercase().unique())
            meaning = " and ".join(f"{word} as {TRUTHS[word]:g}" for word in words)
            said.append(f"'{column.name}' reads {meaning}")
        elif column.kind == TEXT:
            said.append(f"'{column.name}' became {count(len(column.values), 'feature')}")
    return "; ".join(part for part in said if part)


def _checked(sheet: Sheet, columns: Columns) -> Table:
    """The finished table, if an honest comparison can be made on it."""
    x, y = reading.features(sheet, columns), reading.targets(sheet, columns)
    checks.check_rows(sheet.name, len(x))
    checks.check_sizes(sheet.name, columns.targets, y.numpy())
    checks.check_targets(sheet.name, columns.targets, y.numpy())
    notes = [*sheet.notes, *_notes_on_digits(sheet, columns)]
    checks.check_sizes(sheet.name, columns.features, x.numpy())
    parts = dict(_split_by(columns.inputs, x))
    constant = [column.name for column, part in parts.items() if checks.is_constant(part.numpy())]
    if constant:
        kept = {column: part for column, part in parts.items() if column.name not in constant}
        if not kept:
            raise DataError(
                f"{sheet.name}: each feature has one value in every row, so there is nothing to "
                "predict from; bring a column that varies"
            )
        columns, x = replace(columns, inputs=tuple(kept)), torch.cat(list(kept.values()), 1)
        notes.append(f"Left out, because they have one value in every row: {some(constant)}.")
    features, numbers = columns.features, x.numpy()
    owners = [column.name for column in columns.inputs for _ in column.features]
    notes += checks.check_answers(sheet.name, features, owners, numbers, columns.targets, y.numpy())
    notes += checks.note_duplicates(features, owners, numbers)
    notes += checks.note_counters(features, numbers)
    return Table(
        name=_stem(sheet.name),
        x=x,
        y=y,
        features=features,
        targets=columns.targets,
        note=" ".join(notes),
        detected=_detected(sheet, columns),
        columns=columns,
    )


def _split_by(columns: Sequence[Column], x: Tensor) -> Iterator[tuple[Column, Tensor]]:
    """Each column with its features."""
    return zip(columns, x.split([len(column.features) for column in columns], 1), strict=True)


def _notes_on_digits(sheet: Sheet, columns: Columns) -> list[str]:
    """Columns of digits that may be no numbers: codes with leading zeros, and endless ones."""
    notes = []
    for column in columns.inputs:
        if column.kind != NUMBER:
            continue
        text = sheet.cells(column.name).compact
        if text.str.contains("^0[0-9]+$").any():
            notes.append(
                f"'{column.name}' has leading zeros, as a code has; it is read as numbers, and "
                f"--ignore '{column.name}' leaves it out."
            )
        if text.str.contains("^[+-]?[1-9][0-9]{16,}$").any():
            notes.append(
                f"'{column.name}' has more digits than 64-bit numbers keep; it is rounded."
            )
    return notes


def _stem(name: str) -> str:
    """The name of a table from that of its file: houses of houses.csv.gz."""
    path = Path(name)
    while path.suffix.lower() in _ENDINGS:
        path = path.with_suffix("")
    return path.name
