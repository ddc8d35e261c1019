"""What is noted of a table before training, and what is asked at once."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from derivable.cli.main import main
from derivable.data import Table, read_table, sound_split
from derivable.data.problems import ProblemsError, option_of
from derivable.errors import DataError

Capture = pytest.CaptureFixture[str]
Cell = Callable[[int], object]


def table_of(folder: Path, columns: dict[str, Cell], rows: int = 200) -> Path:
    """A table whose cells are functions of the row; y is among these, or is made up."""
    columns = {"a": lambda i: i * i % 23 + 0.5, "y": lambda i: i * 7 % 31 + 0.25} | columns
    lines = [",".join(str(cell(i)) for cell in columns.values()) for i in range(rows)]
    file = folder / "t.csv"
    file.write_text("\n".join([",".join(columns), *lines]) + "\n")
    return file


def noted(
    folder: Path, columns: dict[str, Cell] | None = None, rows: int = 200, **options: Any
) -> tuple[str, ...]:
    return read_table(table_of(folder, columns or {}, rows), target="y", **options).notes


NOTES: dict[str, tuple[dict[str, Cell], str]] = {
    "code by name": (
        {"shopId": lambda i: i % 7},
        "'shopId' is named like a code and is read as a number; --one-hot 'shopId' makes",
    ),
    "code by its values": (
        {"r": lambda i: (11, 28, 67, 93, 75)[i * i % 5]},
        "'r' holds 3 different whole numbers, which may be codes; --one-hot 'r' makes",
    ),
    "leading zeros": ({"z": lambda i: f"0{i % 9 + 1}"}, "'z' has leading zeros, as a code has"),
    "identifier": (
        {"customer_id": lambda i: (i * 7919) % 100003},
        "'customer_id' has another whole number in nearly each row, as an identifier has",
    ),
    "counter": ({"n": lambda i: i}, "The feature 'n' numbers the rows; --ignore 'n' leaves it out"),
    "twice": ({"b": lambda i: i * i % 23 + 0.5}, "The feature 'b' repeats 'a'; --ignore 'b'"),
    "-999": (
        {"m": lambda i: -999 if i % 40 == 3 else i % 17},
        "'m' is -999 in 5 rows and lies between 0 and 16 elsewhere; if that means missing: --na "
        "'m=-999'.",
    ),
    "9999": ({"m": lambda i: 9999 if i % 40 == 3 else i % 17}, "--na 'm=9999'."),
    "zero": ({"m": lambda i: 0 if i % 40 == 3 else 500 + i % 17}, "--na 'm=0'."),
    "target": (
        {"m": lambda i: i * 7 % 31 + 0.25 + i % 3 / 100},
        "The feature 'm' alone gives the target 'y' with R² = 1.00000",
    ),
    "time": (
        {"t": lambda i: 1000 + i},
        "The rows are in order of 't', as a time series is; --split last tests on the last 20%",
    ),
    "dates": ({"d": lambda i: f"2024-{i // 28 + 1:02}-{i % 28 + 1:02}"}, "in order of 'd'"),
    "years": ({"year": lambda i: 1990 + i // 9}, "The rows are in order of 'year'"),
    "magnitudes": (
        {"y": lambda i: 10 ** (i % 6) + i % 3},
        "The target 'y' spans 5 orders of magnitude (1 to 100002)",
    ),
    "apostrophe": (
        {"l'an": lambda i: i},
        """The feature 'l'an' numbers the rows; --ignore 'l'"'"'an' leaves it out.""",
    ),
    "apostrophe of a code": (
        {"l'id": lambda i: f"0{i % 9 + 1}"},
        """--one-hot 'l'"'"'id' makes a category of each, --ignore 'l'"'"'id' leaves it out.""",
    ),
    "apostrophe of a missing value": (
        {"l'âge": lambda i: -999 if i % 40 == 3 else i % 17},
        """if that means missing: --na 'l'"'"'âge=-999'.""",
    ),
    "digits": ({"m": lambda i: 10**17 + i * i}, "'m' has more digits than 64-bit numbers keep"),
}


