"""A user's own table: what is read, what is asked, the sentence for each thing wrong with it."""

from __future__ import annotations

import ast
import gzip
import io
import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from derivable.comparison import notes_on_weights
from derivable.data import Columns, Table, read_sheet, read_table, reading, write_table
from derivable.errors import DataError, FileError, SettingError
from derivable.protocol import parse_models
from tests.conftest import ROOT

HERE = "derivable.data"
ROWS = "a,b,y\n1,2.5,3\n4,0.5,1\n2,8.5,7\n9,1.5,2\n3,4.5,5\n"
FRENCH = (
    "surface;pièces;prix moyen\n41,5;2;231{0}500,00\n28;1;150{0}000,5\n97,25;4;1{0}042{0}000\n"
    "63;3;300{0}000\n55,75;2;280{0}250\n"
)
FEW = "Only 1 row of 5 tests, so the test loss is a rough figure; another --seed draws other rows."
PRICES = [231500.0, 150000.5, 1042000.0, 300000.0, 280250.0]


def read(tmp_path: Path, content: str | bytes, target: str | None = "y", **options: Any) -> Table:
    file = tmp_path / "houses.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(file, target=target, **options)


def test_a_plain_table(tmp_path: Path) -> None:
    table = read(tmp_path, ROWS)
    assert (table.name, table.features, table.targets) == ("houses", ("a", "b"), ("y",))
    assert table.x.tolist() == [[1, 2.5], [4, 0.5], [2, 8.5], [9, 1.5], [3, 4.5]]
    assert table.y.tolist() == [[3], [1], [7], [2], [5]]
    assert table.x.dtype == torch.float64
    assert table.notes == (FEW,)
    assert table.detected == (
        "houses.csv: UTF-8, cells separated by commas, 5 rows of 3 columns; decimal point"
    )


@pytest.mark.parametrize(
    ("gap", "encoding", "name"),
    [
        (" ", "utf-8", "UTF-8"),
        ("\u00a0", "cp1252", "cp1252"),
        ("\u202f", "utf-8-sig", "UTF-8"),
        ("\u00a0", "utf-16", "UTF-16"),
        ("'", "utf-8", "UTF-8"),
    ],
)
def test_a_french_table_just_works_and_says_what_was_detected(
    gap: str, encoding: str, name: str, tmp_path: Path
) -> None:
    content = FRENCH.format(gap).replace("\n", "\r\n").encode(encoding)
    table = read(tmp_path, content, target="prix moyen")
    assert table.features == ("surface", "pièces")
    assert table.x.tolist() == [[41.5, 2], [28, 1], [97.25, 4], [63, 3], [55.75, 2]]
    assert table.y.view(-1).tolist() == PRICES
    assert table.detected == (
        f"houses.csv: {name}, cells separated by semicolons, 5 rows of 3 columns; decimal comma, "
        "blanks between thousands"
    )


@pytest.mark.parametrize(
    "content",
    [
        ROWS.replace(",", "\t"),
        ROWS.replace(",", "|"),
        ROWS.replace("\n", "\r\n"),
        ROWS.replace("\n", "\r"),
        ROWS.replace("\n", "\n\n"),
        ROWS + ",,\n , ,\n",
        "sep=,\n" + ROWS,
        ROWS.replace("\n", ",\n"),
        ROWS.replace("2.5", '"2.5"').replace("a", '"a"'),
        ROWS.replace(",", ", "),
        gzip.compress(ROWS.encode(), mtime=0),
    ],
)
def test_habits_of_spreadsheets(content: str | bytes, tmp_path: Path) -> None:
    plain, table = read(tmp_path, ROWS), read(tmp_path, content)
    assert table.digest() == plain.digest()


def test_an_address_a_folder_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is an address; derivable reads files"):
        read_table("https://example.org/houses.csv", target="y")
    with pytest.raises(DataError, match=r"nothing\.csv cannot be read: No such file"):
        read_table(tmp_path / "nothing.csv", target="y")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_table(tmp_path, target="y")
    with pytest.raises(SettingError, match="separator must be one character"):
        read_table(tmp_path, target="y", separator=",,")


