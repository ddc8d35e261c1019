"""`derivable predict`: beside the columns of a file, written as the file is."""

from __future__ import annotations

import codecs
from pathlib import Path

import polars as pl
import pytest

from derivable import compare
from derivable.cli.main import main
from derivable.data import read_sheet, read_table
from derivable.run.saved import SavedModel

ROWS = [(20 + i, ("Lyon", "Paris")[i % 2], 1000.5 + 37 * i + i % 7) for i in range(40)]


def french() -> str:
    lines = [f"{a};{b};{c:.2f}".replace(".", ",") for a, b, c in ROWS]
    return "\n".join(["surface;ville;prix", *lines]) + "\n"


@pytest.fixture
def model(tmp_path: Path) -> SavedModel:
    """A linear model of the French table, in m.safetensors beside it."""
    (tmp_path / "t.csv").write_text(french(), encoding="utf-8")
    table = read_table(tmp_path / "t.csv", target="prix", one_hot=True)
    found = compare(table, "linear", steps=200)
    model = SavedModel.of(found.best, found.facts)
    model.save(tmp_path / "m.safetensors")
    return model


def predicted(folder: Path, file: str, *words: str) -> bytes:
    """What the command writes."""
    out = folder / "out.csv"
    out.unlink(missing_ok=True)
    given = ["predict", str(folder / "m.safetensors"), str(folder / file), "--out", str(out)]
    with pytest.raises(SystemExit) as left:
        main([*given, "--quiet", *words])
    assert not left.value.code
    return out.read_bytes()


def test_the_columns_of_the_file_stay_in_its_dialect(model: SavedModel, tmp_path: Path) -> None:
    lines = predicted(tmp_path, "t.csv").decode().splitlines()
    assert lines[0] == "surface;ville;prix;prix (predicted)"
    assert [line.rsplit(";", 1)[0] for line in lines[1:]] == french().splitlines()[1:]
    expected = model.predict(read_sheet(tmp_path / "t.csv"))[:, 0].tolist()
    read = [float(line.rsplit(";", 1)[1].replace(",", ".")) for line in lines[1:]]
    assert read == pytest.approx(expected, rel=1e-8)
    assert all("." not in line for line in lines)


@pytest.mark.parametrize(
    ("encoding", "marked"), [("utf-8", False), ("utf-8-sig", True), ("cp1252", True)]
)
def test_a_mark_where_a_spreadsheet_expects_one(
    model: SavedModel, encoding: str, marked: bool, tmp_path: Path
) -> None:
    (tmp_path / "new.csv").write_bytes(
        french()
        .replace("surface;", "é;surface;")
        .replace("\n2", "\nà;2")
        .replace("\n3", "\nà;3")
        .replace("\n4", "\nà;4")
        .replace("\n5", "\nà;5")
        .encode(encoding)
    )
    content = predicted(tmp_path, "new.csv")
    assert content.startswith(codecs.BOM_UTF8) == marked
    assert content.decode("utf-8-sig").startswith("é;surface;ville;prix;prix (predicted)\nà;20;")


def test_alone_and_without_the_target(model: SavedModel, tmp_path: Path) -> None:
    alone = predicted(tmp_path, "t.csv", "--alone").decode().splitlines()
    assert alone[0] == "prix"
    assert len(alone) == 41
    frame = pl.DataFrame(
        {"ville": ["Paris", "Lyon"], "surface": [30.5, 31.0], "note": ['a,"b"', None]}
    )
    frame.write_parquet(tmp_path / "new.parquet")
    again = pl.read_csv(predicted(tmp_path, "new.parquet"))
    assert again.columns == ["ville", "surface", "note", "prix"]
    assert again["note"].to_list() == ['a,"b"', None]
    assert again["surface"].to_list() == [30.5, 31.0]
    expected = model.predict(read_sheet(tmp_path / "new.parquet"))[:, 0].tolist()
    assert again["prix"].to_list() == pytest.approx(expected, rel=1e-8)


def test_the_name_of_a_file_says_nothing_about_its_encoding(
    model: SavedModel, tmp_path: Path
) -> None:
    (tmp_path / "cp1252.csv").write_text(french(), encoding="utf-8")
    assert not predicted(tmp_path, "cp1252.csv").startswith(codecs.BOM_UTF8)