@pytest.mark.parametrize("case", NOTES)
def test_what_is_noted(case: str, tmp_path: Path) -> None:
    columns, error_message = NOTES[case]
    assert any(error_message in note for note in noted(tmp_path, columns)), noted(tmp_path, columns)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("a",), ["a"]),
        (("a b", "c"), ["a b,c"]),
        (("l'an", 'the "x"'), ['l\'an,the "x"']),
        (("a, b", "l'an"), ["a, b", "l'an"]),
        (("$(x) `y` \\ !z", "#3"), ["$(x) `y` \\ !z,#3"]),
    ],
)
def test_an_option_with_names_is_words_of_a_shell(names: tuple[str, ...], words: list[str]) -> None:
    option = option_of("--ignore", *names)
    assert shlex.split(option) == [part for word in words for part in ("--ignore", word)]
    assert option_of("--ignore", "a", "b") == "--ignore 'a,b'"


def test_a_category_that_gives_the_target_is_left_out_by_its_column(tmp_path: Path) -> None:
    columns: dict[str, Cell] = {"c": lambda i: "uv"[i % 2], "y": lambda i: i % 2 + i % 7 / 1e4}
    notes = noted(tmp_path, columns, one_hot="c")
    expected = "if it is not known before the target, --ignore 'c' leaves it out."
    assert sum(note.endswith(expected) for note in notes) == 2
    assert not any("alone gives" in note for note in noted(tmp_path, columns, ignore="c"))


def test_what_is_not_noted(tmp_path: Path) -> None:
    assert noted(tmp_path) == ()
    ordinary: dict[str, Cell] = {
        "rooms": lambda i: i * i % 7,
        "age": lambda i: 18 + i * 31 % 60,
        "tens": lambda i: 10 * (i * i % 9 + 3),
        "zeros": lambda i: i * i % 5,
        "population": lambda i: 1000 + i * 7919 % 100003,
        "year": lambda i: 1990 + i * 7 % 20,
    }
    assert noted(tmp_path, ordinary) == ()


def test_few_test_rows_are_stated(tmp_path: Path) -> None:
    (note,) = noted(tmp_path, rows=60)
    assert note.startswith("Only 12 rows of 60 test, so the test loss is a rough figure")


def test_many_notes_of_a_kind_are_counted(tmp_path: Path) -> None:
    columns: dict[str, Cell] = {f"id{k}": lambda i: i * 7919 % 100003 for k in range(9)}
    kinds = [note for note in noted(tmp_path, columns) if "identifier" in note or "more" in note]
    assert len(kinds) == 7
    assert kinds[5] == "4 more notes of this kind."


CITIES = ("Paris", "paris", "Lyon", "Le  Mans", "le mans")


def test_spellings_of_one_category(tmp_path: Path) -> None:
    file = table_of(tmp_path, {"city": lambda i: CITIES[i % 5]})
    table = read_table(file, target="y", one_hot=True)
    assert (
        "'Paris', 'paris' in 'city' differ in case or blanks only and are categories of their own; "
        "--merge-spellings makes one of them." in table.note
    )
    merged = read_table(file, target="y", one_hot=True, merge_spellings=True)
    assert merged.features == ("a", "city=le mans", "city=lyon", "city=paris")
    assert merged.x[:, 1:].sum(1).tolist() == [1] * 200


def test_categories_by_name_and_missing_ones(tmp_path: Path) -> None:
    file = table_of(
        tmp_path, {"city": lambda i: CITIES[i % 3] if i % 9 else "", "k": lambda i: i % 3}
    )
    with pytest.raises(DataError, match="column 'city' has no value"):
        read_table(file, target="y", one_hot="city")
    table = read_table(file, target="y", one_hot="k,city", missing_category=True)
    cities = ("city=Lyon", "city=Paris", "city=paris", "city=(missing)")
    assert table.features == ("a", *cities, "k=0", "k=1", "k=2")
    assert table.x[0, 1:5].tolist() == [0, 0, 0, 1]
    assert "'city' became 4 features, one of these for missing cells" in table.detected
    with pytest.raises(DataError, match="no column 'town', which --one-hot names"):
        read_table(file, target="y", one_hot="town")


