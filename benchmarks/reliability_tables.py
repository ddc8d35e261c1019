"""Malformed tables: each is refused with a sentence, and nothing is read wrongly.

    python benchmarks/reliability_tables.py            ten thousand tables
    python benchmarks/reliability_tables.py --quick    some dozens, to see that it runs
    python benchmarks/reliability_tables.py --seed 3   others
    python benchmarks/reliability_tables.py --write docs/tables.md      and put the figures there

Hypothesis draws numbers, writes them as a spreadsheet of some country would (separator, decimal
mark, thousands, encoding, quotation marks, line ends, compression), and damages the file. Each is
read in this process. Right: every value that was read is the one that was written. Refused: a
DataError or SettingError of one line. Wrong: another value. Traceback: any other exception, or any
warning. Kinds whose truth is unknown after the damage (flipped bytes, a file cut off, noise) are
checked for tracebacks only. The exit code is 1 if anything was wrong, raised a traceback, or was
refused or read where it should not be.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import io
import math
import sys
import tempfile
import warnings
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl
from _common import Page
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from derivable.data import read_table
from derivable.errors import DataError, SettingError

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.workbooks import ods, xlsx, zipped  # noqa: E402

NAMES = ["surface", "pièces", "année", "loyer m²", "x_1", "Größe", "a b", "prix €", "n°", "Z"]
TARGET = "cible"
NO_NUMBERS = [
    "12k", "abc", "1.2.3", "1,2,3", "--5", "1e", "0x1F", "12 %", "5 €", "$3", "inf", "-Infinity",
    "∞", "1e400", "1e-400", "#DIV/0!", "#REF!", "2024-01-05", "05/01/2024", "12:30", "1/2",
    "1 23", "1 2 3", "12 3456", "٣", "½", "\uff11\uff12", "1_000", "5-", "1,00,000", "1.00.000",
    "e5", "+", ".,", "O", "l2",
]  # fmt: skip
ABSENT = ["", " ", "NA", "n/a", "NaN", "null", "NULL", "-", "#N/A", "None", "?", "\u2014", "\u00a0"]


@dataclass
class Written:
    """Numbers, and how they are written."""

    numbers: dict[str, list[str]]  # as Python would write them
    cells: dict[str, list[str]]  # as in the file
    separator: str
    mark: str
    encoding: str
    end: str
    quoted: bool

    @property
    def rows(self) -> list[list[str]]:
        """The names, and the rows below them."""
        return [list(self.cells), *map(list, zip(*self.cells.values(), strict=True))]

    def content(self, rows: list[list[str]] | None = None) -> bytes:
        """The file."""
        return self.encode([[self.cell(cell) for cell in row] for row in rows or self.rows])

    def cell(self, text: str) -> str:
        """A cell, quoted where it must be."""
        special = self.separator in text or '"' in text or "\n" in text
        return '"' + text.replace('"', '""') + '"' if self.quoted or special else text

    def encode(self, rows: list[list[str]]) -> bytes:
        """The file, of cells that are quoted already."""
        text = self.end.join(self.separator.join(row) for row in rows) + self.end
        return text.encode(self.encoding, errors="replace")

    @property
    def truth(self) -> dict[str, list[float]]:
        """What must be read."""
        return {name: [float(n) for n in numbers] for name, numbers in self.numbers.items()}


@st.composite
def written(draw):
    """A table of 6 to 12 rows, no column of which is constant."""
    rows = draw(st.integers(6, 12))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=4, unique=True))
    mark = draw(st.sampled_from([".", ","]))
    separator = draw(st.sampled_from([",", ";", "\t", "|"]))
    other = "," if mark == "." else "."
    gaps = ["", "", " ", "\u00a0", "\u202f", "'", other]
    if separator == ",":  # there, 1.234 is read as a decimal without asking, as everywhere
        gaps = [gap for gap in gaps if gap != "."]
    thousands = draw(st.sampled_from(gaps))
    columns = {name: draw(numbers(rows)) for name in names}
    half = draw(st.sampled_from(["", ".5"]))  # which shows the mark of the table, or nothing
    columns[TARGET] = [f"{value}{half}" for value in draw(st.permutations(range(rows)))]
    cells = {
        name: [localised(number, mark, thousands) for number in column]
        for name, column in columns.items()
    }
    encodings = ["utf-8", "utf-8-sig", "utf-16"]
    if thousands != "\u202f":
        encodings.append("cp1252")
    encoding, end = draw(st.sampled_from(encodings)), draw(st.sampled_from(["\n", "\r\n"]))
    return Written(columns, cells, separator, mark, encoding, end, quoted=draw(st.booleans()))


def numbers(rows):
    """A column of numbers that are not all the same."""
    return column(rows).filter(lambda cells: len(set(map(float, cells))) > 1)


@st.composite
def column(draw, rows):
    """A column of numbers, all in one style."""
    style = draw(st.sampled_from(["small", "large", "decimals", "three decimals", "scientific"]))
    if style in ("small", "large"):
        most = 20 if style == "small" else 3_000_000
        return [str(draw(st.integers(-most, most))) for _ in range(rows)]
    digits = 3 if style == "three decimals" else draw(st.sampled_from([1, 2, 3, 6]))
    values = [draw(st.integers(-(10**8), 10**8)) / 10**4 for _ in range(rows)]
    if style == "scientific":
        return [f"{value:.{digits}e}" for value in values]
    if style == "three decimals" and draw(st.booleans()):
        values = [1 + abs(value) % 998 for value in values]  # each may be thousands
    return [f"{value:.{digits}f}" for value in values]


def localised(number: str, mark: str, thousands: str) -> str:
    """A number as a spreadsheet writes it."""
    if "e" in number:
        return number.replace(".", mark)
    whole, point, decimals = number.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    if thousands:
        digits = f"{int(digits):,}".replace(",", thousands)
    return sign + digits + (mark + decimals if point else "")


# Each kind draws (bytes, options of read_table, what must be read or None, what may happen).
MUST, MUST_NOT, MAY = "read", "refused", "either"


@st.composite
def well_written(draw):
    """Nothing is wrong; only a number that can be read both ways may be asked about."""
    table = draw(written())
    return table.content(), {}, table.truth, MAY


@st.composite
def marks_stated(draw):
    """The decimal mark and the separator are stated as options."""
    table = draw(written())
    return table.content(), {"decimal": table.mark, "separator": table.separator}, table.truth, MUST


@st.composite
def both_ways(draw):
    """Every cell with a mark can be read as decimals or thousands, unless other columns decide."""
    table = draw(written())
    rows = len(table.cells[TARGET])
    for name in table.cells:
        if name == TARGET and draw(st.booleans()):
            continue  # it may show the mark
        values = draw(
            st.lists(st.integers(1000, 999_999), min_size=rows, max_size=rows, unique=True)
        )
        if draw(st.booleans()):
            table.numbers[name] = [f"{value / 1000:.3f}" for value in values]
            gap = ""
        else:
            table.numbers[name] = [str(value) for value in values]
            gap = "." if table.mark == "," and table.separator != "," else ","
            gap = gap if gap != table.mark else ""
        table.cells[name] = [localised(n, table.mark, gap) for n in table.numbers[name]]
    return table.content(), {}, table.truth, MAY


@st.composite
def spreadsheet_habits(draw):
    """A line sep=;, a last separator, blank lines, blanks around cells, gzip."""
    table = draw(written())
    rows = table.rows
    blank = draw(st.sampled_from(["", " ", "\u00a0"]))
    rows = [[table.cell(blank + cell + blank) for cell in row] for row in rows]
    if draw(st.booleans()):
        rows = [[*row, ""] for row in rows]
    for _ in range(draw(st.integers(0, 2))):
        empty = draw(st.sampled_from([[""], [""] * len(rows[0])]))
        rows.insert(draw(st.integers(1, len(rows))), empty)
    if draw(st.booleans()):
        rows.insert(0, [f"sep={table.separator}"])
    content = table.encode(rows)
    return gzip.compress(content) if draw(st.booleans()) else content, {}, table.truth, MAY


@st.composite
def parquet(draw):
    """Numbers by type, or as text."""
    table = draw(written())
    typed = draw(st.booleans())
    file = io.BytesIO()
    pl.DataFrame(table.truth if typed else table.cells).write_parquet(file)
    return file.getvalue(), {}, table.truth, MUST if typed else MAY


@st.composite
def no_number(draw):
    """One cell that is no number."""
    table = draw(written())
    name = draw(st.sampled_from(list(table.cells)))
    row = draw(st.integers(0, len(table.cells[name]) - 1))
    table.cells[name][row] = draw(st.sampled_from(NO_NUMBERS))
    return table.content(), {}, None, MUST_NOT


@st.composite
def other_mark(draw):
    """One cell with the decimal mark of another country, among decimals of this one."""
    table = draw(written())
    other = "." if table.mark == "," else ","
    column = [f"{number}.5".replace(".", table.mark) for number in range(len(table.cells[TARGET]))]
    row = draw(st.integers(0, len(column) - 1))
    column[row] = column[row].replace(table.mark, other)
    table.cells[TARGET] = column
    return table.content(), {}, None, MUST_NOT


@st.composite
def missing_cells(draw):
    """Cells without a value, in every spelling, by each rule."""
    table = draw(written())
    truth = table.truth
    rows = len(truth[TARGET])
    gone = draw(st.lists(st.integers(0, rows - 1), min_size=1, max_size=2, unique=True))
    name = next(iter(table.cells))
    for row in gone:
        table.cells[name][row] = draw(st.sampled_from(ABSENT))
        truth[name][row] = math.nan
    rule = draw(st.sampled_from(["error", "drop", "median"]))
    if rule == "drop":
        truth = {n: [v for i, v in enumerate(c) if i not in gone] for n, c in truth.items()}
    return table.content(), {"missing": rule}, truth, MUST_NOT if rule == "error" else MAY


@st.composite
def ragged(draw):
    """One line with a cell too many or too few."""
    table = draw(written())
    rows = table.rows
    row = rows[draw(st.integers(0, len(rows) - 1))]
    row.append("7") if draw(st.booleans()) else row.pop()
    return table.content(rows), {}, None, MUST_NOT


@st.composite
def open_quotation(draw):
    """A quotation mark that is not closed, or one inside a quoted cell."""
    table = draw(written())
    rows = table.rows
    rows = [[table.cell(cell) for cell in row] for row in rows]
    row = rows[draw(st.integers(1, len(rows) - 1))]
    column = draw(st.integers(0, len(row) - 1))
    row[column] = '"' + row[column]
    return table.encode(rows), {}, None, MUST_NOT


@st.composite
def wrong_names(draw):
    """No names, a name twice, another target, an ignored column that is not there."""
    table = draw(written())
    rows = table.rows
    how = draw(st.sampled_from(["none", "twice", "target", "ignore", "only target"]))
    options = {"target": {"target": "Cibl"}, "ignore": {"ignore": "nothing"}}.get(how, {})
    if how == "none":
        rows = rows[1:]
    elif how == "twice":
        rows[0][0] = rows[0][1]
    elif how == "only target":
        options = {"ignore": [name for name in table.cells if name != TARGET]}
    return table.content(rows), options, None, MUST_NOT


@st.composite
def answers(draw):
    """A target that is constant, or among the features as it is, scaled or shifted."""
    table = draw(written())
    values = [float(number) for number in table.numbers[TARGET]]
    how = draw(st.sampled_from(["constant", "same", "scaled", "shifted"]))
    if how == "constant":
        table.cells[TARGET] = ["3"] * len(values)
    else:
        factor = 1 if how == "same" else draw(st.sampled_from([2, -0.5, 1000, 0.001]))
        shift = 40 if how == "shifted" else 0
        copied = [repr(factor * value + shift).replace(".", table.mark) for value in values]
        table.cells["copie"] = copied
    return table.content(), {}, None, MUST_NOT


@st.composite
def text_columns(draw):
    """A column of words, with --one-hot: each word must be found again."""
    table = draw(written())
    letters = st.text("aéœ€ñ\"';,|zß 漢😀", min_size=1).map(str.strip).filter(bool)
    words = draw(st.lists(letters, min_size=2, max_size=4, unique=True))
    table.encoding = "utf-8"
    column = [*words[:2], *(draw(st.sampled_from(words)) for _ in table.cells[TARGET][2:])]
    truth = table.truth | {f"mot={w}": [float(cell == w) for cell in column] for w in words}
    table.cells["mot"] = column
    return table.content(), {"one_hot": True}, truth, MAY


UNITS = ["m", "kg", "°C", "%", "€", "umol/kg", "hPa", "m²", "[s]", "(km)"]


@st.composite
def units_rows(draw):
    """A row of units below the names, which may be empty over some columns."""
    table = draw(written())
    rows = table.rows
    units = draw(
        st.lists(st.sampled_from([*UNITS, ""]), min_size=len(rows[0]), max_size=len(rows[0]))
    )
    stated = draw(st.booleans())
    if sum(map(bool, units)) < 2:
        units[:2] = ["m", "kg"]
    rows.insert(1, units)
    return table.content(rows), {"units": "skip"} if stated else {}, table.truth, MAY


@st.composite
def comments(draw):
    """Lines before the names: comments, a title, blank lines."""
    table = draw(written())
    text = st.text("abcé 2024,;:.#", min_size=1, max_size=30).map(str.strip)
    comment = text.map("# {}".format)
    title = st.text("abcé 2024:.", min_size=1, max_size=30).map(lambda s: f"T{s}")
    line = st.sampled_from([comment, title, st.just("")]).flatmap(lambda kind: kind)
    head = draw(st.lists(line, min_size=1, max_size=4))
    content = table.end.join(head) + table.end
    text = content + table.content().decode(table.encoding)
    options = {"header": len(head) + 1} if draw(st.booleans()) else {}
    return text.encode(table.encoding, errors="replace"), options, table.truth, MAY


@st.composite
def totals(draw):
    """A last row that is the sum of the others, with or without a word for it."""
    table = draw(written())
    sums = [format(sum(map(Decimal, column)), "f") for column in table.numbers.values()]
    row = [localised(number, table.mark, "") for number in sums]
    if draw(st.booleans()):
        word = draw(st.sampled_from(["Total", "TOTAL", "Somme", "Ensemble", "Total général"]))
        row[0] = word
    rows = [*table.rows, row]
    if draw(st.booleans()):
        return table.content(rows), {"total": "drop"}, table.truth, MAY
    return table.content(rows), {}, None, MUST_NOT


@st.composite
def signs(draw):
    """A column with a sign or a unit in each cell."""
    table = draw(written())
    name = next(iter(table.cells))
    blank = draw(st.sampled_from(["", " ", "\u00a0"]))
    sign = draw(st.sampled_from(["%", "€", "$", "£", "kg", "m²", "km/h", "°C", "EUR", "hab."]))
    before = sign in "€$£" and draw(st.booleans())
    cells = [sign + blank + cell if before else cell + blank + sign for cell in table.cells[name]]
    odd = draw(st.sampled_from(["", "", "none", "other"]))
    if odd:  # one cell without it, or with another
        cells[-1] = table.cells[name][-1] + ("" if odd == "none" else "ct")
    table.cells[name] = cells
    table.encoding = "utf-8"
    return table.content(), {}, None if odd else table.truth, MUST_NOT if odd else MAY


@st.composite
def parentheses(draw):
    """Negatives in parentheses; a minus beside these is of no one way."""
    table = draw(written())
    name = next(iter(table.cells))
    negative = [float(number) < 0 for number in table.numbers[name]]
    table.cells[name] = [
        f"({cell[1:]})" if here else cell
        for cell, here in zip(table.cells[name], negative, strict=True)
    ]
    if sum(negative) > 1 and draw(st.booleans()):
        row = negative.index(True)
        table.cells[name][row] = f"-{table.cells[name][row].strip('()')}"
        return table.content(), {}, None, MUST_NOT
    return table.content(), {}, table.truth, MAY


@st.composite
def dates(draw):
    """A column of days or moments; one that is none, or a day that no calendar has, is refused."""
    table = draw(written())
    form = draw(
        st.sampled_from(["%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y %H:%M"])
    )
    start, end = datetime.datetime(1971, 1, 1), datetime.datetime(2060, 1, 1)
    moment = st.datetimes(start, end).map(lambda day: day.replace(microsecond=0))
    days = draw(st.lists(moment, min_size=12, max_size=12, unique=True))
    days = days[: len(table.cells[TARGET])]
    cells = [day.strftime(form) for day in days]
    broken = draw(st.sampled_from(["", "", "", "no day", "text"]))
    if broken:
        cells[2] = "31.02.2024" if broken == "no day" else "bientôt"
        if "." not in form:
            cells[2] = cells[2].replace(".", "/" if "/" in form else "-")
    read = [datetime.datetime.strptime(day.strftime(form), form) for day in days]
    past = [(day - min(read)) // datetime.timedelta(microseconds=1) for day in read]
    elapsed = [micro / 86_400e6 for micro in past]
    order = {"%d/": "dmy", "%m/": "mdy", "%d.": "dmy"}.get(form[:3])
    options = {"dates": order} if order and draw(st.booleans()) else {}
    table.cells["jour"] = cells
    table.encoding = "utf-8"
    truth = None if broken else table.truth | {"jour:days": elapsed}
    return table.content(), options, truth, MUST_NOT if broken else MAY


MONTHS = [
    "January February March April May June July August September October November December",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC",
]
SPELLINGS = [  # MONTH is the name of the month
    "%d MONTH %Y", "%d. MONTH %Y", "%d-MONTH-%y", "MONTH %d, %Y", "%a, %d MONTH %Y %H:%M:%S",
    "%d de MONTH de %Y", "%d MONTH %Y %I:%M %p", "%d/%m/%Y %I:%M %p", "%m/%d/%y %I:%M:%S %p",
    "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d.%m.%y %H:%M", "%d-%m-%y", "%y-%m-%d",
]  # fmt: skip


@st.composite
def date_spellings(draw):
    """Dates with names of months, AM and PM, or years of two digits; as above one may be none."""
    table = draw(written())
    form = draw(st.sampled_from(SPELLINGS))
    names = draw(st.sampled_from(MONTHS)).split()
    moment = st.datetimes(datetime.datetime(1971, 1, 1), datetime.datetime(2060, 1, 1))
    days = draw(st.lists(moment, min_size=12, max_size=12, unique=True))
    days = [day.replace(microsecond=0) for day in days[: len(table.cells[TARGET])]]
    cells = [day.strftime(form.replace("MONTH", names[day.month - 1])) for day in days]
    # As far as the spelling shows it, which other code than derivable's reads.
    short = [day.strftime(form.replace("MONTH", "%m")) for day in days]
    read = [datetime.datetime.strptime(cell, form.replace("MONTH", "%m")) for cell in short]
    past = [(day - min(read)) // datetime.timedelta(microseconds=1) for day in read]
    broken = draw(st.sampled_from(["", "", "", "no day", "text", "13 o'clock"]))
    if broken == "13 o'clock" and "%p" in form:
        cells[2] = cells[2].replace(cells[2].split(":")[0][-2:] + ":", "13:", 1)
    elif broken:
        cells[2] = "bientôt" if broken == "text" else f"45{cells[2]}"
    asked = form in ("%d-%m-%y", "%y-%m-%d") and all(1 <= day.year % 100 <= 31 for day in days)
    order = {"%d/": "dmy", "%m/": "mdy", "%d.": "dmy", "%d-": "dmy"}.get(form[:3])
    options = {"dates": order} if order and "MONTH" not in form and draw(st.booleans()) else {}
    table.cells["jour"] = cells
    table.encoding = "utf-8"
    if broken or form == "%y-%m-%d" or (asked and not options):
        return table.content(), options, None, MUST_NOT
    elapsed = [micro / 86_400e6 for micro in past]
    return table.content(), options, table.truth | {"jour:days": elapsed}, MAY


@st.composite
def no_header(draw):
    """A file that begins with data."""
    table = draw(written())
    place = list(table.cells).index(TARGET) + 1
    content = table.content(table.rows[1:])
    if draw(st.booleans()):
        return content, {"target": f"#{place}"}, None, MUST_NOT
    truth = {f"column {i}": values for i, values in enumerate(table.truth.values(), 1)}
    return content, {"target": f"#{place}", "no_header": True}, truth, MAY


@st.composite
def duplicates(draw):
    """Two columns by one name: asked about, renamed, or one of them ignored."""
    table = draw(written())
    first, second, *_ = table.cells
    rows = table.rows
    rows[0][1] = first
    truth = table.truth
    how = draw(st.sampled_from(["asked", "renamed", "first ignored", "second ignored"]))
    if how == "asked":
        return table.content(rows), {}, None, MUST_NOT
    truth[f"{first} (2)"] = truth.pop(second)
    if how == "renamed":
        return table.content(rows), {"rename_duplicates": True}, truth, MAY
    place = "#1" if how == "first ignored" else "#2"
    if len(table.cells) == 3 or draw(st.booleans()):
        return table.content(rows), {"ignore": place}, truth, MAY
    return table.content(rows), {"ignore": (place, list(table.cells)[2])}, truth, MAY


@st.composite
def zips(draw):
    """A file in an archive, alone or named among others."""
    table = draw(written())
    files = {"folder/a.csv": table.content()}
    if draw(st.booleans()):
        return zipped(files), {}, table.truth, MAY
    files["b.csv"] = draw(written()).content()
    if draw(st.booleans()):
        return zipped(files), {}, None, MUST_NOT
    return zipped(files), {"sheet": "folder/a.csv"}, table.truth, MAY


@st.composite
def workbooks(draw):
    """Numbers by type or as text, below a title or not, in one sheet or several."""
    table = draw(written())
    typed = draw(st.booleans())
    columns = table.truth if typed else table.cells
    rows = [list(columns), *map(list, zip(*columns.values(), strict=True))]
    if draw(st.booleans()):
        empty = [None] * (len(rows[0]) - 1)
        rows = [["Ventes de l'année", *empty], [None, *empty], *rows]
    sheets, options = {"Données": rows}, {}
    if draw(st.booleans()):
        sheets["autre"] = rows[:3]
        if draw(st.booleans()):
            return xlsx(sheets), {}, None, MUST_NOT
        options = {"sheet": "Données"}
    write = draw(st.sampled_from([xlsx, ods]))
    return write(sheets), options, table.truth, MUST if typed else MAY


@st.composite
def flipped(draw):
    """Some bytes are others."""
    content = bytearray(draw(st.one_of(parquet(), well_written(), spreadsheet_habits()))[0])
    for _ in range(draw(st.integers(1, 4))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content), {}, None, MAY


@st.composite
def cut_off(draw):
    """The end of the file is missing."""
    content = draw(st.one_of(parquet(), well_written(), spreadsheet_habits()))[0]
    return content[: -draw(st.integers(1, min(60, len(content))))], {}, None, MAY


@st.composite
def noise(draw):
    """Random content with the name of a target."""
    head = draw(
        st.sampled_from([b"", b"a,cible\n", b"\xef\xbb\xbfcible;b\r\n", b"PAR1", b"\x1f\x8b"])
    )
    body = draw(
        st.one_of(
            st.binary(max_size=200), st.text(",;\t\n\"'01.e-x ", max_size=200).map(str.encode)
        )
    )
    return head + body, draw(st.sampled_from([{}, {"one_hot": True, "missing": "drop"}])), None, MAY


KINDS = (
    well_written, both_ways, marks_stated, spreadsheet_habits, parquet, text_columns, missing_cells,
    no_number, other_mark, ragged, open_quotation, wrong_names, answers, units_rows, comments,
    totals, signs, parentheses, dates, date_spellings, no_header, duplicates, zips, workbooks,
    flipped, cut_off, noise,
)  # fmt: skip


TABLES = 385  # of each kind
ACCEPTED = ("right", "refused", "read")


def outcome(folder: Path, content: bytes, options: dict, truth: dict | None, may: str) -> str:
    """What reading does: right, refused, read (its truth is not known), wrong, traceback, ..."""
    file = folder / "table.csv"
    file.write_bytes(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            table = read_table(file, **{"target": TARGET, **options})
    except (DataError, SettingError) as error:
        if "\n" in str(error):
            return "of many lines"
        return "refused" if may != MUST else "refused by mistake"
    except Exception:
        return "traceback"
    if may == MUST_NOT:
        return "read by mistake"
    if truth is None:
        return "read"
    found = dict(zip(table.features, table.x.T.tolist(), strict=True))
    found |= dict(zip(table.targets, table.y.T.tolist(), strict=True))
    same = all(
        len(values) == len(truth[name])
        and all(a == b or (a != a and b != b) for a, b in zip(values, truth[name], strict=True))
        for name, values in found.items()
        if name in truth or not name.startswith("jour:")  # of a date the days are compared
    )
    return "right" if same else "wrong"


def run(kind, examples: int, start: int, folder: Path) -> Counter:
    """The outcomes of one kind; a bad one is shown with its table."""
    counts: Counter = Counter()

    @seed(start)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(kind())
    def judge(case) -> None:
        result = outcome(folder, *case)
        counts[result] += 1
        if result not in ACCEPTED:
            print(f"{kind.__name__}: {result}: {case}", file=sys.stderr)

    judge()
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="some dozens of tables")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", type=Path, help="a Markdown file to write into")
    options = parser.parse_args()
    page = Page()
    page.head("kind", "tables", "right", "refused", "read, truth unknown", "wrong or traceback")
    total: Counter = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            counts = run(kind, 6 if options.quick else TABLES, options.seed, Path(folder))
            total += counts
            page.row(kind.__name__.replace("_", " "), *cells(counts))
    page.row("all", *cells(total))
    if options.write:
        page.write(options.write, "reliability_tables")
    return int(bool(set(total) - set(ACCEPTED)))


def cells(counts: Counter) -> list[int]:
    """The numbers of one row."""
    accepted = [counts[name] for name in ACCEPTED]
    return [counts.total(), *accepted, counts.total() - sum(accepted)]


if __name__ == "__main__":
    sys.exit(main())
