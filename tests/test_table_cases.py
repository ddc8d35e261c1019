"""Tables of kinds that occur in practice, each with its outcome.

The tables are made up here, of the kind and with the damage of the ones that people had.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from derivable.data import read_table
from derivable.errors import DataError
from tests.workbooks import xlsx, zipped


def csv(names: str, cell: Callable[[int], str], rows: int = 40) -> str:
    """A table whose lines are a function of their number."""
    return "\n".join([names, *map(cell, range(rows))]) + "\n"


@dataclass(frozen=True)
class Case:
    """A file, what is read of it, and the expected note or error."""

    content: str | bytes
    target: str
    options: dict[str, Any] = field(default_factory=dict)
    features: tuple[str, ...] = ()  # none where it is refused
    rows: int = 40
    note: str = ""  # of what was recognised, or of the notes, or of the error
    name: str = "t.csv"


UNITS = csv("station,depth,oxygen", lambda i: f"{i % 9},{i * 7 % 50}.5,{i % 11}.25")
UNITS = UNITS.replace("\n", "\n,m,umol/kg\n", 1)
MEANS = csv("year,month,co2", lambda i: f"{2000 + i // 12},{i % 12 + 1},{371 + i * 7 % 9}.5")
DOUBLE = csv("id;prix;n;prix;total", lambda i: f"{i % 7};{i % 9},5;{i % 4};{i % 5},25;{i % 11}")
DATES = csv("date;visits;sales", lambda i: f"{i % 12 + 1:02}/{i % 28 + 1:02}/2024;{i % 7};{i % 11}")
DATES_DAY = csv("date;n;y", lambda i: f"{i % 28 + 1:02}/{i % 12 + 1:02}/2024;{i % 7};{i % 11}")
YEARS = csv("date,k,y", lambda i: f"{(2001, 2007, 2018)[i % 3]}-01-01,{'uv'[i % 2]},{i % 11}.5")
CODES = csv("region;size;price", lambda i: f"{(28, 67, 93)[i * 5 % 3]};{i % 17};{i % 11},5", 300)
CITIES = csv("city,rooms,rent", lambda i: f"{('Paris', 'Lyon')[i % 2]},{i % 5},{i % 11}")
SHOPS = csv("shop;units;revenue", lambda i: f"{i % 7};{i % 17 + 1};{i * 7 % 31 + 1}")
NUMERIC = csv("units;revenue", lambda i: f"{i % 17 + 1};{i * 7 % 31 + 1}")
SUM = f"{sum(i % 17 + 1 for i in range(40))};{sum(i * 7 % 31 + 1 for i in range(40))}\n"
SERIES = csv("t,lag,y", lambda i: f"{1000 + i},{i * 7 % 31}.5,{(i + 1) * 7 % 31}.25", 200)
EURO = csv("id;sum;rest", lambda i: f"{i % 5};{i % 7} {i + 100},89 €;{i % 11},5")
BRACKETS = csv("k,a,y", lambda i: f"{i % 5},{f'({i}.12)' if i % 3 else f'{i}.50'},{i % 11}.5")
QUOTED = csv("n,text,y", lambda i: f'{i % 7},"good,\nline ""two""",{i % 11}')
EXCEL = csv("Ville;Pièces;Prix (€)", lambda i: f"Ville {i % 3};{i % 5};{i % 9}\u00a0646,{i + 10}")
MIXED = csv("size,price", lambda i: f"{'unknown' if i == 20 else i % 17},{i % 11}")
TAIL = csv("views,shares", lambda i: f"{i * i % 37},{10 ** (i % 5)}", 200)
NAMES = csv('"a, b","c ""d""","ça ? 😀"', lambda i: f"{i % 5},{i % 7},{i % 11}")
BARE = csv("0.314,0.098,0.537", lambda i: f"0.{i % 5}75,0.{i % 7}25,0.{i % 9}62")
ROWS = [
    [datetime.date(2024, 1, 1) + datetime.timedelta(days=i), "XYZ"[i % 3], i % 7, i * 7 % 31 + 0.5]
    for i in range(40)
]
WORKBOOK = xlsx({"Feuil1": [["Date", "Agence", "Pièces", "Prix"], *ROWS]})

