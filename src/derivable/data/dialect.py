"""How a text table is written: its encoding and the character between its cells.

What is found is said; where two answers are equally good, the reader is asked and nothing is
guessed.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter

from derivable.data.problems import ProblemError
from derivable.errors import DataError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SAMPLE = 1_000_000  # characters looked at to find the separator
_MARKS = {
    codecs.BOM_UTF8: ("utf-8-sig", "UTF-8"),
    codecs.BOM_UTF16_LE: ("utf-16", "UTF-16"),
    codecs.BOM_UTF16_BE: ("utf-16", "UTF-16"),
}
_NO_TEXT = {
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
}


def decode(content: bytes, name: str) -> tuple[str, str]:
    """The text of a file, its lines ended by line feeds, and the name of its encoding.

    UTF-16 and UTF-8 with their byte order marks, else UTF-8, else cp1252, which spreadsheets in
    Western Europe write.
    """
    for start, what in _NO_TEXT.items():
        if content.startswith(start):
            raise DataError(f"{name} is {what}, not a text table; save it as CSV or Parquet")
    mark = next((mark for mark in _MARKS if content.startswith(mark)), b"")
    encoding, said = _MARKS.get(mark, ("utf-8", "UTF-8"))
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        try:
            text, said = content.decode("cp1252"), "cp1252"
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise DataError(
                f"{name}, line {line}: the text is neither UTF-8 nor cp1252; save it as UTF-8"
            ) from None
    if "\x00" in text:
        raise DataError(f"{name} is no text table: it holds zero bytes; save it as CSV in UTF-8")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, said


def of_spreadsheet(content: bytes, encoding: str) -> bool:
    """Whether a text is in an encoding that spreadsheets write: with a mark, or cp1252."""
    return content.startswith(tuple(_MARKS)) or encoding == "cp1252"


def find_separator(text: str, name: str) -> str:
    """The separator by which all lines have equally many cells, as many as the names.

    Where none does, one by which all have below the lines of one cell that a title is; else the one
    that fits most lines, and a comma where none occurs.
    """
    widths = {separator: _widths(text, separator) for separator in SEPARATORS}
    plain = {s: found for s, found in widths.items() if found and found[0] > 1}
    whole = [s for s, found in plain.items() if len(set(found)) == 1]
    if not whole:
        titled = {s: _below_title(found) for s, found in widths.items()}
        titled = {s: found for s, found in titled.items() if len(found) > 1}
        even = {s: len(found) for s, found in titled.items() if len(set(found)) == 1}
        most = max(even.values(), default=0)  # the shortest title
        whole = [s for s, length in even.items() if length == most]
        plain = plain or titled
    if len(whole) > 1:
        one, other = (f"{SEPARATORS[s]} ({widths[s][-1]} columns)" for s in whole[:2])
        raise ProblemError(
            f"{name}: the cells may be separated by {one} or by {other}; say which with "
            f"--separator '{whole[0]}' or --separator '{whole[1]}'",
            separator=whole[0],
        )
    shares = {s: Counter(found)[found[0]] / len(found) for s, found in plain.items()}
    return whole[0] if whole else max(shares, key=lambda s: shares[s], default=",")


def _below_title(widths: list[int]) -> list[int]:
    """The widths without the lines of one cell at the top and at the end."""
    several = [number for number, width in enumerate(widths) if width > 1]
    return widths[several[0] : several[-1] + 1] if several else []


def _widths(text: str, separator: str) -> list[int]:
    """How many cells each record has; none where quotation marks do not go with the separator."""
    records = csv.reader(io.StringIO(text[:_SAMPLE]), delimiter=separator, skipinitialspace=True)
    try:
        widths = [len(record) for record in records if record]
    except csv.Error:
        return []
    return widths if len(text) <= _SAMPLE else widths[:-1]  # the last one is cut
