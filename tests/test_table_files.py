"""Files as people have them: what is recognised, what is asked, what each option does."""

from __future__ import annotations

import datetime
import random
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from derivable.data import Table, read_sheet, read_table
from derivable.errors import DataError, MissingExtraError, SettingError
from tests.workbooks import ods, xlsx, zipped

NUMBERS: list[tuple[int, ...]] = [(i % 7, i * i % 11, i**3 % 13 + 1) for i in range(40)]


def lines(separator: str = ",", rows: Any = NUMBERS) -> str:
    return "".join(f"{separator.join(map(str, row))}\n" for row in rows)


PLAIN = "a,b,y\n" + lines()


def read(folder: Path, content: str | bytes, target: str = "y", **options: Any) -> Table:
    file = folder / str(options.pop("name", "t.csv"))
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(file, target=target, **options)


def same(table: Table, folder: Path) -> bool:
    """Whether the numbers are those of PLAIN."""
    return table.digest() == read(folder, PLAIN, name="plain.csv").digest()


COMMENTS = "# Monthly means, of 4\n#\n\n"
TITLE = "Report of sales 2024\n\n\n"


@pytest.mark.parametrize(
    ("head", "stated"),
    [
        (COMMENTS, "lines 1 to 3 before the names are left out (--header 1 takes line 1 for them)"),
        (TITLE, "lines 1 to 3 before the names are left out (--header 1 takes"),
        ("Report\nof March,,\n", "lines 1 to 2 before the names are left out"),
        ("Only this\n", "line 1 before the names is left out (--header 1"),
        ("\n\n", None),
        ("sep=,\n", None),
    ],
)
def test_lines_before_the_names(head: str, stated: str | None, tmp_path: Path) -> None:
    table = read(tmp_path, head + PLAIN)
    assert same(table, tmp_path)
    assert ("before the names" in table.detected) == (stated is not None)
    assert stated is None or stated in table.detected
    with pytest.raises(DataError, match=f"line {head.count(chr(10)) + 3}, column 'b': 'x'"):
        read(tmp_path, head + PLAIN.replace("\n1,1,2\n", "\n1,x,2\n", 1))


def test_lines_before_the_names_of_a_french_table(tmp_path: Path) -> None:
    rows = [(f"{i},5", f"{i * i % 11},25", i % 9) for i in range(30)]
    table = read(tmp_path, "Ventes 2,5\n\na;b;y\n" + lines(";", rows))
    assert table.features == ("a", "b")
    assert table.x[3].tolist() == [3.5, 9.25]


def test_the_line_of_the_names_can_be_said(tmp_path: Path) -> None:
    two = "sales, of 2024\nx,z,w\n" + PLAIN
    with pytest.raises(DataError, match="or the line of the names with --header"):
        read(tmp_path, two)
    assert same(read(tmp_path, two, header=3), tmp_path)
    with pytest.raises(DataError, match=r"t\.csv has no line 99 for names of columns"):
        read(tmp_path, two, header=99)
    with pytest.raises(SettingError, match="header must be the number of a line"):
        read(tmp_path, two, header=1, no_header=True)


def test_names_behind_a_hash(tmp_path: Path) -> None:
    table = read(tmp_path, "# " + PLAIN)
    assert same(table, tmp_path)
    assert "the names are those of line 1, which begins with #" in table.detected
    two = "# a remark\n# " + PLAIN
    with pytest.raises(DataError, match="may stand in line 2, which begins with #, or in line 3"):
        read(tmp_path, two)
    assert same(read(tmp_path, two, header=2), tmp_path)


UNITS = "a,b,y\n,m,umol/kg\n" + lines()


def test_a_row_of_units(tmp_path: Path) -> None:
    table = read(tmp_path, UNITS)
    assert same(table, tmp_path)
    assert "line 2 holds units (m, umol/kg) and is left out (--units keep" in table.detected
    with pytest.raises(DataError, match="line 2, column 'b': 'm' is not a number"):
        read(tmp_path, UNITS, units="keep")
    with pytest.raises(DataError, match=r"'far' is not .*, or --units skip leaves line 2 out"):
        read(tmp_path, "a,b,y\n1,far,2\n" + lines())
    for row in (",n.a.,n.a.", ",,unknown", "3,m,kg", "x,m,a description of what this is"):
        with pytest.raises(DataError, match="line 2, column"):
            read(tmp_path, f"a,b,y\n{row}\n" + lines())
    assert same(read(tmp_path, "a,b,y\n,,unknown\n" + lines(), units="skip"), tmp_path)
    with pytest.raises(DataError, match="'unknown' is not a number"):  # and a city is no unit
        read(
            tmp_path,
            "c,y\nParis,unknown\n" + "".join(f"Lyon,{i}\n" for i in range(9)),
            one_hot=True,
        )


