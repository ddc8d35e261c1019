"""`read_table`: a file as a `Table`, or what is wrong with it and which option helps."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import torch
from torch import Tensor

from derivable.data import checks, classes, reading, second_look
from derivable.data.choice import choose, note_unused_options, renamed
from derivable.data.columns import Column, Columns
from derivable.data.kinds import Classes, Text
from derivable.data.messages import say
from derivable.data.numbers import describe
from derivable.data.opening import as_words, read_sheet
from derivable.data.options import (
    MISSING_RULES,
    SPLIT_ORDERS,
    TASKS,
    SheetOptions,
    TableOptions,
)
from derivable.data.problems import (
    ProblemError,
    ProblemsError,
    all_problems,
    as_error,
    ignore,
    some,
)
from derivable.data.sheet import Sheet
from derivable.data.table import Table
from derivable.errors import DataError, SettingError
from derivable.messages import SEMICOLON, joined


def read_table(path: str | Path, **options: Any) -> Table:
    """A table from CSV and its like, Parquet, or a workbook, also compressed by gzip or zip.

    The options are those of `TableOptions`. `target` names the column to predict, or several
    ("a,b"); all others are features, but for those of `ignore`. `missing` says what becomes of
    cells without a value: "error"; "drop", which leaves their rows out; or "median", which keeps
    them as NaN, for a split to fill with the median of its training rows (a row without a target is
    left out). `one_hot` makes a feature of each value of a text column, of all (True) or of those
    it names. `task` is "regression" or "classification"; left out, a target of text, true or false,
    or a few whole numbers is one of classes, whose numbers, from 0 on, are `y`.

    What was found out is in `Table.detected`, what the reader should know in `Table.notes`.
    Raises DataError for a table that cannot be used as it is: one sentence for each problem, and
    in `ProblemsError.options` those with which the table is read, where there are some.
    """
    chosen = checked_options(**options)
    try:
        return _read(path, chosen)
    except (ProblemError, ProblemsError) as first:
        name = Path(path).name
        raise all_problems(first, name, chosen, functools.partial(_read, path)) from None


def checked_options(**options: Any) -> TableOptions:
    """The options, if those of a table have a meaning."""
    chosen = TableOptions(**options)
    known = {"missing": MISSING_RULES, "split": SPLIT_ORDERS, "task": (None, *TASKS)}
    for name, words in known.items():
        if getattr(chosen, name) not in words:
            listed = ", ".join(filter(None, words))
            raise SettingError(say("one_of", name=name, words=listed, got=getattr(chosen, name)))
    named: dict[str, Any] = {}
    for name in ("target", "ignore", "one_hot", "na"):
        value = getattr(chosen, name)
        if not (value is None or isinstance(value, (str, bool) if name == "one_hot" else str)):
            named[name] = as_words(name, value)
    return replace(chosen, **named)


def _read(path: str | Path, options: TableOptions) -> Table:
    own = {name: getattr(options, name) for name in SheetOptions.__dataclass_fields__}
    return table_of_sheet(read_sheet(path, **own), options)


def table_of_sheet(sheet: Sheet, options: TableOptions) -> Table:
    """The table that a sheet is."""
    choice = choose(sheet, options)
    features, targets, options = choice.features, choice.targets, choice.options
    _refuse_empty(sheet, (*features, *targets))
    columns = _learned(sheet, features, targets, options)
    whole = without_missing(sheet, columns, options.missing)
    table = _checked(whole, reading.learn(whole, features, targets, options), options)
    notes = (*table.notes, *note_unused_options(sheet, columns, options))
    return replace(table, notes=notes, note=joined(notes))


def _learned(
    sheet: Sheet, features: Sequence[str], targets: Sequence[str], options: TableOptions
) -> Columns:
    """How the columns can be read. Where some cannot, cells without a value are reported too."""
    try:
        return reading.learn(sheet, features, targets, options)
    except (ProblemError, ProblemsError) as error:
        found: list[ProblemError] = (
            list(error.found) if isinstance(error, ProblemsError) else [error]
        )
        absent = _absent(sheet, [*features, *targets])
        if absent and options.missing == "error":
            found.append(_missing_problem(sheet, absent, targets))
        raise as_error(found) from None


def _absent(sheet: Sheet, names: Sequence[str]) -> dict[str, pl.Series]:
    """The rows of each column that have no value there, of columns that have such rows."""
    return {
        name: cells.text.is_null()
        for name in names
        if not (cells := sheet.cells(name)).plain and cells.text.null_count()
    }


def _refuse_empty(sheet: Sheet, columns: Sequence[str]) -> None:
    empty = [name for name in columns if sheet.cells(name).is_blank]
    if empty:
        text = say("empty_columns", name=sheet.name, names=some(empty), ignore=ignore(*empty))
        raise ProblemError(text, ignore=tuple(empty))


def without_missing(sheet: Sheet, columns: Columns, rule: str, *, whole: bool = True) -> Sheet:
    """The sheet without the rows that `missing` drops, or with their cells empty.

    Of a `whole` table, a row must be left.
    """
    taken = reading.as_learned(sheet, columns)
    targets = columns.targets
    names = [
        column.name
        for column in columns.inputs + columns.outputs
        if not (isinstance(column.reading, Text) and column.reading.absent)
    ]
    absent = _absent(taken, names)
    holes = {name: int(rows.sum()) for name, rows in absent.items()}
    if not holes:
        return sheet
    if rule == "error":
        raise _missing_problem(sheet, absent, targets)
    needed = [absent[name] for name in holes if rule == "drop" or name in targets]
    gone = functools.reduce(
        operator.or_, needed, pl.Series([False]).new_from_index(0, len(sheet.lines))
    )
    if whole and gone.all():
        emptiest = max(holes, key=lambda name: holes[name])
        text = say("all_missing", name=sheet.name, ignore=ignore(emptiest))
        raise ProblemError(text, missing="median")
    notes = []
    if gone.any() and not sheet.of_rows:  # of a sample, which has a part of them
        key = "rows_missing" if rule == "drop" else "rows_no_target"
        notes.append(say(key, n=int(gone.sum()), all=len(gone)))
    if rule == "median" and (filled := sum(holes[name] for name in holes if name not in targets)):
        notes.append(say("filled", n=filled))
    return replace(sheet.keep(~gone), notes=(*sheet.notes, *notes))


def _missing_problem(
    sheet: Sheet, absent: dict[str, pl.Series], targets: Sequence[str]
) -> ProblemError:
    """The question of what becomes of cells without a value."""
    name = next(iter(absent))
    listed = [(column, int(rows.sum())) for column, rows in absent.items()]
    each = (say("missing_in", n=number, column=column) for column, number in listed[:12])
    where = joined(each, ", ")
    if len(listed) > 12:
        where = say("missing_more", where=where, n=len(listed) - 12)
    place = sheet.place(int(absent[name].arg_true()[0]), name)
    gone = functools.reduce(operator.or_, absent.values())
    few = int(gone.sum()) <= len(gone) // 10
    only_targets = {*absent} <= {*targets}
    text = say("missing_targets" if only_targets else "missing", place=place, where=where)
    return ProblemError(text, missing="drop" if few or only_targets else "median")


def stated(sheet: Sheet, columns: Columns) -> str:
    """What was found out about the file."""
    used = columns.inputs + columns.outputs
    parts = [
        sheet.detected,
        describe(reading.as_learned(sheet, columns), reading.marks(sheet, columns)),
    ]
    parts += reading.stated(sheet, used)
    parts += renamed(sheet, [column.name for column in used])
    return joined((part for part in parts if part), SEMICOLON)


def _checked(sheet: Sheet, columns: Columns, options: TableOptions) -> Table:
    """The finished table, if an honest comparison can be made on it."""
    x, y = reading.features(sheet, columns), reading.targets(sheet, columns)
    checks.check_rows(sheet.name, len(x))
    checks.check_sizes(sheet.name, columns.targets, y.numpy())
    checks.check_targets(sheet.name, columns.targets, y.numpy())
    notes = list(sheet.notes)
    checks.check_sizes(sheet.name, columns.owners, x.numpy())
    constant = checks.constant_columns(x.numpy())
    dropped = [
        column.name
        for column, flags in _split_by(columns.inputs, torch.from_numpy(constant)[None, :])
        if flags.all()
    ]
    if dropped:
        gone = set(dropped)
        keep = torch.tensor([owner not in gone for owner in columns.owners])
        if not keep.any():
            raise DataError(say("all_constant", name=sheet.name))
        kept = tuple(column for column in columns.inputs if column.name not in gone)
        columns, x = replace(columns, inputs=kept), x[:, keep]
        key = "constant_in_sample" if sheet.of_rows else "constant"
        notes.append(say(key, names=some(dropped), rows=len(x)))
    features, numbers = columns.features, x.numpy()
    notes += checks.check_answers(
        sheet.name, features, columns.owners, numbers, columns.targets, y.numpy()
    )
    for column in columns.outputs:
        if isinstance(column.reading, Classes):
            notes += classes.notes(column.reading, column.name, y.numpy()[:, 0], options)
    notes += second_look.notes(second_look.Seen(sheet, columns, numbers, y.numpy(), options))
    return Table(
        name=sheet.stem,
        x=x,
        y=y,
        features=features,
        targets=columns.targets,
        note=joined(notes),
        notes=tuple(notes),
        detected=stated(sheet, columns),
        columns=columns,
        split=options.split,
        classes=columns.classes,
        lines=torch.from_numpy(sheet.lines.to_numpy().astype("int64")),
    )


def _split_by(columns: Sequence[Column], x: Tensor) -> Iterator[tuple[Column, Tensor]]:
    """Each column with its features."""
    return zip(columns, x.split([len(column.features) for column in columns], 1), strict=True)