@pytest.mark.parametrize(
    ("options", "error_message"),
    [
        ({"one_hot": True}, "--one-hot changed nothing: no column that is used is text."),
        ({"missing": "drop"}, "--missing drop changed nothing: no cell is missing."),
        ({"missing_category": True}, "--missing-category changed nothing: no category is missing."),
        ({"merge_spellings": True}, "--merge-spellings changed nothing"),
        ({"dates": "dmy"}, "--dates changed nothing: no column that is used holds dates."),
        ({"na": ["-1"]}, "--na '-1' changed nothing: no cell holds it."),
        ({"na": ["a=-1"]}, "--na 'a=-1' changed nothing: no cell holds it."),
    ],
)
def test_an_option_that_changes_nothing(
    options: dict[str, Any], error_message: str, tmp_path: Path
) -> None:
    assert any(error_message in note for note in noted(tmp_path, **options))


@pytest.mark.parametrize("mark", [".", ","])
def test_a_decimal_mark_that_no_number_has(mark: str, tmp_path: Path) -> None:
    note = "--decimal changed nothing: no number is written with a decimal mark."
    whole: dict[str, Cell] = {"a": lambda i: i * i % 23, "y": lambda i: i * 7 % 31}
    assert note in noted(tmp_path, whole, decimal=mark)
    for cell in (f"2{mark}5", f"1{mark}234", ("1.234.567", "1,234,567")[mark == "."]):
        written = whole | {"a": lambda i, cell=cell: f'"{cell}"' if i == 3 else i * i % 23}
        assert note not in noted(tmp_path, written, decimal=mark)


PROBLEMS = (
    "city,ref,size,rent,open\n"
    + "".join(f"{'LNP'[i % 3]},R{i},{i * i % 17},{i * 7 % 31},{i % 2}\n" for i in range(120))
    + "L,R120,unknown,4,1\nN,R121,3,,0\n"
)


def test_all_problems_at_once_with_a_command_that_works(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "my table.csv"
    file.write_text(PROBLEMS)
    words = ("fit", str(file), "--target", "rent", "--model", "linear", "--steps", "5")
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 3
    message = " ".join(capsys.readouterr().err.split())
    assert (
        "my table.csv has 3 problems: (1) my table.csv, line 122, column 'size': 'unknown'"
        in message
    )
    assert (
        "(2) my table.csv, line 2, column 'city': 'L' is text; --one-hot makes a feature" in message
    )
    assert "--ignore 'ref' leaves out what has more than 100 values" in message
    assert (
        "(3) my table.csv, line 123, column 'rent' has no value (missing: 1 in 'rent')" in message
    )
    with pytest.raises(ProblemsError) as raised:
        read_table(file, target="rent")
    assert raised.value.options is not None
    command = shlex.join(["derivable", "fit", str(file), *raised.value.options.words()])
    assert message.endswith(f"; for example: {command}")
    assert "--one-hot city" in command
    with pytest.raises(SystemExit) as left:
        main([*shlex.split(command)[1:], *words[4:], "--out", str(tmp_path / "run"), "--quiet"])
    assert not left.value.code


@pytest.mark.parametrize("typed", [(), ("--no-parts",), ("--parts",)])
def test_the_command_has_the_options_that_were_typed(
    typed: tuple[str, ...], tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "t.csv"
    file.write_text("town,y\n" + "".join(f"{'LN'[i % 2]},{i}\n" for i in range(30)))
    with pytest.raises(SystemExit):
        main(("fit", str(file), "--target", "y", *typed))
    message = " ".join(capsys.readouterr().err.split())
    words = ["derivable", "fit", str(file), "--target", "y", "--one-hot", "town", *typed]
    assert message.endswith(f"; for example: {shlex.join(words)}")


def test_a_dead_end_has_no_command(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,y\nx,1\nz,\n")
    with pytest.raises(ProblemsError, match=r"t.csv has 2 problems: .1. .*'x' is text") as raised:
        read_table(tmp_path / "t.csv", target="y")
    assert raised.value.options is None, "two rows are too few whatever is done"


def test_the_last_rows_test(tmp_path: Path) -> None:
    table = read_table(table_of(tmp_path, {"t": lambda i: 1000 + i}), target="y", split="last")
    split = sound_split(table, seed=3, dtype=torch.float64)
    assert (split.protocol, len(split.y_test)) == ("sound_last", 40)
    y = split.scaler.predictions(split.y_test)
    torch.testing.assert_close(y, table.y[160:])
    assert split.scaler.y_mean.item() == pytest.approx(table.y[:160].mean().item())


def test_a_table_has_its_notes_one_by_one() -> None:
    x = torch.ones(2, 1)
    assert Table("t", x, x, ("a",), ("y",), note="one").notes == ()
