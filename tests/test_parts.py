"""A file that processes read in parts is the table that one process reads as a whole."""

from __future__ import annotations

import random
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
import torch

from derivable.data import Table, read_part, read_table, sound_split
from derivable.data.part_split import MAX_TEST_ROWS, part_split, uniform
from derivable.data.pieces import PIECES
from derivable.distributed import Group
from derivable.errors import DataError, WholeFileError
from tests.processes import answers_of

ROWS = 700


def frame(rows: int = ROWS) -> polars.DataFrame:
    draw = np.random.default_rng(1)
    return polars.DataFrame(
        {
            "size": draw.standard_normal(rows).round(3),
            "rooms": draw.integers(1, 6, rows),
            "town": draw.choice(["Bonn", "Lyon", "Nice"], rows),
            "price": draw.standard_normal(rows).round(2),
        }
    )


def lines_of(file: Path, **options: Any) -> list[str]:
    frame().write_csv(file, **options)
    return file.read_text().splitlines()


def same(one: Table, other: Table) -> None:
    assert one.features == other.features
    assert torch.equal(one.x, other.x)
    assert torch.equal(one.y, other.y)
    assert one.lines is not None
    assert other.lines is not None
    assert torch.equal(one.lines, other.lines)


def _plain(file: Path) -> dict[str, Any]:
    frame().write_csv(file)
    return {}


def _european(file: Path) -> dict[str, Any]:
    rows = [line.replace(",", ";").replace(".", ",") for line in lines_of(file)]
    file.write_text("\r\n".join(["Export of May;;;", "", *rows]), encoding="cp1252")
    return {}


def _commented(file: Path) -> dict[str, Any]:
    file.write_text("\n".join(["# houses", "# of 2024", *lines_of(file), ""]))
    return {}


def _with_holes(file: Path) -> dict[str, Any]:
    rows = lines_of(file)
    for k in (3, 77, 500):
        rows[k] = "," + rows[k].partition(",")[2]
    file.write_text("\n".join(rows))
    return {"missing": "drop"}


def _with_blank_lines(file: Path) -> dict[str, Any]:
    rows = lines_of(file)
    file.write_text("\n".join([*rows[:200], "", "", *rows[200:]]) + "\n\n")
    return {}


def _quoted(file: Path) -> dict[str, Any]:
    frame().write_csv(file, quote_style="always")
    return {}


