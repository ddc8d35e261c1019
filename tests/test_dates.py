"""Spellings of dates: names of months, AM and PM, years of two digits. The truth is `datetime`."""

from __future__ import annotations

import datetime
import json
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivable.data import Columns, Table, read_sheet, read_table, reading
from derivable.data.cells import Cells, fault
from derivable.data.dates import OPEN, YEAR, find_order, moments
from derivable.data.kinds import CLOCK, DMY, ISO, MDY, Date
from derivable.errors import DataError
from derivable.language import speaking
from tests.test_new_files import fitted, predicted
from tests.test_table_files import lines

Moment = datetime.datetime
Spelling = Callable[[Moment], str]

# Names and abbreviations as locales of operating systems and spreadsheets have them.
FULL = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
    "diciembre",
}
SHORT = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "en dots": "Jan. Feb. Mar. Apr. May June July Aug. Sept. Oct. Nov. Dec.",
    "fr": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "de": "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
    "de dots": "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
    "es": "ene feb mar abr may jun jul ago sept oct nov dic",
}
WEEKDAYS = {
    "en": "Mon Tue Wed Thu Fri Sat Sun",
    "en full": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "fr short": "lun. mar. mer. jeu. ven. sam. dim.",
    "de": "Mo. Di. Mi. Do. Fr. Sa. So.",
    "de full": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "es short": "lun mar mié jue vie sáb dom",
}
MONTHS = [words.split() for words in (*FULL.values(), *SHORT.values())]
CASES: list[Callable[[str], str]] = [
    str, str.upper, str.lower, str.title,
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: "".join(c for c in unicodedata.normalize("NFD", text) if ord(c) < 128),
]  # fmt: skip
NAMED = (
    "{d} {m} {y}", "{d:02} {m} {y}", "{d}-{m}-{y}", "{d}. {m} {y}", "{d}/{m}/{y}", "{m} {d}, {y}",
    "{m} {d} {y}", "{m}-{d:02}-{y}", "{d} de {m} de {y}", "{d} {m}, {y}", "{d:02}{m}{y}",
    "{y}-{m}-{d:02}", "{w}, {d} {m} {y}", "{w} {d} {m} {y}", "{w}, {m} {d}, {y}",
    "{w}, {d} de {m} de {y}",
)  # fmt: skip
CLOCKS: tuple[Spelling, ...] = (
    lambda t: "",
    lambda t: f"{t:%H:%M}",
    lambda t: f"{t:%H:%M:%S}",
    lambda t: f"{t:%I:%M %p}",
    lambda t: f"{t.hour % 12 or 12}:{t:%M:%S} {'ap'[t.hour >= 12]}.m.",
    lambda t: f"{t:%I:%M:%S%p}".lower(),
)
SOME = st.datetimes(Moment(1970, 1, 1), Moment(2060, 1, 1)).map(lambda t: t.replace(microsecond=0))


def clocked(moment: Moment, clock: str) -> Moment:
    """A moment as far as its spelling shows it."""
    seconds = moment.second if clock.count(":") == 2 else 0
    return moment.replace(second=seconds) if clock else Moment(*moment.timetuple()[:3])


@st.composite
def named(draw: Any, clock: Spelling) -> tuple[str, Moment]:
    """A date with the name of its month."""
    moment, case = draw(SOME), draw(st.sampled_from(CASES))
    names, days = draw(st.sampled_from(MONTHS)), draw(st.sampled_from([*WEEKDAYS.values()]))
    gaps = {"d": moment.day, "m": names[moment.month - 1], "y": moment.year}
    form = draw(st.sampled_from(NAMED))
    day = case(form.format(**gaps, w=days.split()[moment.weekday()]))
    time = clock(moment)
    return f"{day} {time}".strip(), clocked(moment, time)


@st.composite
def named_columns(draw: Any) -> list[tuple[str, Moment]]:
    """Dates with the names of their months, each in another spelling, all with a time or none."""
    return draw(st.lists(named(draw(st.sampled_from(CLOCKS))), min_size=1, max_size=12))


@settings(max_examples=150, deadline=None)
@given(named_columns())
def test_dates_with_names_of_months(column: list[tuple[str, Moment]]) -> None:
    cells, truth = zip(*column, strict=True)
    text = pl.Series(cells)
    assert find_order(Cells.of(text)) == ISO, cells
    assert moments(text, ISO).to_list() == [*truth], cells
    assert fault(cells[0]) == "is a date or a time, not a number"


