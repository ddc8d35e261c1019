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

import polars as pl

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


def _plain_kind(text: pl.Series) -> pl.Series:
    """The kinds of cells that are digits, with or without a point between them."""
    points = text.str.contains(".", literal=True)
    if not points.any():
        return pl.Series(["whole"]).new_from_index(0, len(text))
    kind = points.replace_strict({True: "point", False: "whole"}, return_dtype=pl.String)
    either = text.str.contains(_EITHER)
    return kind.zip_with(~either, pl.Series(["point?"])) if either.any() else kind


_KINDS = {  # the first pattern that fits
    "whole": rf"^[+-]?[0-9]+{_EXPONENT}$",
    "point?": _EITHER,
    "comma?": r"^[+-]?[1-9][0-9]{0,2},[0-9]{3}$",
    "point": _decimal(r"\.", ","),
    "comma": _decimal(",", r"\."),
}


@dataclass(frozen=True)
class Cells:
    """One column: the text of each cell, and its kind."""

    text: pl.Series  # as in the file, without blanks around it; null where it is missing
    compact: pl.Series  # without blanks between thousands
    kind: pl.Series  # whole, point, comma, point?, comma?, other, missing
    values: pl.Series | None = None  # of a column whose type is a number
    plain: bool = False  # whether all cells are digits, or digits, a point and digits

    @classmethod
    def of_text(cls, columns: list[pl.Series], missing: frozenset[str] = MISSING) -> list[Cells]:
        """The cells of columns of text, all at once: a wide table has thousands of these."""
        if not columns:
            return []
        rows = len(columns[0])
        text = pl.concat([column.rename("raw") for column in columns], rechunk=True)
        text = text.str.strip_chars(BLANKS)
        simple = text.str.contains(_PLAIN).fill_null(value=False).to_numpy()
        # A spelling of a missing value may be a number, after --na -999.
        possible = rows > 0 and not any(_PLAIN_NUMBER.fullmatch(word) for word in missing)
        plain = [
            possible and bool(simple[number * rows :][:rows].all())
            for number in range(len(columns))
        ]
        found: list[Cells] = []
        for number, column in enumerate(columns):
            if not plain[number]:
                found.append(cls.of(column, missing))
                continue
            here = text.slice(number * rows, rows)
            found.append(cls(here, here, _plain_kind(here), plain=True))
        return found

    def keep(self, rows: pl.Series) -> Cells:
        """The cells of those rows only where `rows` is true."""
        values = None if self.values is None else self.values.filter(rows)
        text, compact, kind = (c.filter(rows) for c in (self.text, self.compact, self.kind))
        return Cells(text, compact, kind, values, self.plain)

    @classmethod
    def of(cls, column: pl.Series, missing: frozenset[str] = MISSING) -> Cells:
        """Sort the cells of a column. Raises TypeError where its type is no cell's."""
        dtype = column.dtype
        if dtype.is_numeric():
            return cls._of_numbers(column)
        texts = (pl.String, pl.Boolean, pl.Categorical, pl.Enum, pl.Null)
        if dtype.base_type() not in texts and not dtype.is_temporal():
            raise TypeError(f"its type is {dtype}, where numbers or text are expected")
        raw = pl.col("raw").cast(pl.String).str.strip_chars(BLANKS)
        frame = pl.DataFrame({"raw": column}).select(text=raw)
        absent = pl.col("text").is_null() | pl.col("text").str.to_lowercase().is_in(list(missing))
        frame = frame.select(
            text=pl.when(~absent).then("text"),
            compact=pl.col("text").str.replace("^\u2212", "-"),  # the sign of typesetters
        ).with_columns(
            compact=pl.when(pl.col("compact").str.contains(_GAPPED))
            .then(pl.col("compact").str.replace_all(_GAP, ""))
            .otherwise("compact"),
        )
        fits = [
            pl.when(pl.col("compact").str.contains(pattern)).then(pl.lit(name))
            for name, pattern in _KINDS.items()
        ]
        absent = pl.when(pl.col("text").is_null()).then(pl.lit("missing"))
        frame = frame.with_columns(kind=pl.coalesce(absent, *fits, pl.lit("other")))
        return cls(frame["text"], frame["compact"], frame["kind"])

    @classmethod
    def _of_numbers(cls, column: pl.Series) -> Cells:
        text = column.cast(pl.String).str.strip_suffix(".0")
        frame = pl.DataFrame({"values": column.cast(pl.Float64), "text": text})
        absent = pl.col("values").is_null() | pl.col("values").is_nan()
        frame = frame.select(
            values=pl.when(~absent).then("values"),
            text=pl.when(~absent).then("text"),
            kind=pl.when(absent)
            .then(pl.lit("missing"))
            .when(pl.col("values").is_infinite())
            .then(pl.lit("other"))
            .otherwise(pl.lit("whole")),
        )
        return cls(frame["text"], frame["text"], frame["kind"], frame["values"])

    @property
    def is_blank(self) -> bool:
        """Whether no cell has a value."""
        return not self.plain and self.text.null_count() == len(self.text)

    @cached_property
    def _firsts(self) -> dict[str, int]:
        """The first row of each kind that occurs."""
        return {self.kind[row]: row for row in self.kind.arg_unique().to_list()}

    def first(self, *kinds: str) -> int | None:
        """The first row whose cell is of one of these kinds."""
        return min((row for kind, row in self._firsts.items() if kind in kinds), default=None)

    def outside(self, words: Collection[str], lower: bool = False) -> int | None:
        """The first row whose cell is there and is none of these words."""
        text = self.text.str.to_lowercase() if lower else self.text
        rows = (text.is_not_null() & ~text.is_in(list(words))).arg_true()
        return int(rows[0]) if len(rows) else None


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
        return "is infinite"
    if _SPREADSHEET.fullmatch(cell):
        return "is the error of a spreadsheet's formula"
    if _DATE.fullmatch(cell):
        return "is a date or a time, not a number"
    if _WITH_SIGN.fullmatch(cell):
        sign = re.search(_SIGN, cell)
        return f"carries the sign '{sign[0] if sign else ''}'"
    return None