@pytest.mark.parametrize(
    ("cells", "other", "separator", "expected"),
    [
        (["1,234", "5,678"], ["1", "2"], ";", None),  # alone: decimals or thousands
        (["1.234", "5.678"], ["1", "2"], ";", None),
        (["1.234", "5.678"], ["1", "2"], ",", [1.234, 5.678]),  # the one convention
        (["1,234", "5,678"], ["1,5", "2"], ";", [1.234, 5.678]),  # another column shows the mark
        (["1.234", "5.678"], ["1,5", "2"], ";", None),  # would be thousands, and nothing shows them
        (["1.234", "5.678"], ["1.000,5", "2"], ";", [1234, 5678]),  # another column shows both
        (["1,234", "5,678"], ["1,000.5", "2"], ",", [1234, 5678]),
        (["1.234", "999,5"], ["1", "2"], ";", [1234, 999.5]),  # its own cells show the mark
        (["1.234", "9999,5"], ["1", "2"], ";", None),  # thousands here and there only
        (["1,234,567", "1,234"], ["1", "2"], "\t", [1234567, 1234]),
        (["0,123", "1,234"], ["1", "2"], "\t", [0.123, 1.234]),
        (["1234,567", "1,234"], ["1", "2"], "\t", [1234.567, 1.234]),
        (["1.234", "5,678"], ["1", "2"], "\t", None),
    ],
)
def test_a_number_that_can_be_read_both_ways_is_never_guessed(
    cells: list[str], other: list[str], separator: str, expected: list[float] | None, tmp_path: Path
) -> None:
    rows = [
        *zip(cells, other, "57", strict=True),
        ("3", "7", "1"),
        ("8", "8", "2"),
        ("5", "1", "4"),
    ]
    lines = [separator.join(f'"{cell}"' for cell in row) for row in (("a", "b", "y"), *rows)]
    if expected is None:
        with pytest.raises(DataError, match=r"can be read as \d+\.\d+ or as \d+; say which mark"):
            read(tmp_path, "\n".join(lines))
        table = read(tmp_path, "\n".join(lines), decimal=",", ignore="b")
        assert table.x[0, 0] == float(cells[0].replace(".", "").replace(",", "."))
    else:
        assert read(tmp_path, "\n".join(lines)).x[:2, 0].tolist() == expected


def test_line_numbers_count_what_an_editor_counts(tmp_path: Path) -> None:
    quoted = 'sep=;\n\n"the\nname";y\n1;2\n"\n3 ";4\n\n5;6\n7;8k\n'
    with pytest.raises(DataError, match="line 10, column 'y': '8k'"):
        read(tmp_path, quoted, target="y")
    with pytest.raises(DataError, match="line 6, column 'y': '8k'"):
        read(tmp_path, "sep=;\n\na;y\n1;2\n\n5;8k\n")


def test_missing_cells(tmp_path: Path) -> None:
    holes = ROWS.replace("0.5", "n/a").replace("9,1.5,2", "9,1.5,-")
    dropped = read(tmp_path, holes + "6,6,6\n7,7,1\n", missing="drop")
    assert dropped.x[:, 0].tolist() == [1, 2, 3, 6, 7]
    assert dropped.notes == ("2 rows with a missing value left out of 7.", FEW)
    kept = read(tmp_path, holes + "6,6,6\n", missing="median")
    assert kept.x[1].isnan().tolist() == [False, True]
    assert kept.y.view(-1).tolist() == [3, 1, 7, 5, 6], "a target is not made up"
    assert kept.notes == (
        "1 row with a missing target left out of 6.",
        "1 missing value filled with the median of the column.",
        FEW,
    )
    assert kept.note == " ".join(kept.notes)
    spelled = read(tmp_path, ROWS.replace("0.5", "-999"), na=["-999"], missing="median")
    assert spelled.x[1].isnan().tolist() == [False, True]


def test_notes(tmp_path: Path) -> None:
    rows = [(i, 7, f"0{i + 11}", 2 * (i % 3), 2 * (i % 3), i**2) for i in range(6)]
    table = read(tmp_path, "id,c,zip,d,e,y\n" + "".join(f"{','.join(map(str, r))}\n" for r in rows))
    assert table.features == ("id", "zip", "d", "e")
    for error_message in (
        "'zip' has leading zeros, as a code has",
        "Left out, because they have one value in every row: 'c'.",
        "The feature 'e' repeats 'd'; --ignore 'e' leaves it out.",
        "The feature 'id' numbers the rows; --ignore 'id' leaves it out.",
    ):
        assert error_message in table.note
    line = read(tmp_path, "a,y\n1,3\n2,5\n3,7\n4,9\n5,11\n")
    assert line.notes == (
        "The only feature, 'a', is the target 'y' times 0.5, minus 0.5.",
        FEW,
    )