@settings(max_examples=150, deadline=None)
@given(
    st.lists(SOME, min_size=1, max_size=12),
    st.sampled_from([DMY, MDY]),
    st.sampled_from("/.-"),
    st.sampled_from(CLOCKS),
    st.booleans(),
    st.booleans(),
)
def test_dates_of_numbers(
    days: list[Moment], order: str, mark: str, clock: Spelling, padded: bool, short: bool
) -> None:
    width = 2 if padded else 1

    def written(day: Moment) -> str:
        numbers = (day.day, day.month) if order == DMY else (day.month, day.day)
        year = f"{day:%y}" if short else f"{day:%Y}"
        return mark.join([*(f"{n:0{width}}" for n in numbers), year]) + f" {clock(day)}".rstrip()

    text = pl.Series([written(day) for day in days])
    truth = [clocked(day, clock(day)) for day in days]
    assert moments(text, order, short=True).to_list() == truth
    if short:
        assert moments(text, order).null_count() == len(text), "only where years have two digits"
    found = find_order(Cells.of(text))
    if found == YEAR:
        assert short
        first, last = (len({getattr(day, part) for day in days}) for part in ("day", "year"))
        assert mark == "-" or order == MDY or first < last
    elif found != OPEN:
        assert found == order, text.to_list()


@settings(max_examples=100, deadline=None)
@given(st.lists(SOME, min_size=1, max_size=12), st.sampled_from(CLOCKS[3:]))
def test_times_with_am_and_pm(days: list[Moment], clock: Spelling) -> None:
    text = pl.Series([clock(day) for day in days])
    assert find_order(Cells.of(text)) == CLOCK
    truth = [clocked(day, clock(day)).time() for day in days]
    assert moments(text, CLOCK).dt.time().to_list() == truth
    stamps = pl.Series([f"{day:%Y-%m-%d} {clock(day)}" for day in days])
    assert find_order(Cells.of(stamps)) == ISO
    assert moments(stamps, ISO).to_list() == [clocked(day, clock(day)) for day in days]


@pytest.mark.parametrize(
    ("cell", "truth"),
    [
        ("14-Mar-24", "2024-03-14"),
        ("1er août 2024", "2024-08-01"),
        ("Mar. 1st, 2024", "2024-03-01"),
        ("Fri, 14 Mar 2024", "2024-03-14"),
        ("vendredi 14 mars 2024", "2024-03-14"),
        ("viernes, 14 de marzo de 2024", "2024-03-14"),
        ("14 Mar '69", "1969-03-14"),
        ("14 Mar 68", "2068-03-14"),
        ("Mar 2024", "2024-03-01"),
        ("mars-2024", "2024-03-01"),
        ("mar2024", "2024-03-01"),
        ("14 mars 2024 à 14:30", "2024-03-14 14:30"),
        ("14/Mar/2024:10:30:00 +0100", "2024-03-14 09:30"),
        ("Fri, 14 Mar 2024 10:30:00 GMT", "2024-03-14 10:30"),
        ("14 Mar 2024\u202f2:30\u202fp.\u00a0m.", "2024-03-14 14:30"),
        ("2024-03-14 12:00 AM", "2024-03-14 00:00"),
        ("2024-03-14 12:00 PM", "2024-03-14 12:00"),
    ],
)
def test_a_cell_that_is_a_date(cell: str, truth: str) -> None:
    text = pl.Series([cell])
    assert find_order(Cells.of(text)) == ISO
    assert moments(text, ISO, short=True)[0] == Moment.fromisoformat(truth)


@pytest.mark.parametrize(
    "cell",
    [
        "March", "May", "mar", "Mar-24", "Mar 24", "14 Mar", "14 Foo 2024", "12DEC45", "mai 2024 x",
        "Mar 20.24", "Mar 14 20:10:15", "xyz 14 Mar 2024", "1.2.3", "13/13/24", "Mars 1024", "2 PM",
    ],
)  # fmt: skip
def test_a_cell_that_is_no_date(cell: str) -> None:
    assert find_order(Cells.of(pl.Series([cell]))) is None


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["14.03.24", "02.11.23"], DMY),
        (["3/14/24", "11/02/23"], MDY),
        (["03/04/24", "04/04/24", "05/04/24"], OPEN),
        (["14-03-99", "15-03-99"], DMY),  # 99 is no day
        (["14-03-24", "15-03-2024"], DMY),  # a year of four digits is last
        (["24-03-14", "24-05-02"], YEAR),
        (["14-03-24", "15-03-24"], YEAR),
        (["99/03/14", "98/05/02"], YEAR),
        (["24/03/14", "24/03/15", "24/05/02"], YEAR),  # the last number varies most
        (["14/03/24", "15/03/24", "02/05/24"], DMY),
        (["14 mars 2024", "14/03/2024"], DMY),
        (["14 mars 2024", "3/14/24"], MDY),
        (["14 mars 2024", "2024-03-14"], ISO),
        (["14 mars 2024", "03/04/2024"], OPEN),
    ],
)
def test_what_comes_first(cells: list[str], order: str) -> None:
    assert find_order(Cells.of(pl.Series(cells))) == order


