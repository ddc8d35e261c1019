"""Text to numbers: which mark stands before the decimals, and the values that follow from it.

Each column is decided by its own cells. A column that can be read both ways throughout follows
the other columns where that leaves one reading; where it does not, the reader is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from derivable.data.messages import say
from derivable.data.problems import ProblemError, raise_all
from derivable.data.sheet import Sheet
from derivable.errors import DataError, WholeFileError
from derivable.messages import joined

POINT, COMMA = ".", ","
OTHER = {POINT: COMMA, COMMA: POINT}
_KIND = {POINT: "point", COMMA: "comma"}  # what cells.py calls a cell with this mark
_OPEN = "?"  # each cell of the column can be read both ways


def find_marks(sheet: Sheet, columns: Sequence[str], context: Sequence[str] = ()) -> dict[str, str]:
    """The decimal mark of each column, "." or ","; "" where its cells have none.

    Columns of the `context`, which are not asked for, show how the table is written; one that
    mixes marks is left out.
    Raises DataError where a column mixes two, has another than the user stated, or leaves it open.
    """
    problems: list[ProblemError] = []
    own: dict[str, str] = {}
    for column in columns:
        try:
            decimal = sheet.decimal
            own[column] = (
                _stated_mark(sheet, column, decimal) if decimal else _own_mark(sheet, column)
            )
        except ProblemError as problem:
            problems.append(problem)
    shown = dict(own)
    for column in () if sheet.decimal else context:
        with suppress(DataError):
            shown[column] = _own_mark(sheet, column)
    others = _Others(sheet, shown)
    for column, mark in own.items():
        if mark == _OPEN:
            try:
                own[column] = _mark_from_others(sheet, column, others)
            except ProblemError as problem:
                problems.append(problem)
    raise_all(problems)
    return own


def follow_marks(sheet: Sheet, columns: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """The marks of some columns, as they are known of the whole table that the sheet is part of.

    A column in which none was met follows the others. Raises ProblemError where a cell has another,
    and WholeFileError where none is known.
    """
    met = set(known.values()) & {POINT, COMMA}
    usual = met.pop() if len(met) == 1 else ""
    found = {column: known.get(column, "") or usual for column in columns}
    for column, mark in found.items():
        if mark:
            _stated_mark(sheet, column, mark)
        elif _own_mark(sheet, column):
            raise WholeFileError(say("whole_marks", name=sheet.name, column=column))
    return found


class _Others:
    """What the columns of a table whose marks are known show."""

    def __init__(self, sheet: Sheet, shown: dict[str, str]) -> None:
        self._sheet, self._shown = sheet, shown
        self.marks = set(shown.values()) & {POINT, COMMA}

    @cached_property
    def grouped(self) -> bool:
        """Whether one writes thousands with a mark between them, and decimals behind."""
        known = (column for column, mark in self._shown.items() if mark in self.marks)
        return any(_has(self._sheet, column, r"[0-9][.,][0-9]{3}[.,]") for column in known)


def describe(sheet: Sheet, marks: dict[str, str]) -> str:
    """What was found, in a few words: decimal comma, blanks between thousands."""
    found = [
        (say(f"decimal_{_KIND[mark]}"), [column for column in marks if marks[column] == mark])
        for mark in (POINT, COMMA)
    ]
    found = [(words, columns) for words, columns in found if columns]
    if len(found) == 1:
        parts = [found[0][0]]
    else:
        parts = [say("mark_in", mark=words, columns=columns) for words, columns in found]
    thousands = {
        "points": [c for c, mark in marks.items() if mark == COMMA and _has(sheet, c, r"\.")],
        "commas": [c for c, mark in marks.items() if mark == POINT and _has(sheet, c, ",")],
        "blanks": [c for c in marks if _has(sheet, c, r"[0-9][^0-9.,eE+-][0-9]")],
    }
    parts += [say(f"thousands_{words}") for words, columns in thousands.items() if columns]
    return joined(parts, ", ")


def _has(sheet: Sheet, column: str, pattern: str) -> bool:
    cells = sheet.cells(column)
    if cells.typed or cells.plain:
        return False
    return bool(cells.text.str.contains(pattern).any())


def _stated_mark(sheet: Sheet, column: str, mark: str) -> str:
    """The mark that the user stated, if all cells can have it."""
    cells = sheet.cells(column)
    row = cells.first(_KIND[OTHER[mark]])
    if row is not None:
        gaps = {"mark": say(f"{_KIND[mark]}_mark"), "way": sheet.or_without(column)}
        place, cell = sheet.place(row, column), sheet.quoted(row, column)
        raise ProblemError(say("not_decimal", place=place, cell=cell, **gaps), decimal=None)
    return mark


def has_mark(sheet: Sheet, column: str) -> bool:
    """Whether a cell of a column is written with a mark, of decimals or of thousands."""
    kinds = [kind + end for kind in _KIND.values() for end in ("", _OPEN)]
    return sheet.cells(column).first(*kinds) is not None


def _own_mark(sheet: Sheet, column: str) -> str:
    """The mark that the cells of this column show, or "?"."""
    cells = sheet.cells(column)
    rows = {mark: cells.first(kind) for mark, kind in _KIND.items()}
    shown = {mark: row for mark, row in rows.items() if row is not None}
    if len(shown) == 2:
        one, other = (
            say(
                "cell_in",
                cell=sheet.quoted(row, column),
                unit=say(sheet.unit),
                line=sheet.lines[row],
            )
            for row in shown.values()
        )
        gaps = {"column": column, "one": one, "other": other, "way": sheet.or_without(column)}
        raise ProblemError(say("both_marks", name=sheet.name, **gaps), ignore=(column,))
    for mark in shown:
        _refuse_loose_thousands(sheet, column, mark)
        return mark
    return "" if cells.first("point?", "comma?") is None else _OPEN


def _mark_from_others(sheet: Sheet, column: str, others: _Others) -> str:
    """The mark of a column that can be read both ways, if the rest of the table shows it."""
    cells = sheet.cells(column)
    here = [mark for mark, kind in _KIND.items() if cells.first(f"{kind}?") is not None]
    if not others.marks and here == [POINT] and sheet.separator == COMMA:
        return POINT  # as everybody who separates cells by commas writes decimals
    if len(others.marks) == 1:
        (mark,) = others.marks
        if here == [mark]:
            return mark
        # The cells would be thousands: only where the table is seen to write them so.
        if others.grouped:
            _refuse_loose_thousands(sheet, column, mark)
            return mark
    raise _ask(sheet, column, f"{_KIND[here[0]]}?")


def _refuse_loose_thousands(sheet: Sheet, column: str, mark: str) -> None:
    """Ask where a column would have thousands with a mark between them in some cells only."""
    cells = sheet.cells(column)
    kind = f"{_KIND[OTHER[mark]]}?"
    if cells.first(kind) is not None and cells.compact.str.contains("^[+-]?[0-9]{4}").any():
        raise _ask(sheet, column, kind)


def _ask(sheet: Sheet, column: str, kind: str) -> ProblemError:
    row = sheet.cells(column).first(kind) or 0
    cell = sheet.cells(column).text[row]
    decimal, whole = cell.replace(",", "."), cell.replace(",", "").replace(".", "")
    gaps = {"place": sheet.place(row, column), "cell": cell}
    text = say("ask_decimal", decimal=decimal, whole=whole, **gaps)
    return ProblemError(text, decimal=POINT if kind == "point?" else COMMA)


def values(sheet: Sheet, column: str, mark: str) -> npt.NDArray[np.float64]:
    """The numbers of a column whose cells are numbers with this mark, NaN where one is missing.

    Raises ProblemError for a number that 64 bits cannot hold.
    """
    cells = sheet.cells(column)
    if cells.typed:
        return cells.floats
    found, lost = cells.floats, cells.lost
    if mark and cells.first(f"{_KIND[OTHER[mark]]}?") is not None:  # its marks are of thousands
        text = cells.compact.str.replace_all(OTHER[mark], "", literal=True)
        text = text.str.replace(mark, POINT, literal=True)
        read = text.set(cells.text.is_null(), None).cast(pl.Float64, strict=False)
        found = read.to_numpy().astype(np.float64)
    if lost is not None:
        place, cell = sheet.place(lost, column), sheet.quoted(lost, column)
        problem = say("out_of_range", place=place, cell=cell, way=sheet.or_without(column))
        raise ProblemError(problem, ignore=(column,))
    return found
