"""Rows that are no rows of the data: totals, means and remarks below a table.

These are never left out in silence, and never trained on in silence: the reader is asked.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from derivable.data.cells import Cells
from derivable.data.forms import find_form
from derivable.data.messages import say
from derivable.data.numbers import find_marks, values
from derivable.data.sheet import Sheet
from derivable.errors import DataError
from derivable.messages import SEMICOLON, Message, joined

_WORDS = (
    "grand total|total g[ée]n[ée]ral|sous[- ]total|sub[- ]?total|totals?|totaux|totaal|totale?s?|"
    "sum|somme|summe|suma|somma|soma|ensemble|gesamt|gesamtsumme|insgesamt|"
    "mean|average|avg|moyenne|mittelwert|durchschnitt|media|promedio|gemiddelde|m[ée]dia"
)
_LABEL = re.compile(rf"(?:{_WORDS})\s*[:.]?", re.IGNORECASE)
FEWEST = 4  # rows above a total, below which a sum may be chance
SAME = 1e-9


@dataclass(frozen=True)
class Total:
    """Rows that seem to be totals or remarks."""

    rows: tuple[int, ...]
    where: Message  # line 62, or lines 62 and 63
    why: Message  # 'Total' in 'shop'; each number is the sum of the others

    @property
    def question(self) -> Message:
        """What is asked."""
        return say("total_question", n=len(self.rows), where=self.where, why=self.why)

    @property
    def stated(self) -> Message:
        """What was left out."""
        return say("total_left_out", n=len(self.rows), where=self.where, why=self.why)


def find_total(sheet: Sheet) -> Total | None:
    """The rows at the end that are remarks or totals, or one row that is the sum of the others."""
    last = len(sheet.frame) - 1
    texts = {c: cells for c in sheet.columns if not (cells := sheet.cells(c)).plain}
    rows: list[int] = []
    whys: list[str] = []
    while last > 0:
        why = _remark(sheet, texts, last) or _label(texts, last)
        if why is None:
            break
        rows, whys, last = [last, *rows], [why, *whys], last - 1
    # A remark that follows no total may be a row whose other cells are missing.
    while rows and not _certain(sheet, texts, rows[0]):
        rows, whys = rows[1:], whys[1:]
    if not rows:
        row = _sum_of_others(sheet)
        if row is None:
            return None
        rows, whys = [row], [say("sum_of_others")]
    lines = [str(sheet.lines[row]) for row in rows]
    unit = say(sheet.unit + "s" * (len(lines) > 1))
    where = say("where", unit=unit, numbers=joined(lines, say("and")))
    return Total(tuple(rows), where, joined(whys, SEMICOLON))


def _label(texts: dict[str, Cells], row: int) -> str | None:
    """The word for a total in a row, which no row above has in this column."""
    for column, cells in texts.items():
        cell = cells.text[row]
        if cells.kind[row] == "other" and _LABEL.fullmatch(cell):
            if (cells.text[:row].str.to_lowercase() == cell.lower()).any():
                return None
            return say("word_in", cell=cell, column=column)
    return None


def _remark(sheet: Sheet, texts: dict[str, Cells], row: int) -> str | None:
    """A sentence in the first column, where all other cells of the row are empty."""
    column = sheet.columns[0]
    if sheet.frame.width < 2 or column not in texts or texts[column].kind[row] != "other":
        return None
    if any(sheet.cells(other).kind[row] != "missing" for other in sheet.columns[1:]):
        return None
    return say("alone", cell=sheet.quoted(row, column))


def _certain(sheet: Sheet, texts: dict[str, Cells], row: int) -> bool:
    """Whether a row is a total, or a remark that cannot be a row with missing cells."""
    if _label(texts, row) is not None or sheet.lines[row] in sheet.remarks:
        return True
    above = texts[sheet.columns[0]].kind[:row]
    return not (above == "other").any()


def _sum_of_others(sheet: Sheet) -> int | None:
    """The row each of whose numbers is the sum of the others in its column."""
    if len(sheet.frame) <= FEWEST:
        return None
    rows: set[int] | None = None
    sums: set[int] = set()
    for column in sheet.columns:
        found = _numbers(sheet, column)
        if found is None:
            continue
        present = np.nan_to_num(found)
        filled = np.count_nonzero(present)
        if filled <= FEWEST or np.ptp(present) == 0:
            continue
        slack = SAME * np.abs(present).sum()
        is_sum = np.abs(2 * present - present.sum()) <= slack
        sums |= set(np.flatnonzero(is_sum & (present != 0)).tolist())
        here = set(np.flatnonzero(is_sum | np.isnan(found)).tolist())
        rows = here if rows is None else rows & here
        if not rows:
            return None
    found_rows = sums & (rows or set())
    return found_rows.pop() if len(found_rows) == 1 else None


def _numbers(sheet: Sheet, column: str) -> npt.NDArray[np.float64] | None:
    """The numbers of a column; None where it has none, or where these are not certain."""
    cells = sheet.cells(column)
    if cells.first("other") is not None:
        form = find_form(cells, sheet.missing)
        if form is None:
            return None
        sheet = sheet.written_as({column: form})
    with suppress(DataError):
        mark = find_marks(sheet, [column])[column]
        return values(sheet, column, mark)
    return None