CASES: dict[str, Case] = {
    "01 units": Case(
        UNITS, "oxygen", features=("station", "depth"), note="line 2 holds units (m, umol/kg)"
    ),
    "02 comments": Case(
        f"# Monthly means\n# units: ppm, degrees\n#\n{MEANS}",
        "co2",
        features=("year", "month"),
        note="lines 1 to 3 before the names are left out",
    ),
    "02b title": Case(
        f"Report 2024\n\n\n{MEANS}",
        "co2",
        features=("year", "month"),
        note="lines 1 to 3 before the names are left out",
    ),
    "04 duplicate": Case(DOUBLE, "total", note="'prix' stands over columns 2 and 4"),
    "04 renamed": Case(
        DOUBLE, "total", {"rename_duplicates": True}, ("id", "prix", "n", "prix (2)")
    ),
    "04 ignored": Case(DOUBLE, "total", {"ignore": ("#4",)}, ("id", "prix", "n")),
    "04 renamed to a name that is there": Case(
        csv("a,a,a (2),y", lambda i: f"{i % 7},{i * i % 5},{i * i % 11},{i % 9}.5"),
        "y",
        {"rename_duplicates": True},
        ("a", "a (3)", "a (2)"),
        note="column 2, 'a', is called 'a (3)'",
    ),
    "05 dates": Case(
        DATES_DAY,
        "y",
        features=("date:days", "date:month:sin", "date:month:cos", "date:weekday:sin",
                  "date:weekday:cos", "n"),
        note="'date' is a date (day, month, year)",
    ),
    "05 month first": Case(
        DATES,
        "sales",
        features=("date:days", "date:month:sin", "date:month:cos", "date:weekday:sin",
                  "date:weekday:cos", "visits"),
        note="'date' is a date (month, day, year)",
    ),
    "06 codes": Case(
        CODES,
        "price",
        features=("region", "size"),
        rows=300,
        note="'region' is named like a code and is read as a number; --one-hot 'region'",
    ),
    "06 categories": Case(
        CODES,
        "price",
        {"one_hot": "region"},
        ("region=28", "region=67", "region=93", "size"),
        rows=300,
    ),
    "05 years": Case(
        YEARS,
        "y",
        {"one_hot": True},
        ("date:days", "date:year", "k=u", "k=v"),
        note="(year, month, day), read as elapsed days, the year; 'k' became 2 features",
    ),
    "07c text": Case(
        csv("a,kind", lambda i: f"{i % 7}.5,{('fig', 'date', 'apple')[i % 3]}"),
        "kind",
        features=("a",),
        note="'kind' is a target of 3 classes: 'apple', 'date', 'fig'",
    ),
    "07d yes and no": Case(
        csv("a,churn", lambda i: f"{i % 7}.5,{('oui', 'non')[i % 2]}"),
        "churn",
        features=("a",),
        note="'churn' is a target of 2 classes: 'non', 'oui'",
    ),
    "08 cities": Case(CITIES, "rent", note="'Paris' is text; --one-hot makes a feature of each"),
    "09 total": Case(
        f"{SHOPS}Total;2707;32468\nPage 1 of 1;;\n",
        "revenue",
        note="lines 42 and 43 seem to be no data ('Total' in 'shop'; 'Page 1 of 1' alone)",
    ),
    "09 total left out": Case(
        f"{SHOPS}Total;2707;32468\nPage 1 of 1;;\n",
        "revenue",
        {"total": "drop"},
        ("shop", "units"),
        note="lines 42 and 43 left out",
    ),
    "09c total of numbers": Case(
        NUMERIC + SUM, "revenue", note="line 42 seems to be no data (each of its numbers is the sum"
    ),
    "12 series": Case(
        SERIES,
        "y",
        features=("t", "lag"),
        rows=200,
        note="The rows are in order of 't', as a time series is; --split last",
    ),
    "14b euro": Case(
        EURO, "rest", features=("id", "sum"), note="'sum' is read without the sign '€'"
    ),
    "14c parentheses": Case(
        BRACKETS, "y", features=("k", "a"), note="'a' is read with parentheses as a minus"
    ),
    "16 ten rows": Case(
        csv("x,z,y", lambda i: f"{i * i % 7},{i % 3},{i * 3 % 7}.5", 10),
        "y",
        features=("x", "z"),
        rows=10,
        note="Only 2 rows of 10 test",
    ),
    "18 lines in cells": Case(QUOTED, "y", {"ignore": "text"}, ("n",)),
    "19 clipboard": Case(
        csv("année\tprix €\tâge", lambda i: f"{i % 9}\t{i % 7},4\t{i % 11}").encode("utf-16"),
        "âge",
        features=("année", "prix €"),
        note="UTF-16, cells separated by tabs",
    ),
    "20 Excel": Case(
        f"sep=;\n{EXCEL}".encode("cp1252"),
        "Prix (€)",
        {"one_hot": True},
        ("Ville=Ville 0", "Ville=Ville 1", "Ville=Ville 2", "Pièces"),
        note="blanks between thousands",
    ),
    "22 identifiers": Case(
        csv("customer_id,age,y", lambda i: f"{866655534 + i * 7919},{i % 17},{i % 11}"),
        "y",
        features=("customer_id", "age"),
        note="'customer_id' has another whole number in nearly each row, as an identifier has",
    ),
    "23 trailing": Case(
        csv("a, b, y,", lambda i: f"{i % 7}, {i % 5}, {i % 11}.5,\n"), "y", features=("a", "b")
    ),
    "24 mixed": Case(
        MIXED,
        "price",
        note="line 22, column 'size': 'unknown' is not a number; correct it, or --ignore 'size' "
        "leaves the column out, or --na 'unknown' takes it for missing",
    ),
    "24 missing": Case(
        MIXED, "price", {"na": ["unknown"], "missing": "drop"}, ("size",), rows=39
    ),
    "25 tail": Case(
        TAIL, "shares", features=("views",), rows=200, note="'shares' spans 4 orders of magnitude"
    ),
    "27 names": Case(NAMES, "ça ? 😀", features=("a, b", 'c "d"')),
    "28 no names": Case(
        BARE, "#3", note="line 1 looks like data and not like names of columns ('0.314', '0.098'"
    ),
    "28 no names, said": Case(
        BARE, "#3", {"no_header": True}, ("column 1", "column 2"), rows=41
    ),
    "30 zip": Case(
        zipped({"train.csv": CITIES}),
        "rent",
        {"one_hot": True},
        ("city=Lyon", "city=Paris", "rooms"),
        note="t.csv.zip/train.csv: UTF-8",
        name="t.csv.zip",
    ),
    "30 workbook in a zip": Case(
        zipped({"t.xlsx": WORKBOOK}),
        "Prix",
        {"ignore": "Date,Agence"},
        ("Pièces",),
        note="t.zip/t.xlsx, sheet 'Feuil1': workbook, 40 rows of 4 columns",
        name="t.zip",
    ),
    "31 workbook without such a row": Case(
        WORKBOOK, "Prix", {"header": 99}, note="has no row 99 for names of", name="t.xlsx"
    ),
    "31 workbook": Case(
        WORKBOOK,
        "Prix",
        {"one_hot": True},
        ("Date:days", "Date:month:sin", "Date:month:cos", "Date:weekday:sin", "Date:weekday:cos",
         "Agence=X", "Agence=Y", "Agence=Z", "Pièces"),
        note="t.xlsx, sheet 'Feuil1': workbook, 40 rows of 4 columns",
        name="t.xlsx",
    ),
}  # fmt: skip


@pytest.mark.parametrize("key", CASES)
def test_each_case_has_its_outcome(key: str, tmp_path: Path) -> None:
    case = CASES[key]
    if "workbook" in key:
        pytest.importorskip("python_calamine")
    file = tmp_path / case.name
    content = case.content
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    if not case.features:
        with pytest.raises(DataError) as raised:
            read_table(file, target=case.target, **case.options)
        assert case.note in str(raised.value)
        assert "\n" not in str(raised.value)
        return
    table = read_table(file, target=case.target, **case.options)
    assert table.features == case.features
    assert len(table.x) == case.rows
    assert case.note in f"{table.detected} {table.note}"