WORDS = (
    "city,open,a,y,z\nLyon,oui,1,5,1\nNice,non,2,7,4\nLyon,oui,4,6,9\nPau,non,8,1,3\n,oui,3,2,2\n"
)


def test_a_target_is_no_obstacle_where_only_features_are_asked_for(tmp_path: Path) -> None:
    old, new = "1,5;2,5\n2,5;3,5\n3,5;9,5\n4,5;8,5\n5,5;1,5\n", "1,5;2,5\n1,5;2.5\n"
    for name, rows in (("old", old), ("new", new)):
        (tmp_path / f"{name}.csv").write_text(f"a;y\n{rows}")
    columns = read_table(tmp_path / "old.csv", target="y").columns
    assert columns is not None
    sheet = read_sheet(tmp_path / "new.csv")
    assert reading.features(sheet, columns).tolist() == [[1.5], [1.5]]
    with pytest.raises(DataError, match="column 'y' has decimal points and decimal commas"):
        reading.targets(sheet, columns)


def test_columns_are_applied_to_another_table_by_name(tmp_path: Path) -> None:
    table = read(tmp_path, WORDS, target="y,z", one_hot=True, missing="median")
    assert table.features == ("city=Lyon", "city=Nice", "city=Pau", "open", "a")
    assert table.targets == ("y", "z")
    assert table.x[1].tolist() == [0, 1, 0, 0, 2]
    assert table.x[4, :3].isnan().all()
    assert "'open' reads non as 0 and oui as 1; " not in table.note
    assert "'city' became 3 features; 'open' reads non as 0 and oui as 1" in table.detected
    assert table.columns is not None
    columns = Columns.from_dict(json.loads(json.dumps(table.columns.to_dict())))
    assert columns == table.columns

    def apply(content: str) -> list[list[float]]:
        (tmp_path / "new.csv").write_text(content)
        sheet = read_sheet(tmp_path / "new.csv")
        found: list[list[float]] = reading.features(sheet, columns).tolist()
        return found

    assert apply("a;more;city;open\n3,5;x;Pau;VRAI\n1;;Lyon;no\n") == [
        [0, 0, 1, 1, 3.5],
        [1, 0, 0, 0, 1],
    ]
    with pytest.raises(DataError, match=r"new.csv has no column 'city', which is needed; did you"):
        apply("a,City,open\n1,Pau,yes\n")
    with pytest.raises(
        DataError, match="'Brest' is none of the values that were met before: 'Lyon'"
    ):
        apply("a,city,open\n1,Brest,yes\n")
    with pytest.raises(DataError, match="'x' is not a number; correct the cell"):
        apply("a,city,open\nx,Pau,yes\n")
    with pytest.raises(DataError, match="'perhaps' is neither true nor false"):
        apply("a,city,open\n1,Pau,perhaps\n")
    with pytest.raises(DataError, match="does not describe the columns of a table"):
        Columns.from_dict({"inputs": [{"name": "a", "kind": "picture"}], "outputs": []})


