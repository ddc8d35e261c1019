"""Other spellings of dates and times, brought to the one that `dates.py` reads.

14 mars 2024 becomes 2024-03-14, 2:30 PM becomes 14:30, and 14/03/24 becomes 14/03/2024. A cell in
none of these spellings stays as it is. A time that no clock shows, such as 13:30 PM, becomes one
that is refused.
"""

from __future__ import annotations

import re
import unicodedata

import polars as pl

from derivable.data.kinds import DMY, ISO, MDY

# The names of the months, in English, French, German and Spanish, and their abbreviations. The
# first two of each month are the English and the French name.
_MONTHS = (
    "january janvier jan janv januar jänner jaenner jän enero ene",
    "february février feb fév févr februar febr febrero",
    "march mars mar märz maerz mär mrz marzo",
    "april avril apr avr abril abr",
    "may mai mayo",
    "june juin jun juni junio",
    "july juillet jul juil juli julio",
    "august août aug aoû agosto ago",
    "september septembre sep sept septiembre setiembre",
    "october octobre oct okt oktober octubre",
    "november novembre nov noviembre",
    "december décembre dec déc dez dezember diciembre dic",
)
_WEEKDAY_NAMES = (
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri "
    "sat sun lundi mardi mercredi jeudi vendredi samedi dimanche lun mar mer jeu ven sam dim "
    "montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so "
    "lunes martes miércoles jueves viernes sábado domingo mié jue vie sáb dom"
)


def _spelled(word: str) -> set[str]:
    """A word with its accents as one sign or as two, and without them."""
    apart = unicodedata.normalize("NFD", word)
    bare = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return {word, apart, bare}


MONTH_NAMES = tuple((words.split()[0], words.split()[1]) for words in _MONTHS)
_MONTH_OF = {
    spelling: number
    for number, words in enumerate(_MONTHS, 1)
    for word in words.split()
    for spelling in _spelled(word)
}
_WEEKDAYS = [spelling for word in _WEEKDAY_NAMES.split() for spelling in _spelled(word)]

# Cells are in lower case where these are matched. `[0-9]`, because `\d` knows other digits too.
_PAST = r":[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"
_CLOCK = rf"[0-9]{{1,2}}{_PAST}"
_HALF = r"\s*(?P<half>[ap])\.?\s?m\.?"  # am, PM, a.m., p. m.
_ZONE = r"z|utc|gmt|[+-][0-9]{2}:?[0-9]{2}"
_BLANK = r"(?:,?\s+(?:(?:at|à|um)\s+)?)"
_TIME = rf"(?P<clock>{_CLOCK})(?:\s*uhr)?\s*(?P<zone>{_ZONE})?"
_DAY = r"(?P<day>[0-9]{1,2})(?:er|st|nd|rd|th|º|°)?\.?"
_WORD = r"(?P<month>[a-zß-ÿ\u0300-\u036f]{3,})\.?"
_BEFORE = r"^(?:(?P<weekday>[a-zß-ÿ\u0300-\u036f]{2,})\.?,?\s+)?"
_GAP = r"(?:\s*[-/,]?\s*)"
_APART = r"(?:\s*[-/,]\s*|\s+)"
# A year of two digits stands apart, and a blank is behind it: 12DEC45 may be a code, and logs
# write Mar 14 20:10:15 without a year. mar2024 is a month, and not 20 March 2024.
_YEARS = (
    rf"(?P<year>[0-9]{{4}})(?:(?:{_BLANK}|[t:]){_TIME})?$",
    rf"(?P<year>'?[0-9]{{2}})(?:{_BLANK}{_TIME})?$",
)
_DAY_FIRST = rf"{_BEFORE}{_DAY}{_GAP}(?:de\s+|of\s+)?{_WORD}"
_MONTH_FIRST = rf"{_BEFORE}{_WORD}{_GAP}{_DAY}{_APART}"
_NAMED = (
    rf"{_DAY_FIRST}{_GAP}(?:del?\s+)?{_YEARS[0]}",
    rf"{_DAY_FIRST}(?:\.|{_APART})(?:del?\s+)?{_YEARS[1]}",
    *(_MONTH_FIRST + year for year in _YEARS),
    rf"^{_WORD}{_GAP}(?:del?\s+)?(?P<year>[0-9]{{4}})$",
    rf"^(?P<year>[0-9]{{4}}){_GAP}{_WORD}(?:{_GAP}{_DAY}(?:(?:{_BLANK}|t){_TIME})?)?$",
)
_GROUPS = ("weekday", "day", "month", "year", "clock", "zone")
_NAMED_CELLS = tuple(map(re.compile, _NAMED))
_LETTERS = r"[A-Za-zÀ-ÿ\u0300-\u036f]{3}"  # am, pm and Z are no name

_HALF_DAY = rf"(?i)[0-9]{_HALF}$"
_HALVES = rf"(?i)^(?P<head>.*?)(?P<hour>[0-9]{{1,2}})(?P<rest>{_PAST}){_HALF}$"
_BARE = rf"(^|[\sT:])[0-9]{{1,2}}({_PAST})$"
_HALF_CELL = re.compile(rf"(?:.*[\s:])?{_CLOCK}{_HALF}")

_LAST = r"^([0-9]{1,2}[-/.][0-9]{1,2}[-/.])"
_SHORT = r"^([0-9]{1,2})([-/.])([0-9]{1,2})[-/.]([0-9]{2})(?:\s.*)?$"


