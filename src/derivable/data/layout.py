"""What stands around the rows of a table: lines before the names, units below them, remarks.

Each finding is an object that states itself, with the option that takes it back. What is found
only likely is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import polars as pl

from derivable.data.cells import BLANKS, Cells
from derivable.data.messages import say
from derivable.data.problems import ProblemError, some
from derivable.data.records import Records

UNIT = re.compile(r"[^\W\d_]|[%‰°€$£¥\[(]")  # a letter or a sign, as each unit has
LONGEST_UNIT = 16
DEEPEST = 50  # records that may stand before the names
NO_UNITS = frozenset(
    {"unknown", "inconnu", "inconnue", "unbekannt", "missing", "absent", "error", "none"}
    | {"n.a.", "n.a", "n.d.", "nd", "nc", "nr", "tbd"}
)


class Finding(Protocol):
    """Something that was recognised in a file."""

    @property
    def stated(self) -> str:
        """What it is, and the option that takes it back."""


@dataclass(frozen=True)
class Preamble:
    """Lines before the names."""

    unit: str
    first: int
    last: int
    asked: bool  # --header named the line of names

    @property
    def stated(self) -> str:
        """The lines that are left out."""
        n = self.last - self.first + 1
        unit = say(self.unit if n == 1 else f"{self.unit}s")
        text = say("preamble", n=n, unit=unit, first=self.first, last=self.last)
        if self.asked:
            return text
        return say("header_takes", text=text, unit=say(self.unit), first=self.first)


@dataclass(frozen=True)
class Commented:
    """Names in a line that begins with #."""

    line: int

    @property
    def stated(self) -> str:
        """Where the names are."""
        return say("commented", line=self.line)


@dataclass(frozen=True)
class NoNames:
    """A file that begins with data."""

    width: int

    @property
    def stated(self) -> str:
        """What the columns are called."""
        return say("no_names", width=self.width)


@dataclass(frozen=True)
class Units:
    """The row below the names, with units."""

    place: str
    cells: tuple[str, ...]

    @property
    def stated(self) -> str:
        """What was left out."""
        words = ", ".join(self.cells[:6]) + (", ..." if len(self.cells) > 6 else "")
        return say("units", place=self.place, words=words)


def without_comments(text: str) -> tuple[str, int, list[tuple[int, str]]]:
    """A text without the lines at its top that begin with # or are blank.

    Also how many lines that is, and those with a #: their number, from 0, and what follows the #.
    """
    comments: list[tuple[int, str]] = []
    start = lines = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end].lstrip(BLANKS)
        if line.startswith("#"):
            comments.append((lines, line.lstrip("#" + BLANKS)))
        elif line:
            break
        start, lines = end + 1, lines + 1
    return (text[start:], lines, comments) if comments else (text, 0, [])


def is_number(cell: str) -> bool:
    """Whether a cell can be read as a number, in one way or another."""
    if not any(character.isdigit() for character in cell):
        return False
    return Cells.of(pl.Series([cell], dtype=pl.String)).first("other", "missing") is None


def find_names(records: Records) -> int:
    """Which record holds the names: the first that is no title.

    A title is one cell, alone or with empty ones behind it, above records of more.
    """
    last = len(records.widths) - 1
    for number in range(min(last, DEEPEST)):
        if _filled(records, number) > 1 or not any(
            _filled(records, below) > 1 for below in range(number + 1, min(last, number + 6) + 1)
        ):
            return number
    return min(last, DEEPEST)


def _filled(records: Records, number: int) -> int:
    """1 for a record with nothing behind its first cell, else more."""
    return 1 + any(cell.strip(BLANKS) for cell in records.record(number)[1:])


def looks_like_data(names: Sequence[str], below: pl.DataFrame) -> bool | None:
    """Whether a record is like the columns below; None where these are text."""
    kinds = Cells.of(pl.Series(list(names), dtype=pl.String)).kind
    above = [kind not in ("other", "missing") for kind in kinds]
    if all(above) and _are_years(names):
        return False
    columns = [column.cast(pl.String) for column in below.get_columns()]
    if not any(above):  # names, as soon as one stands over numbers
        for column in columns:
            if is_numeric(Cells.of(column)):
                return False
        numeric = []
    else:
        numeric = [i for i, cells in enumerate(Cells.of_text(columns)) if is_numeric(cells)]
    if numeric:
        return all(above[i] for i in numeric) and not _are_years([names[i] for i in numeric])
    met = all(
        name and bool((column.str.strip_chars(BLANKS) == name).any())
        for name, column in zip(names, columns, strict=True)
    )
    return True if met and columns else None


def ask_for_names(place: str, names: Sequence[str], line: int) -> ProblemError:
    """The question where a record that would be the names is like data."""
    gaps = {"names": some(names, 4), "width": len(names), "line": line}
    return ProblemError(say("ask_names", place=place, **gaps))


def is_numeric(cells: Cells) -> bool:
    """Whether a column holds numbers and nothing else."""
    return cells.first("other") is None and bool(cells.text.count())


def _are_years(names: Sequence[str]) -> bool:
    """Whether numbers are names all the same: years, or a count from 0 or 1."""
    if not all(name.isascii() and name.isdigit() for name in names):
        return False
    values = [int(name) for name in names]
    if len(set(values)) < len(values):
        return False
    steps = {b - a for a, b in pairwise(values)}
    counted = len(values) > 2 and values[0] in (0, 1) and steps == {1}
    return counted or all(1800 <= value <= 2200 for value in values)


def find_units(cells: Sequence[Cells]) -> tuple[str, ...]:
    """The units in the first row of these columns, without a number; empty where it is data.

    Each column of numbers has a word or nothing there, and at least two have a word; one word is
    enough where all else is empty.
    """
    words: list[str] = []
    in_numbers, others = 0, 0
    for column in cells:
        if column.kind[0] == "missing":
            continue
        word = column.text[0]
        short = len(word) <= LONGEST_UNIT and UNIT.search(word)
        if not short or word.lower() in NO_UNITS:
            return ()
        words.append(word)
        below = column.kind[1:]
        if bool(below.is_in(["other"]).any()) or bool((below == "missing").all()):
            others += 1
        else:
            in_numbers += 1
    if in_numbers > 1 or (in_numbers == 1 and not others and len(cells) > 2):
        return tuple(words)
    return ()
