"""What is refused of a user's table, and what is asked: one error message for each thing wrong."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from derivable.data.problems import ProblemsError
from derivable.errors import DataError, SettingError
from tests.test_tables import ROWS, read
from tests.workbooks import zipped


def locked(name: str) -> bytes:
    """A zip archive whose file is marked as encrypted."""
    content = bytearray(zipped({name: ROWS}))
    for start, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(start) + flags] |= 1
    return bytes(content)


def repeated(copies: int) -> str:
    """A table with a feature, and so many others that are the target over again."""
    names = ",".join(["a", "y", *(f"z{k}" for k in range(copies))])
    rows = (f"{i * i % 7}{f',{i * 7 % 31}' * (copies + 1)}\n" for i in range(40))
    return f"{names}\n{''.join(rows)}"


SENTENCES: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "no target": (ROWS, {"target": None}, "which column of houses.csv is to be predicted? Name it"),
    "other target": (
        ROWS,
        {"target": "Y"},
        "no column 'Y', which --target names; did you mean 'y'?",
    ),
    "far target": (ROWS, {"target": "price"}, "it has 'a', 'b', 'y'"),
    "no names": (
        "1,2\n3,4\n",
        {},
        "houses.csv, line 1 looks like data and not like names of columns ('1', '2'): --no-header "
        "calls the columns 'column 1' to 'column 2', --header 1 takes it for the names",
    ),
    "twice": (ROWS, {"target": "y,y"}, "the target 'y' is named twice"),
    "ignored": (ROWS, {"ignore": "q"}, "no column 'q', which --ignore names"),
    "both": (ROWS, {"ignore": "y"}, "'y' is named by --target and by --ignore"),
    "nothing left": (ROWS, {"ignore": "a,b"}, "no column besides 'y', 'a', 'b'"),
    "separator": (ROWS.replace(",", "~"), {"target": "a~b~y"}, "separates them with --separator"),
    "missing": (
        ROWS.replace("0.5", "NA").replace("8.5", ""),
        {},
        "houses.csv, line 3, column 'b' has no value (missing: 2 in 'b'); --missing drop leaves",
    ),
    "empty column": (
        "a,b,y\n" + "1,,2\n" * 5,
        {"missing": "drop"},
        "houses.csv: no row has a value in 'b'; --ignore 'b' leaves out what is empty",
    ),
    "no whole row": (
        "a,b,y\n1,,2\n,1,2\n",
        {"missing": "drop"},
        "no row has a value in every column; --missing median",
    ),
    "number": (
        ROWS.replace("8.5", "12k"),
        {},
        "houses.csv, line 4, column 'b': '12k' is not a number; correct it, or --ignore 'b' leaves "
        "the column out",
    ),
    "in the target": (
        ROWS.replace("7", "x"),
        {},
        "'x' is not a number; correct it, or choose",
    ),
    "infinite": (ROWS.replace("8.5", "-inf"), {}, "line 4, column 'b': '-inf' is infinite"),
    "too large": (ROWS.replace("8.5", "1e999"), {}, "'1e999' lies outside the range of 64-bit"),
    "square": (ROWS.replace("8.5", "1e200"), {}, "holds 1e+200, whose square is beyond 64-bit"),
    "percent": (ROWS.replace("8.5", "8 %"), {}, "'8 %' carries the sign '%'"),
    "euro": (ROWS.replace("8.5", "8.5 €"), {}, "'8.5 €' carries the sign '€'"),
    "formula": (ROWS.replace("8.5", "#DIV/0!"), {}, "is the error of a spreadsheet's formula"),
    "date": (ROWS.replace("8.5", "2024-05-01"), {}, "'2024-05-01' is a date or a time"),
    "text": (
        "c,a,y\nx,1,1\ny,2,2\nx,4,3\ny,9,5\n,7,6\n",
        {"missing": "median"},
        "'x' is text; --one-hot makes a feature of each value of 'c', "
        "--ignore 'c' leaves the column out",
    ),
    "text target": (
        "a,y\n1,x\n2,y\n3,x\n4,z\n7,x\n",
        {"one_hot": True},
        "the target 'y' has 3 different values in 5 rows, too many for classes",
    ),
    "many words": (
        "a,y\n" + "".join(f"w{i}x,{i * i}\n" for i in range(101)),
        {"one_hot": True},
        "'w0x' is text; --ignore 'a' leaves out what has more than 100 values",
    ),
    "several of text": (
        "n,s,t,a,y\n" + "".join(f"n{i},x{i % 3},t{i},{i},{i * i}\n" for i in range(102)),
        {},
        "line 2, column 'n': 'n0' is text; --one-hot makes a feature of each value of 's', "
        "--ignore 'n,t' leaves out what has more than 100 values",
    ),
    "percents": (
        "a,y\n1 %,1\n2 %,2\n3,3\n",
        {},
        "line 2, column 'a': '1 %' carries the sign '%', one of 2 cells of the column that are no",
    ),
    "name twice": ("a,b,a\n1,2,3\n", {"target": "b"}, "the name 'a' stands over columns 1 and 3"),
    "index": (",a,y\n0,1,2\n1,5,3\n", {}, "column 1 has no name (is it an index?)"),
    "ragged": (
        ROWS.replace("8.5,7", "8,5,7"),
        {},
        "houses.csv, line 4 has 4 cells where line 1, with the names of the columns, has 3 cells",
    ),
    "quotation": (ROWS.replace("8.5", '"8.5'), {}, "line 4: the quotation marks do not match"),
    "two separators": ("a;b,y\n1;2,3\n", {}, "may be separated by commas (2 columns) or by semi"),
    "empty": ("", {}, "houses.csv is empty"),
    "blank": ("\ufeff\n\n", {}, "houses.csv is empty"),
    "headers only": ("a,b,y\n", {}, "houses.csv has names of columns and no rows of numbers"),
    "few rows": (ROWS[:22], {}, "houses.csv has 2 rows to use; at least 5 are needed"),
    "constant target": (
        "a,y\n1,3\n2,3\n4,3\n3,3\n9,3\n",
        {},
        "the target 'y' is 3 in every row, so there is nothing to learn",
    ),
    "constant": ("a,y\n1,3\n1,4\n1,5\n1,3\n1,1\n", {}, "each feature has one value in every row"),
    "repeated": (
        "a,z,y\n1,3,3\n2,4,4\n4,1,1\n1,5,5\n3,3,3\n",
        {},
        "the feature 'z' is the target 'y', so it gives the answer away; leave it out with",
    ),
    "scaled": (
        "a,z,y\n1,31,3\n2,41,4\n4,11,1\n1,51,5\n3,31,3\n",
        {},
        "the feature 'z' is the target 'y' times 10, plus 1, so it gives the answer away",
    ),
    "zip": (b"PK\x03\x04rest", {}, "houses.csv is a broken zip archive"),
    "zeros": (b"a,y\n\x00\x01,2\n", {}, "it holds zero bytes"),
    "no encoding": (b"a,y\n1,2\n\x81,2\n", {}, "line 3: the text is neither UTF-8 nor cp1252"),
    "gzip": (b"\x1f\x8brest", {}, "houses.csv is broken"),
    "Parquet": (b"PAR1rest", {}, "houses.csv is a broken Parquet file"),
    "mixed marks": (
        "a;y\n1,5;2\n1.5;3\n",
        {},
        "column 'a' has decimal points and decimal commas: '1.5' in line 3, '1,5' in line 2",
    ),
    "times": (
        "a,z,y\n1,6,3\n2,8,4\n4,2,1\n1,10,5\n3,6,3\n",
        {},
        "the feature 'z' is the target 'y' times 2, so it gives the answer away; leave it out with "
        "--ignore 'z'",
    ),
    "apostrophe": (
        "a,l'âge,y\n1,3,3\n2,4,4\n4,1,1\n1,5,5\n3,3,3\n",
        {},
        """leave it out with --ignore 'l'"'"'âge'""",
    ),
    "apostrophe of a large number": (
        ROWS.replace("b", "l'âge").replace("8.5", "1e200"),
        {},
        """leave it out with --ignore 'l'"'"'âge'""",
    ),
    "apostrophe and decimals": (
        "l'âge;y\n1,5;2\n1.5;3\n",
        {},
        """or leave it out with --ignore 'l'"'"'âge'""",
    ),
    "apostrophe of a cell": (
        "a,y\n1,2\nl'inconnu,3\n4,1\n3,5\n2,1\n6,3\n",
        {},
        """or --na 'l'"'"'inconnu' takes it for missing""",
    ),
    "PDF": (b"%PDF-1.7", {}, "houses.csv is a PDF document, not a text table; save it as CSV"),
    "SQLite": (b"SQLite format 3\x00", {}, "houses.csv is an SQLite database, not a text table"),
    "zstd": (b"\x28\xb5\x2f\xfd", {}, "houses.csv is compressed by zstd, not a text table"),
    "comments only": ("# a,y\n\n  # 1,2\n", {}, "holds lines that begin with # and nothing else"),
    "separator only": ("sep=;\n", {}, "houses.csv is empty"),
    "blank UTF-16": ("\n\n".encode("utf-16"), {}, "houses.csv is empty"),
    "quotation marks only": ('""\n\n""\n', {}, "houses.csv is empty"),
    "no lines": ("sep=;\n", {"no_header": True}, "houses.csv is empty"),
    "unclosed": (
        'a,y\n1,2\n"' + "x" * 140_000 + "\n3,4\n",
        {},
        "houses.csv, line 3: a cell has more than 131,072 characters; shorten it or, if the "
        "quotation mark at its end is missing, add it",
    ),
    "number below": (
        ROWS + "17\n",
        {},
        "houses.csv, line 7 has 1 cell where line 1, with the names of the columns, has 3 cells",
    ),
    "one unit": (
        "c,d,y\nParis,m,5\nLyon,1,2\nNice,4,3\n".replace("m,5", "m,"),
        {"one_hot": True, "missing": "drop"},
        "houses.csv, line 2, column 'd': 'm' is not a number",
    ),
    "units": (ROWS, {"units": "drop"}, "units must be 'skip' or 'keep', got 'drop'"),
    "missing in many": (
        ",".join(f"c{k}" for k in range(14)) + ",y\n1" + ",,,,,,,,,,,,,,2\n" + "3," * 14 + "4\n",
        {},
        "1 in 'c12', more in 1 other); --missing",
    ),
    "many repeated": (repeated(13), {"task": "regression"}, "houses.csv has 12 problems: (1)"),
    "locked": (locked("t.csv"), {}, "houses.csv cannot be unpacked: File 't.csv' is encrypted"),
    "broken within": (
        zipped({"t.csv": "PK\x03\x04rest"}),
        {},
        "houses.csv/t.csv is a zip archive in another",
    ),
    "said mark": (ROWS, {"decimal": ","}, "'2.5' is not a number with a decimal comma, which was"),
}


@pytest.mark.parametrize("case", SENTENCES)
def test_each_thing_wrong_has_one_sentence(case: str, tmp_path: Path) -> None:
    content, options, error_message = SENTENCES[case]
    with pytest.raises((DataError, SettingError)) as raised:
        read(tmp_path, content, **options)
    assert error_message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_after_many_readings_no_options_are_proposed(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as raised:
        read(tmp_path, repeated(13), task="regression")
    assert len(raised.value.found) == 12
    assert raised.value.options is None, "the last ones were not tried"
    with pytest.raises(ProblemsError) as raised:
        read(tmp_path, repeated(12), task="regression")
    assert raised.value.options is not None
    assert read(tmp_path, repeated(12), **asdict(raised.value.options)).features == ("a",)