SUM = "{},{},{}\n".format(*(sum(row[i] for row in NUMBERS) for i in range(3)))


@pytest.mark.parametrize(
    ("tail", "why"),
    [
        ("Total,,9999\n", "line 42 seems to be no data ('Total' in 'a')"),
        ("Ensemble :,3,9\n", "'Ensemble :' in 'a'"),
        ("moyenne,3,9\n", "'moyenne' in 'a'"),
        ("Total,,9999\nPage 1 of 1\n", "lines 42 and 43 seem to be no data ('Total' in 'a'; 'Page"),
        ("Source: us\n", "line 42 seems to be no data ('Source: us' alone)"),
        (SUM, "line 42 seems to be no data (each of its numbers is the sum of the others"),
        (f",{SUM.split(',', 1)[1]}", "each of its numbers is the sum"),
    ],
)
def test_a_total_is_asked_about(tail: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        read(tmp_path, PLAIN + tail)
    assert why in str(raised.value)
    assert "--total drop leaves" in str(raised.value)
    table = read(tmp_path, PLAIN + tail, total="drop")
    assert same(table, tmp_path)
    assert "left out (" in table.detected
    if tail == SUM:
        assert len(read(tmp_path, PLAIN + tail, total="keep").x) == 41
    else:
        with pytest.raises(DataError, match=r"is not a number|has no value|has 1 cell where"):
            read(tmp_path, PLAIN + tail, total="keep")


def test_what_is_no_total(tmp_path: Path) -> None:
    words = "kind,a,y\n" + "".join(
        f"{w},{i % 7},{i % 9}\n" for i, w in enumerate(["Ensemble", "Robe"] * 20)
    )
    assert len(read(tmp_path, words + "ensemble,3,4\n", one_hot=True).x) == 41, "a category"
    holes = "kind,a,y\n" + "".join(f"{w},{i % 7},{i % 9}\n" for i, w in enumerate("uv" * 20))
    assert len(read(tmp_path, holes + "u,,\n", one_hot=True, missing="drop").x) == 40
    note = read(tmp_path, PLAIN, total="drop").note
    assert "--total drop changed nothing: no row seems to be a total." in note


@pytest.mark.parametrize(
    ("cells", "sign", "expected"),
    [
        (["12 %", "3 %", "-4,5 %"], "%", [12, 3, -4.5]),
        (["2 107,89 €", "440,11 €", "-1\u00a0585,76 €"], "€", [2107.89, 440.11, -1585.76]),
        (["€2 107,89", "€ 440,11", "-€1585,76"], "€", [2107.89, 440.11, -1585.76]),
        (["12 kg", "3kg", "4,5 kg"], "kg", [12, 3, 4.5]),
        (["12 m²", "3 m²", "4,5 m²"], "m²", [12, 3, 4.5]),
        (["12 km/h", "3 km/h", "4,5 km/h"], "km/h", [12, 3, 4.5]),
        (["(5194,12)", "720,1", "(2 948,72)"], "", [-5194.12, 720.1, -2948.72]),
        (["(5 €)", "7,5 €", "(€ 3)"], "€", [-5, 7.5, -3]),
    ],
)
def test_signs_that_a_whole_column_has(
    cells: list[str], sign: str, expected: list[float], tmp_path: Path
) -> None:
    rows = [(cells[i % 3], i * i % 11, f"{i % 9},5") for i in range(30)]
    table = read(tmp_path, "a;b;y\n" + lines(";", rows))
    assert table.x[:3, 0].tolist() == expected
    message = f"without the sign '{sign}', its scale unchanged" if sign else "as a minus"
    assert message in table.detected


@pytest.mark.parametrize(
    "cells",
    [
        ["12 %", "3", "4 %"],
        ["12 €", "3 $", "4 €"],
        ["12 kg", "3 g", "4 kg"],
        ["(5)", "(3)", "(4)"],  # nothing shows that these are negative
        ["(5)", "-3", "4"],
        ["1st", "2nd", "3rd"],
        ["5-", "3-", "4-"],
        ["0x1F", "0x20", "0x21"],
        ["€5 €", "€3 €", "€4 €"],
        ["1.2.3 €", "1.2.4 €", "1.2.5 €"],
    ],
)
def test_signs_that_are_not_understood(cells: list[str], tmp_path: Path) -> None:
    rows = [(cells[i % 3], i * i % 11, i % 9) for i in range(30)]
    with pytest.raises(DataError, match=r"line \d, column 'a'"):
        read(tmp_path, "a;b;y\n" + lines(";", rows))


def test_a_sign_with_a_number_that_can_be_read_both_ways(tmp_path: Path) -> None:
    rows = [(f"1,{i + 100} €", i * i % 11, i % 9) for i in range(30)]
    with pytest.raises(DataError, match="'1,100 €' can be read as"):
        read(tmp_path, "a;b;y\n" + lines(";", rows))


DAYS = [datetime.datetime(2024, 1, 9, 6) + datetime.timedelta(hours=31 * i) for i in range(60)]
SHUFFLED = random.Random(0).sample(DAYS, 60)


def dated(form: str, days: Any = SHUFFLED) -> str:
    return "d;a;y\n" + lines(";", [(f"{day:{form}}", i % 7, i % 9) for i, day in enumerate(days)])


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("%Y-%m-%d", "'d' is a date (year, month, day)"),
        ("%Y/%m/%d", "'d' is a date (year, month, day)"),
        ("%Y-%m-%dT%H:%M:%SZ", "'d' is a date (year, month, day)"),
        ("%d/%m/%Y", "'d' is a date (day, month, year)"),
        ("%d.%m.%Y %H:%M", "'d' is a date (day, month, year)"),
        ("%m/%d/%Y", "'d' is a date (month, day, year)"),
    ],
)
def test_dates_become_features(form: str, message: str, tmp_path: Path) -> None:
    table = read(tmp_path, dated(form))
    assert message in table.detected
    parts = ["days", "month:sin", "month:cos", "weekday:sin", "weekday:cos"]
    hours = ["hour:sin", "hour:cos"] if "%H" in form else []
    assert table.features == (*(f"d:{part}" for part in parts + hours), "a")
    day = SHUFFLED[0] if hours else SHUFFLED[0].replace(hour=0)
    first = min(DAYS) if hours else min(DAYS).replace(hour=0)
    assert table.x[0, 0].item() == pytest.approx((day - first).total_seconds() / 86400)
    angle = torch.tensor(2 * torch.pi * day.month / 12, dtype=torch.float64)
    assert table.x[0, 1:3].tolist() == pytest.approx([angle.sin().item(), angle.cos().item()])


