"""Columns of a sheet as numbers: `learn` sees how each can be read, the others read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from derivable.data import as_numbers, classes
from derivable.data.cells import TRUTHS, fault
from derivable.data.columns import Column, Columns
from derivable.data.dates import OPEN, YEAR, both_ways, find_order
from derivable.data.forms import find_form
from derivable.data.kinds import DMY, MDY, Date, Number, Reading, Text, Truth
from derivable.data.messages import say
from derivable.data.numbers import find_marks, follow_marks
from derivable.data.options import CLASSIFICATION, REGRESSION, TableOptions
from derivable.data.problems import (
    ProblemError,
    did_you_mean,
    ignore,
    option_of,
    raise_all,
    some,
)
from derivable.data.sheet import Sheet
from derivable.errors import DataError, SettingError
from derivable.messages import joined

MOST_VALUES = 100  # of a text column that becomes one feature for each of its values


def learn(
    sheet: Sheet, features: Sequence[str], targets: Sequence[str], options: TableOptions
) -> Columns:
    """How each column of a sheet can be read. Raises ProblemError, ProblemsError."""
    problems: list[ProblemError] = []
    one_hot = set(options.one_hot_names)
    alone = len(targets) == 1
    if options.task == CLASSIFICATION and not alone:
        raise SettingError(say("classes_of_one", task=CLASSIFICATION, count=len(targets)))
    orders = _orders(sheet, (*features, *targets))

    def learned(name: str, *, target: bool) -> Column:
        try:
            if name in one_hot:
                return Column(name, _text(sheet, name, options))
            if target and alone:
                return Column(name, _learn_alone(sheet, name, orders, options))
            return Column(name, _learn(sheet, name, orders, target=target, options=options))
        except ProblemError as problem:
            problems.append(problem)
            return Column(name)

    inputs = tuple(learned(name, target=False) for name in features)
    inputs = tuple(
        replace(column, reading=_text(sheet, column.name, options))
        if isinstance(column.reading, Text)
        else column
        for column in inputs
    )
    problems += _refused_text(sheet, inputs, options)
    outputs = tuple(learned(name, target=True) for name in targets)
    raise_all(problems)
    return Columns(*(tuple(_kept(sheet, column) for column in side) for side in (inputs, outputs)))


def _kept(sheet: Sheet, column: Column) -> Column:
    """A column with what must be known of it to read another file."""
    words = sheet.added | sheet.missing_in.get(column.name, frozenset())
    twin = column.name in sheet.twins
    return replace(column, missing=tuple(sorted(words)), twin=twin) if words or twin else column


def features(sheet: Sheet, columns: Columns, known: Mapping[str, str] | None = None) -> Tensor:
    """The features of a sheet, (N, D) in float64, NaN where a cell is missing.

    Columns are found by name, in any order; others than those of `columns.inputs` are ignored
    (`unused` names them). `known` are the decimal marks of a table of which the sheet is a part.
    Raises DataError for a column that is not there, a cell that cannot be
    read, or text that was not there when the columns were learned.
    """
    return _read(sheet, columns, columns.inputs, known)


def targets(sheet: Sheet, columns: Columns, known: Mapping[str, str] | None = None) -> Tensor:
    """The targets of a sheet, (N, K) in float64, NaN where a cell is missing. Raises as above."""
    return _read(sheet, columns, columns.outputs, known)


def as_learned(sheet: Sheet, columns: Columns) -> Sheet:
    """The sheet whose cells are taken as those of the columns were when these were learned."""
    known = [c for c in columns.inputs + columns.outputs if c.name in sheet.known]
    sheet = sheet.with_missing({c.name: frozenset(c.missing) for c in known if c.missing})
    forms = {c.name: c.reading.form for c in known if isinstance(c.reading, Number)}
    return sheet.written_as({name: form for name, form in forms.items() if form is not None})


def marks(sheet: Sheet, columns: Columns, wanted: Sequence[Column] | None = None) -> dict[str, str]:
    """The decimal mark of each of the `wanted` columns of numbers, or of all, that a sheet has."""
    both = columns.inputs + columns.outputs
    asked = {column.name for column in (both if wanted is None else wanted)}
    numbers = [c.name for c in both if isinstance(c.reading, Number) and c.name in sheet.known]
    return find_marks(
        as_learned(sheet, columns),
        [name for name in numbers if name in asked],
        [name for name in numbers if name not in asked],
    )


def stated(sheet: Sheet, columns: Sequence[Column]) -> list[str]:
    """What was recognised in these columns, in words."""
    whole = Columns(tuple(columns), ())
    sheet = as_learned(sheet, whole)
    found = [as_numbers.stated(c.reading, sheet, c.name) for c in columns if c.name in sheet.known]
    return [words for words in found if words]


def unused(sheet: Sheet, columns: Columns) -> tuple[str, ...]:
    """The columns of a sheet that are neither features nor targets."""
    used = {column.name for column in columns.inputs + columns.outputs}
    return tuple(name for name in sheet.columns if name not in used)


def _read(
    sheet: Sheet, columns: Columns, wanted: Sequence[Column], known: Mapping[str, str] | None
) -> Tensor:
    """What the wanted columns become, side by side."""
    for column in wanted:
        if column.name not in sheet.known:
            hint = did_you_mean(column.name, sheet.columns)
            raise DataError(say("no_column", name=sheet.name, column=column.name, hint=hint))
        if column.name in sheet.twins and not column.twin:
            raise DataError(say("twin_needed", name=sheet.name, column=column.name))
    taken = as_learned(sheet, columns)
    problems = []
    for column in wanted:
        try:
            as_numbers.refuse(column.reading, taken, column.name)
        except ProblemError as problem:
            problems.append(problem)
    raise_all(problems)
    if known is None:
        found = marks(sheet, columns, wanted)
    else:
        numbers = [column.name for column in wanted if isinstance(column.reading, Number)]
        found = follow_marks(taken, numbers, known)
    parts = [as_numbers.read(c.reading, taken, c.name, found.get(c.name, "")) for c in wanted]
    rows = np.concatenate(parts, axis=1) if parts else np.empty((len(sheet.frame), 0))
    return torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float64))


def _orders(sheet: Sheet, names: Sequence[str]) -> dict[str, str]:
    """The order of each column of dates; one that is open follows the others, if these agree."""
    found = {}
    for name in names:
        cells = sheet.cells(name)
        if cells.first("other") is not None and (order := find_order(cells)) is not None:
            found[name] = order
    shown = {order for order in found.values() if order in (DMY, MDY)}
    meant = sheet.dates or (shown.pop() if len(shown) == 1 else OPEN)
    either = {DMY, MDY, OPEN, YEAR} if sheet.dates else {OPEN}
    return {name: meant if order in either else order for name, order in found.items()}


def _learn_alone(
    sheet: Sheet, name: str, orders: Mapping[str, str], options: TableOptions
) -> Reading:
    """How the only target can be read: as numbers, or as classes."""
    cells = sheet.cells(name)
    words = cells.text.filter(cells.kind == "other")
    only_text = bool(cells.kind.is_in(["other", "missing"]).all()) and len(words) > 0
    plain = only_text and name not in orders and find_form(cells, sheet.missing) is None
    meant = options.task == CLASSIFICATION and len(words) > 0
    truth = cells.outside(TRUTHS, lower=True) is None
    if meant or (options.task is None and plain and all(map(_is_word, words.unique()))):
        return classes.as_target(sheet, name, Truth() if truth else Text(), options)
    read = _learn(sheet, name, orders, target=True, options=options)
    return classes.as_target(sheet, name, read, options)


def _is_word(cell: str) -> bool:
    """Whether a cell is text, and no number gone wrong."""
    return fault(cell) is None


def _learn(
    sheet: Sheet, name: str, orders: Mapping[str, str], *, target: bool, options: TableOptions
) -> Number | Truth | Text | Date:
    """How one column can be read; ProblemError, with the cell, where it cannot."""
    cells = sheet.cells(name)
    row = cells.first("other")
    if row is None:
        return Number()
    if cells.outside(TRUTHS, lower=True) is None:
        return Truth()
    form = find_form(cells, sheet.missing)
    if form is not None:
        return Number(form)
    if name in orders and not target:
        if orders[name] in (OPEN, YEAR):
            raise _open_date(sheet, name, orders[name])
        return as_numbers.learn_date(sheet, name, orders[name])
    wrong = fault(cells.text[row])
    only_text = wrong is None and bool(cells.kind.is_in(["other", "missing"]).all())
    if only_text and not target:
        return Text()
    if wrong is None and only_text:
        numeric = options.task == REGRESSION
        wrong = say("text_of_regression" if numeric else "text_of_targets")
    raise _no_number(sheet, name, wrong, target=target, options=options)


def _open_date(sheet: Sheet, name: str, order: str) -> ProblemError:
    """The question what comes first in the dates of a column."""
    row, one, other = both_ways(sheet.cells(name).text)
    place, cell = sheet.place(row, name), sheet.quoted(row, name)
    if order == YEAR:
        text = say("ask_year", place=place, cell=cell, ignore=ignore(name))
        return ProblemError(text, ignore=(name,))
    return ProblemError(say("ask_date", place=place, cell=cell, one=one, other=other), dates=DMY)


def _no_number(
    sheet: Sheet, name: str, wrong: str | None, *, target: bool, options: TableOptions
) -> ProblemError:
    """The problem of a column of numbers with cells that are none."""
    cells = sheet.cells(name)
    row = cells.first("other") or 0
    others = cells.text.filter(cells.kind == "other")
    way = say("way_target") if target else say("way_ignore", ignore=ignore(name))
    remedy: dict[str, Any] = {} if target else {"ignore": (name,)}
    words = others.unique(maintain_order=True).to_list()
    few = len(words) <= 3 and 2 * len(others) < cells.text.count()
    if (
        wrong is None
        and few
        and not any(character.isdigit() for word in words for character in word)
    ):
        spelled = " ".join(option_of("--na", word) for word in words)
        way = say("way_na", n=len(words), way=way, words=spelled)
        remedy = {"na": tuple(words), **({"missing": "drop"} if options.missing == "error" else {})}
    if row == 0 and len(others) == 1 and not target:
        way = say("way_units", way=way, unit=say(sheet.unit), line=sheet.lines[0])
    if target and options.task is None and classes.are_few(sheet, name):
        way = say("way_classes", way=way)
    if wrong is None:
        wrong = say("no_number")
    elif len(others) > 1 and not target:
        wrong = say("one_of_cells", wrong=wrong, n=len(others))
    place, cell = sheet.place(row, name), sheet.quoted(row, name)
    text = say("cell_is_correct", place=place, cell=cell, wrong=wrong, ways=way)
    return ProblemError(text, **remedy)


def _text(sheet: Sheet, name: str, options: TableOptions) -> Text:
    """The reading of a column of categories."""
    words = as_numbers.words_of(Text(merged=options.merge_spellings), sheet, name)
    values = tuple(sorted(words.drop_nulls().unique().to_list()))
    absent = options.missing_category and bool(words.null_count())
    return Text(values, options.merge_spellings, absent)


def _refused_text(
    sheet: Sheet, columns: Sequence[Column], options: TableOptions
) -> list[ProblemError]:
    """Text becomes features only where that was asked for and its values are few."""
    text = {c.name: c.reading for c in columns if isinstance(c.reading, Text)}
    many = [name for name, reading in text.items() if len(reading.values) > MOST_VALUES]
    asked = set(text) if options.one_hot_all else set(options.one_hot_names)
    few = [name for name in text if name not in many and name not in asked]
    if not few and not many:
        return []
    first = next(name for name in text if name in (*few, *many))
    cells = sheet.cells(first)
    row = cells.first("other") or 0
    ways = []
    if few:
        ways.append(say("way_one_hot", names=some(few)))
    if many:
        ways.append(say("way_ignore_values", ignore=ignore(*many), most=MOST_VALUES))
    else:
        key = "way_ignore_many" if len(few) > 1 else "way_ignore"
        ways.append(say(key, ignore=ignore(*few)))
    key = "text_cell" if cells.kind[row] == "other" else "categories"
    place, cell = sheet.place(row, first), sheet.quoted(row, first)
    problem = say(key, place=place, cell=cell, ways=joined(ways, ", "))
    remedy = {"one_hot": tuple(few), "ignore": tuple(many)}
    return [ProblemError(problem, **{name: words for name, words in remedy.items() if words})]
