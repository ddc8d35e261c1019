"""One column of text, its cells sorted by what each can be read as.

A cell is a whole number, or has decimals after a point or after a comma, or it can be read both
ways: "1,234" is 1.234 in Paris and 1234 in London. Which mark a column uses is decided in
`numbers.py`, by the other cells of the table.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from derivable.data.date_spellings import is_spelled
from derivable.data.messages import say

BLANKS = " \t\r\n\v\f\u00a0\u1680\u2007\u2009\u200a\u200b\u202f\u205f\u3000\ufeff"
MISSING = frozenset(
    {"", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "nat"}
    | {"-", "--", "\u2013", "\u2014", ".", "..", "...", "?"}
)
_YES = "true yes oui vrai ja wahr sí si verdadero sì vero waar sim verdadeiro"
_NO = "false no non faux nein falsch falso nee onwaar não nao"
TRUTHS = dict.fromkeys(_YES.split(), 1.0) | dict.fromkeys(_NO.split(), 0.0)

# What may stand between thousands: blanks (spreadsheets write the narrow no-break one), or the
# Swiss apostrophe. The mark that does not stand before the decimals may stand there too.
_GAP = "[ \u00a0\u2007\u2009\u202f'\u2019]"
_GAPPED = rf"^[+-]?[0-9]{{1,3}}(?:{_GAP}[0-9]{{3}})+(?:[.,][0-9]*)?$"
_EXPONENT = "(?:[eE][+-]?[0-9]+)?"


def _decimal(mark: str, other: str) -> str:
    """The pattern of a number whose decimals can only stand after `mark`."""
    plain = rf"(?:[0-9]+{mark}[0-9]*|{mark}[0-9]+){_EXPONENT}"
    thousands = rf"[1-9][0-9]{{0,2}}(?:{other}[0-9]{{3}})"
    return rf"^[+-]?(?:{plain}|{thousands}+{mark}[0-9]*|{thousands}{{2,}})$"


_PLAIN = r"^[+-]?[0-9]+(?:\.[0-9]+)?$"
_PLAIN_NUMBER = re.compile(_PLAIN)
_EITHER = r"^[+-]?[1-9][0-9]{0,2}\.[0-9]{3}$"  # a point, of decimals or of thousands

_PATTERNS = {  # the first pattern that fits
    "whole": rf"^[+-]?[0-9]+{_EXPONENT}$",
    "point?": _EITHER,
    "comma?": r"^[+-]?[1-9][0-9]{0,2},[0-9]{3}$",
    "point": _decimal(r"\.", ","),
    "comma": _decimal(",", r"\."),
}
BLOCK = 500  # columns of text that are sorted at once
KINDS = [*_PATTERNS, "other", "missing"]
_KIND = pl.Enum(KINDS)
# Literals of that type: to make it of words takes longer than all else that is done with a cell.
_KIND_OF = {name: pl.lit(name, dtype=_KIND) for name in KINDS}


@dataclass(frozen=True)
class Cells:
    """One column: the text of each cell, its kind, and the number that it is by its own mark."""

    text: pl.Series  # as in the file, without blanks around it; null where it is missing
    compact: pl.Series  # without blanks between thousands
    kind: pl.Series  # one of KINDS
    floats: npt.NDArray[np.float64]  # NaN where a cell is no number
    typed: bool = False  # whether the type of the column is a number
    plain: bool = False  # whether all cells are digits, or digits, a point and digits
    leading_zero: bool = False  # whether a whole number begins with a zero, as codes do
    lost: int | None = None  # the first row whose number 64 bits cannot hold

    @classmethod
    def of(cls, column: pl.Series, missing: frozenset[str] = MISSING) -> Cells:
        """Sort the cells of a column whose type is not a number.

        Raises TypeError, of its type, where that is no cell's.
        """
        dtype = column.dtype
        texts = (pl.String, pl.Boolean, pl.Categorical, pl.Enum, pl.Null)
        if dtype.base_type() not in texts and not dtype.is_temporal():
            raise TypeError(dtype)
        return cls.of_text([column.cast(pl.String)], missing)[0]

    @classmethod
    def of_text(cls, columns: list[pl.Series], missing: frozenset[str] = MISSING) -> list[Cells]:
        """The cells of columns of text, all at once: a wide table has thousands of these."""
        rows = len(columns[0]) if columns else 0
        if not rows:
            return [cls(c, c, c.cast(_KIND), np.empty(0)) for c in columns]
        if len(columns) > BLOCK:  # parts of a longer column take longer to cut out
            blocks = (columns[i : i + BLOCK] for i in range(0, len(columns), BLOCK))
            return [cells for block in blocks for cells in cls.of_text(block, missing)]
        text = pl.concat([column.rename("text") for column in columns], rechunk=True)
        # A spelling of a missing value may be a number, after --na -999.
        if any(_PLAIN_NUMBER.fullmatch(word) for word in missing):
            return cls._sliced(_sorted(text.str.strip_chars(BLANKS), missing), rows, plain=False)
        simple = _plain_columns(text, rows)
        if not simple.all():  # without blanks more of them may be
            text = text.str.strip_chars(BLANKS)
            simple = _plain_columns(text, rows)
        if simple.all():
            return cls._sliced(_sorted_plain(text), rows, plain=True)
        chosen = pl.Series(np.repeat(simple, rows, axis=1).ravel())
        general = iter(cls._sliced(_sorted(text.filter(~chosen), missing), rows, plain=False))
        digits = iter(cls._sliced(_sorted_plain(text.filter(chosen)), rows, plain=True))
        return [next(digits if one else general) for one in simple.ravel()]

    @classmethod
    def _sliced(
        cls, whole: pl.DataFrame, rows: int, *, plain: bool, typed: bool = False
    ) -> list[Cells]:
        """The cells of columns that lie behind one another."""
        text, compact, kind = (whole[name] for name in ("text", "compact", "kind"))
        floats = whole["floats"].to_numpy().astype(np.float64)
        codes = kind.to_physical().to_numpy().reshape(-1, rows)
        firsts = [(name, codes == code) for code, name in enumerate(KINDS)]
        firsts = [(name, here) for name, here in firsts if here.any()]
        at = {name: np.where(here.any(1), here.argmax(1), -1) for name, here in firsts}
        zeros = np.any(whole["zero"].to_numpy().reshape(-1, rows), axis=1).ravel()
        lost = whole["lost"].to_numpy().reshape(-1, rows)
        lost_at = np.where(np.any(lost, axis=1), lost.argmax(1), -1)
        found = []
        for number in range(len(codes)):
            start = number * rows
            cells = cls(
                text.slice(start, rows),
                compact.slice(start, rows),
                kind.slice(start, rows),
                floats[start : start + rows],
                typed=typed,
                plain=plain,
                leading_zero=bool(zeros[number]),
                lost=int(lost_at[number]) if lost_at[number] >= 0 else None,
            )
            here = {name: int(first[number]) for name, first in at.items() if first[number] >= 0}
            cells.__dict__["_firsts"] = here  # known for all columns at once
            found.append(cells)
        return found

    @classmethod
    def of_numbers(cls, columns: list[pl.Series]) -> list[Cells]:
        """The cells of columns whose type is a number, all at once."""
        rows = len(columns[0]) if columns else 0
        if not rows:
            return [cls(c, c, pl.Series([], dtype=_KIND), np.empty(0), typed=True) for c in columns]
        if len(columns) > BLOCK:
            blocks = (columns[i : i + BLOCK] for i in range(0, len(columns), BLOCK))
            return [cells for block in blocks for cells in cls.of_numbers(block)]
        whole = pl.concat([c.rename("floats").cast(pl.Float64) for c in columns], rechunk=True)
        number = pl.col("floats")
        kind = (
            pl.when(number.is_null())
            .then(_KIND_OF["missing"])
            .when(number.is_infinite())
            .then(_KIND_OF["other"])
            .otherwise(_KIND_OF["whole"])
        )
        frame = (
            whole.fill_nan(None)
            .to_frame()
            .with_columns(
                text=number.cast(pl.String).str.strip_suffix(".0"),
                kind=kind,
                zero=pl.lit(value=False),
                lost=pl.lit(value=False),
            )
        )
        return cls._sliced(frame.with_columns(compact="text"), rows, plain=False, typed=True)

    @property
    def is_blank(self) -> bool:
        """Whether no cell has a value."""
        return not self.plain and self.text.null_count() == len(self.text)

    @cached_property
    def _firsts(self) -> dict[str, int]:
        """The first row of each kind that occurs."""
        return {str(self.kind[row]): row for row in self.kind.arg_unique().to_list()}

    def first(self, *kinds: str) -> int | None:
        """The first row whose cell is of one of these kinds."""
        return min((row for kind, row in self._firsts.items() if kind in kinds), default=None)

    def outside(self, words: Collection[str], lower: bool = False) -> int | None:
        """The first row whose cell is there and is none of these words."""
        text = self.text.str.to_lowercase() if lower else self.text
        rows = (text.is_not_null() & ~text.is_in(list(words))).arg_true()
        return int(rows[0]) if len(rows) else None


def _plain_columns(text: pl.Series, rows: int) -> npt.NDArray[np.bool_]:
    """Whether each column of so many rows, one behind another, has plain cells only, (C, 1)."""
    fits = text.str.contains(_PLAIN).fill_null(value=False)
    simple: npt.NDArray[np.bool_] = np.all(fits.to_numpy().reshape(-1, rows), 1, keepdims=True)
    return simple


def _sorted(text: pl.Series, missing: frozenset[str]) -> pl.DataFrame:
    """Text sorted into kinds, with its numbers."""
    absent = pl.col("text").is_null() | pl.col("text").str.to_lowercase().is_in(list(missing))
    frame = text.to_frame("text").select(
        text=pl.when(~absent).then("text"),
        compact=pl.col("text").str.replace("^\u2212", "-"),  # the sign of typesetters
    )
    frame = frame.with_columns(
        compact=pl.when(pl.col("compact").str.contains(_GAPPED))
        .then(pl.col("compact").str.replace_all(_GAP, ""))
        .otherwise("compact"),
    )
    absent = pl.when(pl.col("text").is_null()).then(_KIND_OF["missing"])
    fits = [
        pl.when(pl.col("compact").str.contains(pattern)).then(_KIND_OF[name])
        for name, pattern in _PATTERNS.items()
    ]
    frame = frame.with_columns(kind=pl.coalesce(absent, *fits, _KIND_OF["other"]))
    compact, kind = pl.col("compact"), pl.col("kind")
    with_commas = compact.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    number = (
        pl.when(kind.is_in(["comma", "comma?"]))
        .then(with_commas)
        .when(kind.is_in(["whole", "point", "point?"]))
        .then(compact.str.replace_all(",", "", literal=True))
    )
    return _with_losses(frame.with_columns(floats=number.cast(pl.Float64, strict=False)))


def _sorted_plain(text: pl.Series) -> pl.DataFrame:
    """The same of cells that are digits, with or without a point between them."""
    cell = pl.col("text")
    kind = (
        pl.when(~cell.str.contains(".", literal=True))
        .then(_KIND_OF["whole"])
        .when(cell.str.contains(_EITHER))
        .then(_KIND_OF["point?"])
        .otherwise(_KIND_OF["point"])
    )
    frame = text.to_frame("text").with_columns(
        compact="text", kind=kind, floats=cell.cast(pl.Float64, strict=False)
    )
    return _with_losses(frame)


def _with_losses(frame: pl.DataFrame) -> pl.DataFrame:
    """Which numbers begin with a zero, and which 64 bits cannot hold."""
    number, compact = pl.col("floats"), pl.col("compact")
    zeros, begun, lost = frame.select(
        zeros=number == 0,
        begun=(pl.col("kind") == "whole") & compact.str.starts_with("0"),
        lost=~pl.col("kind").is_in(["other", "missing"])
        & (number.is_null() | number.is_infinite()),
    ).get_columns()
    vanished = _matching(frame["compact"], zeros, "^[^eE]*[1-9]")
    return frame.with_columns(
        lost=lost.fill_null(value=False) | vanished,
        zero=_matching(frame["compact"], begun, "^0[0-9]+$"),
    )


def _matching(text: pl.Series, candidates: pl.Series, pattern: str) -> pl.Series:
    """Which of the candidates match; the other cells, which are most, are left alone."""
    rows = candidates.arg_true()
    found = np.zeros(len(text), dtype=np.bool_)
    found[rows.filter(text.gather(rows).str.contains(pattern)).to_numpy()] = True
    return pl.Series(found)


_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2}([T ]\d{1,2}:\d{2}.*)?)?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}( .*)?"
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
)
_INFINITE = re.compile(r"[+-]?(inf|infinity|infini|\u221e|1\.#inf)", re.IGNORECASE)
_SPREADSHEET = re.compile(r"#[\w/]+[!?]")
_SIGN = "[%\u2030\u20ac$\u00a3\u00a5]"
_WITH_SIGN = re.compile(rf"[+-]?\s*({_SIGN}\s*[+-]?[\d.,\s'\u2019]+|[\d.,\s'\u2019]+{_SIGN})")


def fault(cell: str) -> str | None:
    """What is wrong with a cell that holds something better known than text; else None."""
    if _INFINITE.fullmatch(cell):
        return say("infinite")
    if _SPREADSHEET.fullmatch(cell):
        return say("formula_error")
    if _DATE.fullmatch(cell) or is_spelled(cell):
        return say("date_not_number")
    if _WITH_SIGN.fullmatch(cell):
        sign = re.search(_SIGN, cell)
        return say("has_sign", sign=sign[0] if sign else "")
    return None