def test_mixed_spellings_of_one_order() -> None:
    text = pl.Series(["14/03/2024", "14 mars 2024", "Mar 14, 2024 2:30 PM", None, "14/3/24"])
    day = Moment(2024, 3, 14)
    expected = [day, day, day.replace(hour=14, minute=30), None, day]
    assert moments(text, DMY, short=True).to_list() == expected
    long = pl.concat([text] * 100)  # each distinct cell is read once
    assert moments(long, DMY, short=True).to_list() == expected * 100
    mixed = pl.Series(["2024-03-14", "14 mars 2024"])
    assert moments(mixed, DMY).to_list() == [None, day], "ISO 8601 is another order"


DAYS = [Moment(1995, 1, 9, 6, 30) + datetime.timedelta(days=331, hours=7) * i for i in range(40)]
SHUFFLED = random.Random(0).sample(DAYS, 40)


def table(write: Spelling, names: str = "d", days: list[Moment] = SHUFFLED) -> str:
    return f"{names};a;y\n" + lines(";", [(write(day), i % 7, i % 9) for i, day in enumerate(days)])


def read(tmp_path: Path, content: str, **options: Any) -> Table:
    file = tmp_path / "sales.csv"
    file.write_text(content, encoding="utf-8")
    return read_table(file, target="y", **options)


def french(day: Moment) -> str:
    return f"{day.day} {FULL['fr'].split()[day.month - 1]} {day.year}"


SPELLINGS: dict[str, tuple[Spelling, str]] = {
    "named": (french, "'d' is a date with the name of the month, read as elapsed days"),
    "oracle": (lambda t: f"{t:%d-%b-%y}".upper(), "are 1969 to 1999, 00 to 68 are 2000 to 2068)"),
    "american": (lambda t: f"{t:%m/%d/%y %I:%M %p}", "'d' is a date (month, day, year), read as"),
    "clock": (lambda t: f"{t:%I:%M %p}", "'d' is a time of day, read as hours"),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_column_is_read_again_as_it_was(name: str, tmp_path: Path) -> None:
    write, message = SPELLINGS[name]
    read_in = read(tmp_path, table(write))
    assert message in read_in.detected
    first = min(DAYS) if name == "american" else min(DAYS).replace(hour=0, minute=0)
    day = SHUFFLED[0] if name == "american" else SHUFFLED[0].replace(hour=0, minute=0)
    past = (day - first).total_seconds() / 86400
    clock = SHUFFLED[0].hour + SHUFFLED[0].minute / 60
    assert read_in.x[0, 0].item() == pytest.approx(clock if name == "clock" else past)
    assert read_in.columns is not None
    kept = Columns.from_dict(json.loads(json.dumps(read_in.columns.to_dict())))
    assert kept == read_in.columns
    again = reading.features(read_sheet(tmp_path / "sales.csv"), kept)
    assert again.equal(read_in.x)


def test_a_part_that_is_constant_beside_missing_cells_is_no_feature(tmp_path: Path) -> None:
    days = table(lambda t: "" if t.day % 5 == 0 else f"{t:%d/%m/%Y}")
    found = read(tmp_path, days, missing="median").features
    assert "d:days" in found
    assert "d:hour:sin" not in found


def test_documents_of_columns_with_years_of_four_digits_are_as_before() -> None:
    before = {"order": "dmy", "parts": ["days"], "origin": 5}
    assert Date.from_dict(before).to_dict() == before
    assert Date.from_dict({**before, "short": True}).to_dict() == {**before, "short": True}


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["14 mars 2024", "31 avril 2024"], "line 3, .*: '31 avril 2024' is no date of the cal"),
        (["2:30 PM", "13:30 PM"], "line 3, .*: '13:30 PM' is no time of day; correct the cell, or"),
        (["2:30 PM", "0:30 AM"], "'0:30 AM' is no time of day"),
        (["2:30 PM", "3:15"], "'3:15' is a time without AM or PM, which others of the column have"),
        (["30.04.24", "31.04.24"], "'31.04.24' is no date .day, month, year.; correct the cell"),
        (["24-03-14", "24-03-15"], "'24-03-14' has a year of two digits, and the year may come fi"),
        (["03/04/24", "02/05/24"], "can be read as 3 April 2024 or as 4 March 2024; say which"),
        (["14 Mar 2024", "03/04/2024"], "line 3, .*: '03/04/2024' can be read as 3 April 2024 or"),
        (["14 Mar 2024", "soon"], "'14 Mar 2024' is a date or a time, not a number"),
        (["Mar-24", "Apr-24"], "'Mar-24' is text; --one-hot makes a feature of each"),
    ],
)
def test_what_is_refused(cells: list[str], message: str, tmp_path: Path) -> None:
    rows = [(cell, i % 7, i % 9) for i, cell in enumerate(cells * 10)]
    with pytest.raises(DataError, match=message) as error:
        read(tmp_path, "d;a;y\n" + lines(";", rows))
    assert "\n" not in str(error.value)
    with speaking("fr"):
        with pytest.raises(DataError) as other:
            read(tmp_path, "d;a;y\n" + lines(";", rows))
        words = " ".join(str(other.value).split())
        assert not any(word in words for word in (" or ", " is ", "column", "April")), words


