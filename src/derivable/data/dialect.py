"""How a text table is written: its encoding and the character between its cells.

What is found is said; where two answers are equally good, the reader is asked and nothing is
guessed.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter

from derivable.errors import DataError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SAMPLE = 1_000_000  # characters looked at to find the separator
_MARKS = {
    codecs.BOM_UTF8: ("utf-8-sig", "UTF-8"),
    codecs.BOM_UTF16_LE: ("utf-16", "UTF-16"),
    codecs.BOM_UTF16_BE: ("utf-16", "UTF-16"),
}
_NO_TEXT = {
    b"PK\x03\x04": "an Excel or OpenDocument workbook, or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
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
    return text.replace("\r\n", "\n").replace("\r", "\n"), said


def find_separator(text: str, name: str) -> str:
    """The separator by which all lines have equally many cells, as many as the names.

    Where no separator fits all lines, the one that fits most of them; where none occurs, a comma.
    """
    widths = {separator: _widths(text, separator) for separator in SEPARATORS}
    shares = {
        separator: Counter(found)[found[0]] / len(found)
        for separator, found in widths.items()
        if found and found[0] > 1
    }
    whole = [separator for separator, share in shares.items() if share == 1]
    if len(whole) > 1:
        one, other = (f"{SEPARATORS[s]} ({widths[s][0]} columns)" for s in whole[:2])
        raise DataError(
            f"{name}: the cells may be separated by {one} or by {other}; say which with "
            f"--separator '{whole[0]}' or --separator '{whole[1]}'"
        )
    return max(shares, key=lambda separator: shares[separator], default=",")


def _widths(text: str, separator: str) -> list[int]:
    """How many cells each record has; none where quotation marks do not go with the separator."""
    records = csv.reader(io.StringIO(text[:_SAMPLE]), delimiter=separator, skipinitialspace=True)
    try:
        widths = [len(record) for record in records if record]
    except csv.Error:
        return []
    return widths if len(text) <= _SAMPLE else widths[:-1]  # the last one is cut
