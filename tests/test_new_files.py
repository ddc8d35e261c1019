"""A model reads a new file as it read the one that it was trained on."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from derivable.cli.main import main
from derivable.data import Columns, read_sheet, read_table, reading
from derivable.errors import DataError
from tests.test_second_look import Capture, Cell, table_of
from tests.test_table_files import OPEN, dated


def fitted(folder: Path, content: str, *words: str) -> Path:
    """A model of a table, exported."""
    (folder / "old.csv").write_text(content)
    model = folder / "model.safetensors"
    main_of(
        "fit", str(folder / "old.csv"), "--target", "y", "--model", "linear", "--steps", "20",
        "--lr", "0.1", "--quiet", "--out", str(folder / "run"), "--export", str(model), *words,
    )  # fmt: skip
    return model


def main_of(*words: str, code: int = 0) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert int(left.value.code or 0) == code


def predicted(model: Path, content: str, capsys: Capture, *words: str, code: int = 0) -> Any:
    """The output of predict: JSON, and its notes."""
    new = model.with_name("new.csv")
    new.write_text(content)
    capsys.readouterr()
    main_of("predict", str(model), str(new), "--json", *words, code=code)
    printed = capsys.readouterr()
    return json.loads(printed.out), " ".join(printed.err.split())


def test_an_unseen_value_at_prediction(tmp_path: Path, capsys: Capture) -> None:
    rows = "".join(f"{('Paris', 'Lyon')[i % 2]},{i % 5},{i % 9}\n" for i in range(40))
    model = fitted(tmp_path, "city,a,y\n" + rows, "--one-hot")
    new = "city,a\nLyon,3\nNantes,2\n"
    document, _ = predicted(model, new, capsys, code=3)
    assert (
        "'Nantes' is none of the values that were met before: 'Lyon', 'Paris'; --unseen ignore"
        in (document["error"])
    )
    document, message = predicted(model, new, capsys, "--unseen", "ignore")
    assert len(document["predictions"]) == 2
    assert (
        "'city' has 1 cell with a value that was not met before ('Nantes'), read as none" in message
    )
    _, message = predicted(model, "city,a\nLyon,3\n", capsys, "--unseen", "ignore")
    assert "'city'" not in message


def test_numbers_with_a_type_are_those_without_a_sign(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "p,e,y\n" + "".join(f"{i % 12 + 1} %,{i % 7} €,{i % 9}.5\n" for i in range(40))
    )
    columns = read_table(tmp_path / "t.csv", target="y").columns
    assert columns is not None
    new = tmp_path / "new.parquet"
    nothing = pl.Series([None, None], dtype=pl.Float64)
    pl.DataFrame({"p": nothing, "e": [3.0, None]}).write_parquet(new)
    x = reading.features(read_sheet(new), columns)
    assert str(x.tolist()) == "[[nan, 3.0], [nan, nan]]"
    pl.DataFrame({"p": [None, 0.03], "e": [3.0, 4.0]}).write_parquet(new)
    with pytest.raises(DataError, match=r"row 2, column 'p': '0\.03' is not a number with '%'"):
        reading.features(read_sheet(new), columns)


def test_a_new_file_is_read_as_the_old_one_was(tmp_path: Path, capsys: Capture) -> None:
    rows = [(f"{i % 12 + 1} %", f"({i % 7})" if i % 3 else f"{i % 7}", i % 9) for i in range(40)]
    old = "p,b,y\n" + "".join(f"{','.join(map(str, row))}\n" for row in rows)
    model = fitted(tmp_path, old)
    document, message = predicted(model, "p,b\n3 %,(2)\n", capsys)
    assert len(document["predictions"]) == 1
    assert "'p' is read without the sign '%'" in message
    document, _ = predicted(model, "p,b\n0.03,(2)\n", capsys, code=3)
    assert "'0.03' is not a number with '%', as the column had" in document["error"]
    document, _ = predicted(model, "p,b\n3 €,(2)\n", capsys, code=3)
    assert "'3 €' is not a number with '%'" in document["error"]


def test_dates_and_spellings_of_missing_are_kept(tmp_path: Path, capsys: Capture) -> None:
    old = dated("%d/%m/%Y", OPEN).replace(";", ",").replace(",5,", ",-999,")
    model = fitted(tmp_path, old, "--dates", "dmy", "--na", "-999", "--missing", "median")
    document, _ = predicted(model, "d,a\n02/03/2024,1\n", capsys)
    other, _ = predicted(model, "d,a\n2024-03-02,1\n", capsys, code=3)
    assert "'2024-03-02' is no date (day, month, year)" in other["error"]
    document, _ = predicted(model, "d,a\n02/03/2024,-999\n", capsys, code=3)
    assert "column 'a' has no value" in document["error"]
    document, _ = predicted(model, "d,a\n02/13/2024,1\n", capsys, code=3)
    assert "'02/13/2024' is no date" in document["error"]


def test_a_name_that_is_new_as_a_double_is_refused(tmp_path: Path, capsys: Capture) -> None:
    rows = "".join(f"{i % 7},{i * i % 5},{i % 9}\n" for i in range(40))
    model = fitted(tmp_path, "a,b,y\n" + rows)
    document, _ = predicted(model, "a,b,a\n1,2,3\n", capsys, code=3)
    assert "the name 'a' stands over several columns, of which one is needed" in document["error"]
    document, _ = predicted(model, "a,b\n1,2\nTotal,9\n", capsys, code=3)
    assert "'Total' in 'a'" in document["error"]
    document, _ = predicted(model, "a,b\n1,2\nTotal,9\n", capsys, "--total", "drop")
    assert len(document["predictions"]) == 1


def test_readings_survive_as_json(tmp_path: Path) -> None:
    cells: dict[str, Cell] = {
        "d": lambda i: f"{i % 28 + 1:02}/{i % 12 + 1:02}/2024",
        "p": lambda i: f"{i % 12} %",
        "o": lambda i: ("yes", "no")[i % 2],
        "c": lambda i: ("u", "v", "")[i * i % 7 % 3],
    }
    file = table_of(tmp_path, cells)
    options = {"one_hot": "c", "missing_category": True, "na": ["a=0.5"], "missing": "median"}
    table = read_table(file, target="y", **options)
    assert table.columns is not None
    back = Columns.from_dict(json.loads(json.dumps(table.columns.to_dict())))
    assert back == table.columns
    x = reading.features(read_sheet(file), back)
    torch.testing.assert_close(x, table.x, equal_nan=True, rtol=0, atol=0)
    assert x.isnan().any()


def test_the_columns_of_an_older_model_are_read() -> None:
    old = {
        "inputs": [
            {"name": "a", "kind": "number"},
            {"name": "t", "kind": "truth"},
            {"name": "c", "kind": "text", "values": ["u", "v"]},
        ],
        "outputs": [{"name": "y", "kind": "number"}],
    }
    columns = Columns.from_dict(old)
    assert columns.features == ("a", "t", "c=u", "c=v")
    assert columns.to_dict() == old


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"kind": "number"}, "KeyError: 'name'"),
        ({"name": 3, "kind": "number"}, "ValueError: .* describes no column"),
        ({"name": "a", "kind": "number", "missing": [1]}, "ValueError: .* describes no column"),
        ({"name": "a", "kind": "roman"}, "KeyError: 'roman'"),
        ({"name": "c", "kind": "text", "values": []}, "ValueError: .* describes no column"),
        ({"name": "c", "kind": "text", "values": ["u", 2]}, "ValueError: .* describes no column"),
        (
            {"name": "d", "kind": "date", "order": "ydm", "parts": ["days"], "origin": 0},
            "ValueError: .* describes no dates",
        ),
        (
            {"name": "d", "kind": "date", "order": "ymd", "parts": ["age"], "origin": 0},
            "ValueError: .* describes no dates",
        ),
        (
            {"name": "y", "kind": "classes", "values": ["u"], "of": {"kind": "number"}},
            "ValueError: .* describes no classes",
        ),
        (
            {"name": "y", "kind": "classes", "values": ["u", 2], "of": {"kind": "number"}},
            "ValueError: .* describes no classes",
        ),
    ],
)
def test_a_document_that_describes_no_columns(column: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=rf"describe the columns of a table \({message}\)"):
        Columns.from_dict({"inputs": [column], "outputs": []})


def test_one_hot_and_its_words(tmp_path: Path, capsys: Capture) -> None:
    rows = "".join(f"{('Paris', 'Lyon')[i % 2]},{i % 5},{i % 9}\n" for i in range(200))
    (tmp_path / "t.csv").write_text("city,k,y\n" + rows)
    file, out = str(tmp_path / "t.csv"), str(tmp_path / "run")
    main_of("fit", "--one-hot", file, "--target", "y", "--quiet", code=2)
    assert f"--one-hot takes {file} for the name of a column; put FILE before it" in " ".join(
        capsys.readouterr().err.split()
    ).replace("│ ", "")
    (tmp_path / "c.toml").write_text("one-hot = true\n")
    options = ("--target", "y", "--model", "linear", "--steps", "5", "--quiet")
    main_of("fit", file, *options, "--config", str(tmp_path / "c.toml"), "--out", out)
    main_of("fit", file, *options, "--one-hot", "city,k", "--out", f"{out}2")
    settings = tomllib.loads(Path(f"{out}2", "run.toml").read_text())
    assert settings["settings"]["one-hot"] == ["city,k"]
    main_of("fit", "--config", f"{out}2/run.toml", "--quiet", "--out", f"{out}3")