def is_spelled(cell: str) -> bool:
    """Whether a cell is a date with the name of a month, or a time with AM or PM."""
    lower = cell.lower()
    if _HALF_CELL.fullmatch(lower):
        return True
    found = (pattern.match(lower) for pattern in _NAMED_CELLS)
    return any(match is not None and match["month"] in _MONTH_OF for match in found)


def digits(text: pl.Series, order: str, *, short: bool) -> pl.Series:
    """Each cell in digits, in an order of year, month and day; years of two digits if `short`."""
    text = clocks(text)
    named = names(text, order)
    if short:
        return named["cell"].fill_null(years(text))
    whole = pl.when(~named["short"]).then(named["cell"])
    return pl.select(whole).to_series().fill_null(text)


def clocks(text: pl.Series) -> pl.Series:
    """Times with AM or PM as 24 hours show them; others stay.

    Hours that no such clock shows become 99, and so do those of a time without AM or PM in a
    column where others have it: 2:30 beside 3:15 PM is of either half of the day.
    """
    if not halves(text).any():
        return text
    parts = text.str.extract_groups(_HALVES).struct.unnest()
    late = pl.col("half").str.to_lowercase() == "p"
    hour = pl.col("hour").cast(pl.Int64)
    shown = pl.when(hour.is_between(1, 12)).then(hour % 12 + 12 * late.cast(pl.Int64)).otherwise(99)
    whole = pl.concat_str("head", shown.cast(pl.String).str.zfill(2), "rest")
    return parts.select(whole).to_series().fill_null(text.str.replace(_BARE, "${1}99${2}"))


def halves(text: pl.Series) -> pl.Series:
    """Which cells end in AM or PM."""
    return text.str.contains(_HALF_DAY)


def years(text: pl.Series) -> pl.Series:
    """Dates of numbers that end in a year of two digits, with four: 1969 to 2068."""
    if not text.str.contains(_SHORT).any():
        return text
    early = text.str.replace(rf"{_LAST}(69|[7-9][0-9])(\s.*)?$", "${1}19${2}${3}")
    return early.str.replace(rf"{_LAST}([0-9]{{2}})(\s.*)?$", "${1}20${2}${3}")


def short_numbers(text: pl.Series) -> pl.DataFrame:
    """The numbers of dates such as 14/03/24 (first, second, third) and what is between (mark)."""
    parts = text.str.extract_groups(_SHORT).struct.unnest()
    parts.columns = ["first", "mark", "second", "third"]
    return parts.with_columns(pl.col("first", "second", "third").cast(pl.Int64))


def is_short(text: pl.Series) -> pl.Series:
    """Which cells are dates with a year of two digits."""
    return text.str.contains(_SHORT) | names(text, ISO)["short"]


def has_names(text: pl.Series) -> pl.Series:
    """Which cells have a word, as dates with the name of a month do."""
    found = text.str.contains(_LETTERS)
    if not found.any():
        return found
    return text.str.replace(r"(?i)(?:utc|gmt)$", "").str.contains(_LETTERS)


def names(text: pl.Series, order: str) -> pl.DataFrame:
    """Dates with the name of a month in digits (cell), and whether their year has two (short).

    A cell is null where it is no such date.
    """
    named = has_names(text).fill_null(value=False)
    if not named.any():
        nothing = pl.repeat(None, len(text), dtype=pl.String)
        return pl.select(cell=nothing, short=pl.repeat(value=False, n=len(text)))
    rest = pl.DataFrame({"text": text.str.to_lowercase()}).with_row_index("row")
    rows, rest = rest.select("row"), rest.filter(named)
    found = [rows.clear().with_columns(cell=pl.lit("", dtype=pl.String), short=pl.lit(value=False))]
    for pattern in _NAMED:
        fits = rest["text"].str.contains(pattern)
        if fits.any():
            found.append(_in_digits(rest.filter(fits), pattern, order))
            rest = rest.filter(~fits)
    whole = rows.join(pl.concat(found), on="row", how="left").sort("row")
    return whole.select("cell", pl.col("short").fill_null(value=False))


def _in_digits(cells: pl.DataFrame, pattern: str, order: str) -> pl.DataFrame:
    """Cells that have this pattern, with the names in it as numbers."""
    groups = cells["text"].str.extract_groups(pattern).struct.unnest()
    absent = [name for name in _GROUPS if name not in groups.columns]
    groups = groups.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
    digits = pl.col("year").str.strip_chars("'")
    century = pl.when(digits >= "69").then(pl.lit("19")).otherwise(pl.lit("20"))
    year = pl.when(digits.str.len_chars() == 2).then(century + digits).otherwise(digits)
    month = pl.col("month").replace_strict(_MONTH_OF, default=None, return_dtype=pl.Int64)
    day = pl.col("day")
    if order == ISO:
        date = pl.concat_str([year, month, day], separator="-", ignore_nulls=False)
        date = date.fill_null(pl.concat_str([year, month], separator="-"))
    else:
        places = {DMY: [day, month, year], MDY: [month, day, year]}[order]
        date = pl.concat_str(places, separator="/")
    zone = pl.col("zone").str.to_uppercase().str.replace("GMT", "UTC", literal=True)
    clock = (" " + pl.col("clock")).fill_null("")
    short = digits.str.len_chars() == 2
    known = month.is_not_null() & pl.col("weekday").fill_null("mo").is_in(_WEEKDAYS)
    return groups.select(
        row=cells["row"],
        cell=pl.when(known).then(date + clock + zone.fill_null("")),
        short=known & short,
    )