def test_parquet_with_its_types(tmp_path: Path) -> None:
    file = io.BytesIO()
    frame = pl.DataFrame(
        {
            "a": [1, 2, 3, 4, None],
            "b": [0.5, float("nan"), 1, 2, 3],
            "t": [True, False, None, True, True],
            "s": pl.Series(["x", "y", "x", "x", "y"], dtype=pl.Categorical),
            "y": pl.Series(["1.5", "2", "3", "4", "1"]),
        }
    )
    frame.write_parquet(file)
    table = read(tmp_path, file.getvalue(), missing="median", one_hot=True)
    expected = [[1, 0.5, 1, 1, 0], [2, torch.nan, 0, 0, 1], [3, 1, torch.nan, 1, 0]]
    torch.testing.assert_close(table.x[:3], torch.tensor(expected).double(), equal_nan=True)
    assert table.y[0].item() == 1.5
    with pytest.raises(DataError, match="row 5, column 'a' has no value"):
        read(tmp_path, file.getvalue(), ignore=["b", "t", "s"])
    file = io.BytesIO()
    frame.with_columns(pl.Series("list", [[1, 2]] * 5)).write_parquet(file)
    with pytest.raises(
        DataError, match=r"column 'list': its type is List.*numbers or text are exp"
    ):
        read(tmp_path, file.getvalue())


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_what_is_written_is_read_back(ending: str, tmp_path: Path) -> None:
    x = torch.randn(7, 3, dtype=torch.float64) * torch.tensor([1e-9, 1, 1e9], dtype=torch.float64)
    x[2, 1] = torch.nan
    table = Table("t", x, torch.randn(7, 2).double(), ("a", 'b "c"', "d,e"), ("y", "z"))
    path = write_table(table, tmp_path / f"t.{ending}")
    back = read_table(path, target="y,z", missing="median")
    assert back.digest() == table.digest()
    with pytest.raises(SettingError, match="is there already and is not overwritten"):
        write_table(table, path)
    with pytest.raises(SettingError, match=r"can be written as \.csv or \.parquet"):
        write_table(table, tmp_path / "t.xlsx")
    with pytest.raises(SettingError, match=r"/ ends otherwise; name /t\.csv, for example"):
        write_table(table, "/")
    with pytest.raises(SettingError, match=r"there is no folder .*none; make it"):
        write_table(table, tmp_path / "none" / "t.csv")
    with pytest.raises(FileError, match=r"cannot be written \(File name too long\)"):
        write_table(table, tmp_path / f"{'t' * 240}.{ending}")
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_columns_in_blocks_are_the_same(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(0)
    frame = pl.DataFrame({name: draw.normal(size=11).round(4) for name in "abcdey"})
    path = tmp_path / f"t.{ending}"

    def written(frame: pl.DataFrame) -> Path:
        frame.write_csv(path) if ending == "csv" else frame.write_parquet(path)
        return path

    whole = read_table(written(frame), target="y")
    monkeypatch.setattr("derivable.data.cells.BLOCK", 2)
    assert read_table(path, target="y").digest() == whole.digest()
    with_inf = frame.with_columns(d=frame["d"].scatter(7, np.inf))
    with pytest.raises(DataError, match=r"(line 9|row 8), column 'd': 'inf' is infinite"):
        read_table(written(with_inf), target="y")


def test_a_feature_that_is_there_where_the_target_is_constant_repeats_nothing(
    tmp_path: Path,
) -> None:
    rows = [f"{i * i % 7},{'' if i % 4 else i},{i * 7 % 31 if i % 4 else 5}.5" for i in range(40)]
    table = read(tmp_path, "\n".join(["a,z,y", *rows]), missing="median")
    assert table.features == ("a", "z")
    assert not any("'z' is the target" in note for note in table.notes)


def test_models_with_many_weights(tmp_path: Path) -> None:
    table = read(tmp_path, ROWS + "6,6,6\n7,7,1\n8,5,5\n4,4,2\n1,1,1\n")
    assert notes_on_weights(table, parse_models("linear")) == []
    (note,) = notes_on_weights(table, parse_models("linear,tanh:10"))
    assert note == (
        "tanh(10) has 41 weights for 8 training rows of houses, so it can overfit; "
        "smaller --models have fewer."
    )
    with pytest.raises(DataError, match=r"relu\(30\) has 121 weights.*choose smaller --models"):
        notes_on_weights(table, parse_models("relu:30"))


def test_each_file_of_the_reader_imports_from_files_below_it() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = text[text.index("A user's own file is read in steps") :].split("\n\n")[1]
    order = [name for line in table.splitlines() for name in re.findall(r"`(\w+)\.py`", line)]
    assert {"reader", "opening", "options"} <= {*order}
    folder = ROOT / "src" / "derivable" / "data"
    for place, name in enumerate(order):
        tree = ast.parse((folder / f"{name}.py").read_text("utf-8"))
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith(HERE):
                continue
            module = (node.module or "").removeprefix(HERE).strip(".")
            used = [module] if module else [alias.name for alias in node.names]
            for other in used:
                assert other not in order or order.index(other) > place, f"{name} <- {other}"


def test_time_grows_with_the_columns_and_not_with_their_square(tmp_path: Path) -> None:
    def seconds(columns: int) -> float:
        file = tmp_path / "wide.csv"
        numbers = np.random.default_rng(0).normal(size=(31, columns)).round(4)
        names = ",".join(f"c{i}" for i in range(columns))
        np.savetxt(file, numbers, fmt="%.4f", delimiter=",", header=names, comments="")
        begin = time.process_time()  # of this process alone, whatever else the machine does
        assert read_table(file, target="c0").x.shape == (31, columns - 1)
        return time.process_time() - begin

    few, many = (min(seconds(columns) for _ in range(2)) for columns in (500, 5000))
    assert many < 25 * few, "the square of the ratio is 100"