def test_the_order_that_is_stated_decides(tmp_path: Path) -> None:
    rows = table(lambda t: f"{t:%d-%m-%y}", days=[day.replace(year=2024) for day in SHUFFLED])
    with pytest.raises(DataError, match="if it comes last, say what comes first with --dates dmy"):
        read(tmp_path, rows)
    stated = read(tmp_path, rows, dates="dmy")
    assert "'d' is a date (day, month, year)" in stated.detected
    other = rows.replace("d;", "e;d;", 1).replace("\n", "\n13/01/2024;").rsplit("13/01", 1)[0]
    with pytest.raises(DataError, match="the year may come first"):  # no other column decides
        read(tmp_path, other)


def test_words_stay_categories(tmp_path: Path) -> None:
    for words in (["March", "May", "mar"], ["Mar-24", "Apr-24", "May-24"], ["12DEC45", "13DEC46"]):
        rows = [(words[i % len(words)], i % 7, i % 9) for i in range(40)]
        content = "d;a;y\n" + lines(";", rows)
        assert f"d={words[0]}" in read(tmp_path, content, one_hot=True).features
    classes = [(i % 7, ("March", "May")[i % 2]) for i in range(40)]
    assert read(tmp_path, "a;y\n" + lines(";", classes)).classes == ("March", "May")
    months = [(f"{('Mar', 'May')[i % 2]} 2024", i % 7, i % 9) for i in range(40)]
    named = read(tmp_path, "d;a;y\n" + lines(";", months), one_hot="d")
    assert "d=Mar 2024" in named.features, "who asks for categories gets them"


def test_dates_as_a_target_are_refused(tmp_path: Path) -> None:
    rows = [(i % 7, f"{i % 28 + 1} Mar 2024") for i in range(40)]
    with pytest.raises(DataError, match="'1 Mar 2024' is a date or a time, not a number"):
        read(tmp_path, "a;y\n" + lines(";", rows))


def test_in_french(tmp_path: Path) -> None:
    with speaking("fr"):
        named = read(tmp_path, table(french))
        assert "'d' est une date avec le nom du mois, lue comme jours écoulés" in named.detected
        short = read(tmp_path, table(lambda t: f"{t:%d/%m/%y}"))
        assert "69 à 99 valent 1969 à 1999, 00 à 68 valent 2000 à 2068" in short.detected
        rows = [("03/04/24", 1, 2), ("02/05/24", 3, 4), ("01/05/24", 3, 5)] * 5
        with pytest.raises(DataError, match="peut se lire 3 avril 2024 ou 4 mars 2024"):
            read(tmp_path, "d;a;y\n" + lines(";", rows))


def test_fit_and_predict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = table(lambda t: f"{t:%d-%b-%y}").replace(";", ",")
    model = fitted(tmp_path, rows)
    cells = ["05-Feb-24", "5 février 2024", "Feb 5, 2024", "05FEB2024", "2024-02-05"]
    new = "d,a\n" + "".join(f'"{cell}",1\n' for cell in cells)
    document, message = predicted(model, new, capsys)
    assert "'d' is a date" in message
    values = [float(row[0]) for row in document["predictions"]]
    assert values == pytest.approx([values[0]] * len(cells))
    document, _ = predicted(model, "d,a\n05-Foo-24,1\n", capsys, code=3)
    assert "'05-Foo-24' is no date (year, month, day)" in document["error"]


def test_a_model_of_four_digits_refuses_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = fitted(tmp_path, table(lambda t: f"{t:%d/%m/%Y}").replace(";", ","))
    document, _ = predicted(model, "d,a\n5 févr. 2024,1\n05/02/2024,1\n", capsys)
    (first,), (second,) = document["predictions"]
    assert first == pytest.approx(second)
    document, _ = predicted(model, "d,a\n05/02/24,1\n", capsys, code=3)
    assert "'05/02/24' has a year of two digits, and the column had years of" in document["error"]