def test_years_and_zones_and_times_of_day(tmp_path: Path) -> None:
    years = dated("%Y-%m", [datetime.datetime(2000 + i % 8, 1 + i % 12, 1) for i in range(60)])
    assert "d:year" in read(tmp_path, years).features
    zone = dated("%Y-%m-%dT%H:%M+02:00")
    moved = read(tmp_path, dated("%Y-%m-%dT%H:%MZ")).x[:, 5:] - read(tmp_path, zone).x[:, 5:]
    assert moved.abs().max() > 0.1, "the hour is that of UTC"
    with pytest.raises(DataError, match="'1001-12' is a date or a time, not a number"):
        read(tmp_path, years.replace("2000-01", "1001-12", 1))
    clock = read(tmp_path, dated("%H:%M"))
    assert clock.features[:3] == ("d:hours", "d:hour:sin", "d:hour:cos")
    assert clock.x[0, 0].item() == SHUFFLED[0].hour


OPEN = [datetime.datetime(2024, 1 + i % 12, 1 + i % 11) for i in range(60)]


def test_a_date_that_can_be_read_both_ways_is_asked_about(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="'02/03/2024' can be read as 2 March 2024 or as 3 February"
    ):
        read(tmp_path, dated("%m/%d/%Y", [datetime.datetime(2024, 2, 3), *OPEN]))
    rows = dated("%d/%m/%Y", OPEN)
    day_first, month_first = (read(tmp_path, rows, dates=order) for order in ("dmy", "mdy"))
    assert not torch.equal(day_first.x, month_first.x)
    both = "e;" + rows.replace("\n", f"\n{DAYS[0]:%d/%m/%Y};").rsplit(f"{DAYS[0]:%d/%m/%Y}", 1)[0]
    both = both.replace(f"{DAYS[0]:%d/%m/%Y};", "13/01/2024;", 1)
    dates = read(tmp_path, both)  # another column shows the order
    assert "'d' is a date (day, month, year)" in dates.detected
    with pytest.raises(DataError, match=r"'13/01/2024' is no date .month, day, year."):
        read(tmp_path, both, dates="mdy")
    with pytest.raises(DataError, match=r"'31/04/2024' is no date .day, month, year.; correct the"):
        read(tmp_path, dated("%d/%m/%Y").replace(f"{SHUFFLED[0]:%d/%m/%Y}", "31/04/2024"))
    with pytest.raises(DataError, match=r"'31/04/24' is no date .day, month, year."):
        read(tmp_path, dated("%d/%m/%Y").replace(f"{SHUFFLED[0]:%d/%m/%Y}", "31/04/24", 1))


