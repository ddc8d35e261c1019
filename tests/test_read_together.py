"""What cannot be read in parts is read as a whole or refused, in each process alike."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from derivable.data import lab_split, read_part, read_table
from derivable.data.parts import read_together
from derivable.data.pieces import PIECES
from derivable.distributed import Group
from derivable.errors import DataError, SettingError, WholeFileError
from tests.test_parts import frame, lines_of, same

GIVEN: dict[str, Any] = {"target": "price", "one_hot": "town"}


def test_what_needs_the_whole_file_says_so(tmp_path: Path) -> None:
    file = tmp_path / "houses.csv"
    rows = lines_of(file)
    given: dict[str, Any] = {"target": "price", "one_hot": "town"}
    file.write_text("\n".join(rows).replace("Lyon", '"Ly\non"'))
    with pytest.raises(WholeFileError, match="quotation marks hold ends of lines"):
        read_part(file, Group(), **given)
    file.write_text("\n".join(rows))
    with pytest.raises(WholeFileError, match="--missing median"):
        read_part(file, Group(), missing="median", **given)
    with pytest.raises(WholeFileError, match="'town' is one of classes"):
        read_part(file, Group(), target="town")
    subprocess.run(["gzip", "-k", str(file)], check=True)
    with pytest.raises(WholeFileError, match="compressed"):
        read_part(tmp_path / "houses.csv.gz", Group(), **given)
    with pytest.raises(DataError, match=r"none\.csv"):
        read_part(tmp_path / "none.csv", Group(), **given)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    frame().write_csv(tmp_path / "houses.csv")
    return tmp_path / "houses.csv"


@pytest.mark.parametrize(
    "options",
    [{"sheet": "houses"}, {"total": "drop"}, {"no_header": True, "target": "#4"}],
    ids=str,
)
def test_options_that_concern_the_whole_file(options: dict[str, Any], file: Path) -> None:
    with pytest.raises(WholeFileError, match="--sheet, --total drop and --no-header concern all"):
        read_part(file, Group(), **{**GIVEN, **options})


def test_a_column_without_name_and_cells(file: Path) -> None:
    file.write_text(file.read_text().replace("\n", ",\n"))
    with pytest.raises(WholeFileError, match="columns have neither names nor cells"):
        read_part(file, Group(), **GIVEN)


def test_decimals_of_which_the_sample_has_none(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derivable.data.pieces.SAMPLE_ROWS", 3)
    rows = [f"{k * k % 17};{k % 9};{k * 7 % 31}" for k in range(800)]
    rows[420] = "4,125;3;5"
    file.write_text("\n".join(["size;rooms;price", *rows]))
    with pytest.raises(WholeFileError, match="the numbers of 'size' have decimals in some of its"):
        read_part(file, Group(), target="price")
    given = {"target": "price", "decimal": ","}
    part, whole = read_part(file, Group(), **given), read_table(file, **given)
    same(part, whole)
    assert part.x[420].tolist() == [4.125, 3]


def test_files_without_rows(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("\n \n")
    with pytest.raises(DataError, match=r"t\.csv is empty"):
        read_part(tmp_path / "t.csv", Group(), **GIVEN)
    frame().clear().write_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"t\.parquet has names of columns and no rows of numbers"):
        read_part(tmp_path / "t.parquet", Group(), **GIVEN)
    with pytest.raises(SettingError, match=r"--sheet names a part of a workbook .* is none"):
        read_part(tmp_path / "t.parquet", Group(), sheet="houses", **GIVEN)


def test_more_processes_than_pieces(file: Path) -> None:
    group = Group.alone()
    group.size = PIECES + 1
    with pytest.raises(WholeFileError, match="in parts by 32 processes at most, got 33"):
        read_part(file, group, **GIVEN)


def test_the_labs_protocol_needs_all_rows(file: Path) -> None:
    with pytest.raises(SettingError, match="leave out --protocol lab, or --parts"):
        lab_split(read_part(file, Group(), **GIVEN))


def test_a_large_file_is_read_in_parts_or_else_as_a_whole(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("derivable.data.parts.LARGE", file.stat().st_size)
    assert read_together(file, Group(), **GIVEN).part is not None
    assert read_together(file, None, **GIVEN).part is None
    assert read_together(file, Group(), parts=False, **GIVEN).part is None
    classes = read_together(file, Group(), target="town")
    assert (classes.part, classes.classes) == (None, ("Bonn", "Lyon", "Nice"))
    with pytest.raises(WholeFileError, match="'town' is one of classes"):
        read_together(file, Group(), target="town", parts=True)
    monkeypatch.setattr("derivable.data.parts.LARGE", file.stat().st_size + 1)
    assert read_together(file, Group(), **GIVEN).part is None


@pytest.mark.parametrize("free", [None, 20, 21])
def test_what_a_part_refuses_is_read_as_a_whole_where_that_fits(
    free: int | None, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A word in a row that the sample does not have makes its column one of text."""
    rows = lines_of(file)
    rows[650] = "1,2,Rome,1.5"
    file.write_text("\n".join(rows))
    size = file.stat().st_size
    available = {} if free is None else {"MemAvailable": free * size}
    monkeypatch.setattr("derivable.data.pieces.SAMPLE_ROWS", 5)
    monkeypatch.setattr("derivable.data.parts.LARGE", 1)
    monkeypatch.setattr("derivable.data.parts.sizes", lambda file: available)
    if free == 21:
        table = read_together(file, Group(), **GIVEN)
        assert table.part is None
        assert "town=Rome" in table.features
    else:
        with pytest.raises(DataError, match=r"line 651, column 'town': .*Rome"):
            read_together(file, Group(), **GIVEN)