def _with_a_long_cell(file: Path) -> dict[str, Any]:
    rows = "\n".join(lines_of(file))
    middle = rows.index("Lyon", len(rows) // 2 + 200)
    file.write_text(f'{rows[:middle]}"Ly\non"{rows[middle + 4 :]}')
    return {}


def _with_units(file: Path) -> dict[str, Any]:
    rows = lines_of(file)
    file.write_text("\n".join([rows[0], "m2,,,EUR", *rows[1:]]))
    return {}


def _parquet(file: Path) -> dict[str, Any]:
    frame().write_parquet(file, row_group_size=90)
    return {}


@pytest.mark.parametrize(
    "write",
    [
        _plain, _european, _commented, _with_holes, _with_blank_lines, _quoted, _with_a_long_cell,
        _with_units, _parquet,
    ],
    ids=lambda write: write.__name__,
)  # fmt: skip
def test_the_parts_are_the_table(write: Any, tmp_path: Path) -> None:
    options = {"target": "price", "one_hot": "town", **write(tmp_path / "houses.csv")}
    whole = read_table(tmp_path / "houses.csv", **options)
    found = read_part(tmp_path / "houses.csv", Group(), **options)
    same(found, whole)
    assert found.part is not None
    assert found.rows == len(whole.x)
    assert len(found.part.pieces) == PIECES
    assert found.part.pieces[-1].stop == len(whole.x)
    assert "read in parts" in found.detected


EACH = """
from derivable.data import read_part, sound_split
from derivable.distributed import Group
table = read_part({file!r}, Group(), target="price", one_hot="town")
split = sound_split(table, 3)
tell(
    lines=table.lines.tolist(), first=table.part.first, rows=table.part.rows, digest=table.digest(),
    mean=[value.hex() for value in split.scaler.mean.tolist()],
    std=[value.hex() for value in split.scaler.std.tolist()],
    test=split.lines.tolist(), train=[row for row in split.y_train[:, 0].tolist()],
    rows_that_train=split.train_rows,
)
"""


@pytest.mark.parametrize("name", ["houses.csv", "houses.parquet"])
def test_every_number_of_processes_splits_alike(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    frame().write_csv(file) if name.endswith("csv") else frame().write_parquet(file)
    one, two, three = (
        [
            answer[0]
            for answer in answers_of(EACH.format(file=str(file)), size, tmp_path / str(size))
        ]
        for size in (1, 2, 3)
    )
    for found in (two, three):
        for name in ("lines", "train"):
            assert list(chain(*(each[name] for each in found))) == one[0][name]
        for each in found:
            for name in ("digest", "rows", "mean", "std", "test", "rows_that_train"):
                assert each[name] == one[0][name], name
    assert [each["first"] for each in three] == [
        0, len(three[0]["lines"]), len(three[0]["lines"]) + len(three[1]["lines"])
    ]  # fmt: skip
    assert len(one[0]["test"]) + one[0]["rows_that_train"] == ROWS


def test_the_scaler_is_that_of_the_training_rows(tmp_path: Path) -> None:
    frame().write_csv(tmp_path / "houses.csv")
    table = read_part(tmp_path / "houses.csv", Group(), target="price", ignore="town")
    assert table.part is not None
    assert table.lines is not None
    split = part_split(table, table.part, 0, torch.float64)
    tests = torch.isin(table.lines, split.lines)
    train = table.x[~tests]
    torch.testing.assert_close(split.scaler.mean, train.mean(0))
    torch.testing.assert_close(split.scaler.std, train.std(0))
    torch.testing.assert_close(split.x_train, (train - train.mean(0)) / train.std(0))
    y = table.y[~tests]
    torch.testing.assert_close(split.naive, y.mean(0))
    torch.testing.assert_close(split.y_test, (table.y[tests] - y.mean(0)) / y.std(0))
    assert abs(len(split.x_test) / ROWS - 0.2) < 0.05


@pytest.mark.parametrize("rows", [ROWS, 103])
def test_the_last_rows_test_as_those_of_the_whole_file_do(
    rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "houses.csv"
    frame(rows).write_csv(file)
    given: dict[str, Any] = {"target": "price", "ignore": "town", "split": "last"}
    table = read_part(file, Group(), **given)
    whole, split = sound_split(read_table(file, **given)), sound_split(table)
    assert split.protocol == whole.protocol == "sound_last"
    assert torch.equal(split.lines, whole.lines)
    torch.testing.assert_close(split.x_test, whole.x_test)
    torch.testing.assert_close(split.y_train, whole.y_train)
    monkeypatch.setattr("derivable.data.part_split.MAX_TEST_ROWS", 7)
    assert torch.equal(sound_split(table).lines, whole.lines[-7:])


def test_draws_are_uniform_and_depend_on_number_and_seed_alone() -> None:
    numbers = torch.arange(200_000)
    drawn = uniform(numbers, 0)
    assert torch.equal(drawn[1000:1010], uniform(numbers[1000:1010], 0))
    counts = torch.histc(drawn, 20, 0, 1)
    chi = ((counts - 10_000) ** 2 / 10_000).sum()
    assert chi < 43.8, "19 degrees of freedom: one in a thousand is larger"
    both = torch.stack([drawn, uniform(numbers, 1), drawn.roll(1)])
    assert (torch.corrcoef(both) - torch.eye(3)).abs().max() < 0.01
    assert MAX_TEST_ROWS < 0.2 * 10**6


def wrong(file: Path, line: int, text: str) -> None:
    rows = lines_of(file)
    rows[line - 1] = text
    file.write_text("\n".join(rows))


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (650, "much,2,Bonn,1.5", r"houses.csv, line 650, column 'size': 'much'"),
        (650, "1,2,Rome,1.5", r"houses.csv, line 650, column 'town': .*Rome"),
        (650, ",2,Bonn,1.5", r"houses.csv, line 650, column 'size'"),
        (650, "1,2,1.5", r"line 650"),
    ],
)
def test_what_a_part_cannot_read_is_named_by_line(
    line: int, text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("derivable.data.pieces.SAMPLE_ROWS", 5)
    wrong(tmp_path / "houses.csv", line, text)
    with pytest.raises(DataError, match=message):
        read_part(tmp_path / "houses.csv", Group(), target="price", one_hot="town")


def damaged(draw: random.Random) -> str:
    """A CSV file with up to three changes that typing, exports and editors make."""
    text = frame(draw.choice([40, 150])).write_csv()
    if draw.random() < 0.3:
        text = text.replace(",", ";").replace(".", draw.choice(".,"))
    for _ in range(draw.choice([0, 1, 1, 2, 3])):
        at = draw.randrange(len(text))
        begin, end = text.rfind("\n", 0, at) + 1, text.find("\n", at) + 1
        text = draw.choice(
            [
                text[:at] + draw.choice(';,"\n.x- 1\t') + text[at + 1 :],
                text[:at] + draw.choice([";", ",", '"', "NA", "-999", '"a\nb"']) + text[at:],
                text[:at] + text[at + draw.randrange(1, 6) :],
                text[:end] + draw.choice(["Total,1,2,3\n", "\n", "1,2\n", "# note\n"]) + text[end:],
                text[:begin] + text[begin:end] * 2 + text[end:],
            ]
        )
    return text


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_file_is_read_alike_or_refused(seed: int, tmp_path: Path) -> None:
    file, draw = tmp_path / "houses.csv", random.Random(seed)
    read = 0
    for _ in range(25):
        file.write_text(damaged(draw), newline="")
        given: dict[str, Any] = {"target": "price", "one_hot": "town"}
        given["missing"] = draw.choice(["error", "drop"])
        try:
            found = read_part(file, Group(), **given)
        except DataError:
            continue
        same(found, read_table(file, **given))
        read += 1
    assert read >= 5


SMALL = {"CHUNK_BYTES": 300, "SAMPLE_BYTES": 120, "SAMPLE_ROWS": 3, "CHUNK_ROWS": 11}


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many chunks, and few rows that show what the columns are."""
    for name, value in SMALL.items():
        monkeypatch.setattr(f"derivable.data.pieces.{name}", value)


@pytest.mark.usefixtures("small_chunks")
def test_decimal_marks_are_those_of_the_table_and_not_of_a_chunk(tmp_path: Path) -> None:
    file = tmp_path / "houses.csv"
    rows = [f'{k},"{k % 9 + 1}.234,50",{k % 7}.5' for k in range(800)]
    rows[400:440] = [f'{k},"{k % 9 + 1}.234",{k % 7}.5' for k in range(400, 440)]
    file.write_text("\n".join(["size,revenue,price", *rows]))
    same(read_part(file, Group(), target="price"), read_table(file, target="price"))
    rows[420] = '420,"7.5",3.5'
    file.write_text("\n".join(["size,revenue,price", *rows]))
    with pytest.raises(DataError, match="line 422, column 'revenue'"):
        read_part(file, Group(), target="price")


@pytest.mark.usefixtures("small_chunks")
def test_a_chunk_may_be_blank(tmp_path: Path) -> None:
    file = tmp_path / "houses.csv"
    rows = lines_of(file)
    file.write_text("\n".join([*rows[:200], *[""] * 1500, *rows[200:]]))
    given: dict[str, Any] = {"target": "price", "one_hot": "town"}
    same(read_part(file, Group(), **given), read_table(file, **given))


def test_the_sample_may_begin_and_end_in_a_cell_of_several_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece has about 450 bytes, of which the sample has the first 120, or the last."""
    monkeypatch.setattr("derivable.data.pieces.SAMPLE_BYTES", 120)
    file = tmp_path / "houses.csv"
    rows = lines_of(file)
    long = '"' + "part of\n" * 25 + '"'
    for k in (2, -2):
        size, rooms, _, price = rows[k].split(",")
        rows[k] = ",".join([size, rooms, long, price])
    file.write_text("\n".join(rows))
    given: dict[str, Any] = {"target": "price", "ignore": "town"}
    same(read_part(file, Group(), **given), read_table(file, **given))


@pytest.mark.usefixtures("small_chunks")
def test_a_chunk_may_lose_all_of_its_rows(tmp_path: Path) -> None:
    file = tmp_path / "houses.csv"
    rows = lines_of(file)
    rows[300:400] = ["," + row.partition(",")[2] for row in rows[300:400]]
    file.write_text("\n".join(rows))
    given: dict[str, Any] = {"target": "price", "one_hot": "town", "missing": "drop"}
    found = read_part(file, Group(), **given)
    same(found, read_table(file, **given))
    assert f"100 rows with a missing value left out of {ROWS}" in found.note


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_totals_at_the_end_are_asked_about(kind: str, tmp_path: Path) -> None:
    file, whole = tmp_path / f"houses.{kind}", frame()
    last = {"size": [9.0], "rooms": [3], "town": ["Total"], "price": [5.0]}
    whole = polars.concat([whole, polars.DataFrame(last)])
    whole.write_csv(file) if kind == "csv" else whole.write_parquet(file)
    given: dict[str, Any] = {"target": "price", "ignore": "town"}
    for read in (read_table, lambda path, **options: read_part(path, Group(), **options)):
        with pytest.raises(DataError, match="--total"):
            read(file, **given)
    assert read_part(file, Group(), total="keep", **given).rows == ROWS + 1


@pytest.mark.usefixtures("small_chunks")
def test_one_line_in_another_encoding_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "houses.csv"
    rows = "\n".join(lines_of(file)).replace("Nice", "Orléans").encode()
    at = rows.index(b"Orl", len(rows) // 2)
    file.write_bytes(rows[:at] + "Orléans".encode("cp1252") + rows[at + len("Orléans".encode()) :])
    with pytest.raises(WholeFileError, match="encodings"):
        read_part(file, Group(), target="price", one_hot="town")


def test_a_feature_that_only_a_test_row_varies_stays_small(tmp_path: Path) -> None:
    file = tmp_path / "houses.csv"
    table = frame().with_columns(flag=polars.lit(0.3))
    table.write_csv(file)
    given: dict[str, Any] = {"target": "price", "ignore": "town"}
    first = read_part(file, Group(), **given)
    assert first.part is not None
    line = int(part_split(first, first.part, 0, torch.float64).lines[0])
    flags = [0.4 if k == line - 2 else 0.3 for k in range(ROWS)]
    table.with_columns(flag=polars.Series(flags)).write_csv(file)
    found = read_part(file, Group(), **given)
    assert found.part is not None
    split = part_split(found, found.part, 0, torch.float64)
    flag = found.features.index("flag")
    assert (split.x_train[:, flag] == 0).all()
    torch.testing.assert_close(split.x_test[:, flag].max(), torch.tensor(0.1, dtype=torch.float64))


def test_too_few_rows_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "houses.csv"
    frame(6).write_csv(file)
    table = read_part(file, Group(), target="price", ignore="town")
    assert table.part is not None
    drawn = [int((uniform(torch.arange(6), seed) < 0.2).sum()) for seed in range(20)]
    split = part_split(table, table.part, drawn.index(1), torch.float32)
    assert split.x_test.isfinite().all()
    with pytest.raises(DataError, match="too few to draw"):
        part_split(table, table.part, drawn.index(0), torch.float32)