@pytest.mark.parametrize(
    "words",
    [
        "yes no",
        "Oui Non",
        "ja nein",
        "Sí no",
        "sì no",
        "ja nee",
        "sim não",
        "VRAI FAUX",
        "wahr falsch",
    ],
)
def test_yes_and_no_in_several_languages(words: str, tmp_path: Path) -> None:
    yes, no = words.split()
    rows = [((yes, no)[i % 3 == 0], i * i % 11, i % 9) for i in range(30)]
    table = read(tmp_path, "a;b;y\n" + lines(";", rows))
    assert table.x[:3, 0].tolist() == [0, 1, 1]
    assert f"'a' reads {no.lower()} as 0 and {yes.lower()} as 1" in table.detected or (
        f"'a' reads {yes.lower()} as 1 and {no.lower()} as 0" in table.detected
    )
    with pytest.raises(DataError, match="'perhaps' is text"):
        read(tmp_path, "a;b;y\nperhaps;1;2\n" + lines(";", rows), one_hot="b")


DUPLICATES = "a;b;a;y\n" + lines(";", [(*row[:2], row[1] * 3 % 7, row[2]) for row in NUMBERS])


def test_a_name_that_stands_twice(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'a' stands over columns 1 and 3; .*--rename-duplicates"):
        read(tmp_path, DUPLICATES)
    table = read(tmp_path, DUPLICATES, rename_duplicates=True)
    assert table.features == ("a", "b", "a (2)")
    assert "column 3, 'a', is called 'a (2)'" in table.detected
    assert read(tmp_path, DUPLICATES, ignore="#3").features == ("a", "b")
    assert read(tmp_path, DUPLICATES, ignore="#1,b").features == ("a (2)",)
    assert read(tmp_path, DUPLICATES, ignore="a").features == ("b",), "a name is that of both"
    note = read(tmp_path, PLAIN, rename_duplicates=True).note
    assert "--rename-duplicates changed nothing: each name stands over one column." in note


def test_no_names(tmp_path: Path) -> None:
    rows = lines(rows=[(f"0.{a}14", f"0.{b}9", f"0.{y}3") for a, b, y in NUMBERS])
    with pytest.raises(DataError, match=r"line 1 looks like data .*--no-header .*--header 1"):
        read(tmp_path, rows)
    table = read(tmp_path, rows, target="#3", no_header=True)
    assert (table.features, table.targets) == (("column 1", "column 2"), ("column 3",))
    assert len(table.x) == 40
    assert "no line of names" in table.detected
    assert len(read(tmp_path, rows, target="#3", header=1).x) == 39
    years = read(tmp_path, "2019,2020,2021\n" + lines(), target="2021")
    assert years.features == ("2019", "2020"), "years are names"


def test_a_file_in_a_zip_archive(tmp_path: Path) -> None:
    one = zipped({"t.csv": PLAIN, "__MACOSX/._t.csv": "x"})
    table = read(tmp_path, one, name="t.csv.zip")
    assert same(table, tmp_path)
    assert table.detected.startswith("t.csv.zip/t.csv: UTF-8")
    two = zipped({"t.csv": PLAIN, "u.csv": "a,y\n" + lines(rows=[r[1:] for r in NUMBERS])})
    with pytest.raises(DataError, match=r"holds 2 files; name one with --sheet: 't.csv', 'u.csv'"):
        read(tmp_path, two, name="t.zip")
    assert read(tmp_path, two, name="t.zip", sheet="u.csv").features == ("a",)
    with pytest.raises(
        DataError, match=r"holds no file 'v.csv', which --sheet names; did you mean"
    ):
        read(tmp_path, two, name="t.zip", sheet="v.csv")
    with pytest.raises(DataError, match="zip archive without a file"):
        read(tmp_path, zipped({"a/": ""}), name="t.zip")
    with pytest.raises(DataError, match="is a zip archive in another"):
        read(tmp_path, zipped({"t.zip": one}), name="t.zip")
    with pytest.raises(SettingError, match="--sheet names a part of a workbook or an archive"):
        read(tmp_path, PLAIN, sheet="x")


DATES = [datetime.date(2024, 1, 1) + datetime.timedelta(days=5 * i) for i in range(40)]
CELLS: list[list[Any]] = [["a", "b", "y"], *[list(row) for row in NUMBERS]]


@pytest.mark.parametrize("ending", ["xlsx", "ods"])
def test_workbooks(ending: str, tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    write: Any = {"xlsx": xlsx, "ods": ods}[ending]
    name = f"t.{ending}"
    table = read(tmp_path, write({"Ventes": CELLS, "empty": []}), name=name)
    assert same(table, tmp_path)
    assert table.name == "t"
    assert table.detected == f"{name}, sheet 'Ventes': workbook, 40 rows of 3 columns"
    titled: list[list[Any]] = [
        ["Sales of 2024", None, None],
        [None, None, None],
        *CELLS,
        ["Total", 1, 2],
    ]
    with pytest.raises(DataError, match=r"sheet 'V', row 44 seems to be no data .'Total' in 'a'."):
        read(tmp_path, write({"V": titled}), name=name)
    assert same(read(tmp_path, write({"V": titled}), name=name, total="drop"), tmp_path)
    two = write({"V": CELLS, "W": CELLS})
    with pytest.raises(DataError, match="has 2 sheets with cells; name one with --sheet: 'V', 'W'"):
        read(tmp_path, two, name=name)
    assert same(read(tmp_path, two, name=name, sheet="W"), tmp_path)
    with pytest.raises(DataError, match=r"has no sheet 'X', which --sheet names; it has|did you"):
        read(tmp_path, two, name=name, sheet="X")
    broken = [*CELLS[:4], [1, "12k", 2], *CELLS[4:]]
    with pytest.raises(DataError, match="sheet 'V', row 5, column 'b': '12k' is not a number"):
        read(tmp_path, write({"V": broken}), name=name)


def test_a_workbook_keeps_its_types(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    rows = [
        [day, i % 3 == 0, 1.234 + i % 5, None if i == 3 else i * 1000 + 0.5, f"{i},5", i % 9]
        for i, day in enumerate(DATES)
    ]
    content = xlsx({"V": [["d", "t", "x", "z", "w", "y"], *rows]})
    table = read(tmp_path, content, name="t.xlsx", missing="median")
    columns = dict(zip(table.features, table.x.T.tolist(), strict=True))
    assert columns["d:days"][:3] == [0, 5, 10]
    assert columns["t"][:4] == [1, 0, 0, 1]
    assert columns["x"][:2] == [1.234, 2.234], "a number is no text that can be read both ways"
    assert columns["w"][:2] == [0.5, 1.5], "text follows the rules of CSV"
    assert table.x.isnan().sum() == 1


def test_a_workbook_without_its_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'derivable\[tables\]', or save"):
        read(tmp_path, xlsx({"V": CELLS}), name="t.xlsx")


def test_a_broken_workbook(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    with pytest.raises(DataError, match="is a broken workbook"):
        read(tmp_path, zipped({"xl/workbook.xml": "<no"}), name="t.xlsx")
    with pytest.raises(DataError, match="is a broken workbook"):
        read(tmp_path, b"\xd0\xcf\x11\xe0rest", name="t.xls")
    with pytest.raises(DataError, match="sheet 'V' is empty"):
        read(tmp_path, xlsx({"V": []}), name="t.xlsx")


def test_a_wide_table_is_read_in_a_time_that_grows_with_its_columns(tmp_path: Path) -> None:
    columns = 3000
    numbers = torch.randn(20, columns + 1, generator=torch.Generator().manual_seed(0)).tolist()
    names = [*(f"g{i}" for i in range(columns)), "y"]
    content = f"{','.join(names)}\n" + lines(rows=numbers)
    start = datetime.datetime.now()
    table = read(tmp_path, content)
    assert table.x.shape == (20, columns)
    assert (datetime.datetime.now() - start).total_seconds() < 20, "it was quadratic: minutes"


def test_clipboards(tmp_path: Path) -> None:
    content = PLAIN.replace(",", "\t").encode("utf-16")
    table = read(tmp_path, content, name="t.txt")
    assert same(table, tmp_path)
    assert "UTF-16, cells separated by tabs" in table.detected


def test_a_sheet_of_parquet_has_totals_too(tmp_path: Path) -> None:
    frame = pl.DataFrame([*NUMBERS, tuple(map(sum, zip(*NUMBERS, strict=True)))], orient="row")
    frame.write_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"t.parquet, row 41 seems to be no data"):
        read_sheet(tmp_path / "t.parquet")
    assert len(read_sheet(tmp_path / "t.parquet", total="drop").frame) == 40
