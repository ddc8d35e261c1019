"""How a text table is written: its encoding and the character between its cells.

What is found is stated; where two answers are equally good, the reader is asked and nothing is
guessed.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter

from derivable.data.messages import say
from derivable.data.problems import ProblemError
from derivable.errors import DataError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}  # keys of messages
_SAMPLE = 1_000_000  # characters in which the separator is found
_MARKS = {
    codecs.BOM_UTF8: ("utf-8-sig", "UTF-8"),
    codecs.BOM_UTF16_LE: ("utf-16", "UTF-16"),
    codecs.BOM_UTF16_BE: ("utf-16", "UTF-16"),
}
_NO_TEXT = {b"%PDF": "pdf", b"SQLite format 3": "sqlite", b"\x89HDF": "hdf5"}
_COMPRESSED = {b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}


def decode(content: bytes, name: str) -> tuple[str, str]:
    """The text of a file, its lines ended by line feeds, and the name of its encoding.

    UTF-16 and UTF-8 with their byte order marks, else UTF-8, else cp1252, which spreadsheets in
    Western Europe write.
    """
    for start, key in {**_NO_TEXT, **_COMPRESSED}.items():
        if content.startswith(start):
            what = say("compressed", by=key) if start in _COMPRESSED else say(key)
            raise DataError(say("no_text", name=name, what=what))
    mark = next((mark for mark in _MARKS if content.startswith(mark)), b"")
    encoding, shown = _MARKS.get(mark, ("utf-8", "UTF-8"))
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        try:
            text, shown = content.decode("cp1252"), "cp1252"
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise DataError(say("encoding", name=name, line=line)) from None
    if "\x00" in text:
        raise DataError(say("zero_bytes", name=name))
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, shown


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
        one, other = (
            say("separator_columns", separator=named_separator(s), n=widths[s][-1])
            for s in whole[:2]
        )
        gaps = {"one": one, "other": other, "first": whole[0], "second": whole[1]}
        raise ProblemError(say("ask_separator", name=name, **gaps), separator=whole[0])
    shares = {s: Counter(found)[found[0]] / len(found) for s, found in plain.items()}
    return whole[0] if whole else max(shares, key=lambda s: shares[s], default=",")


def named_separator(separator: str) -> str:
    """A separator as messages name it."""
    return say(SEPARATORS[separator]) if separator in SEPARATORS else repr(separator)


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
