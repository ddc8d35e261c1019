"""Who handed in what: folders, ZIP files of Moodle, and what is in neither."""

from __future__ import annotations

import os
import re
import sys
import zipfile
from pathlib import Path

import pytest

from derivable.errors import DataError
from derivable.labs.grading import copies as module
from derivable.labs.grading import unpacking
from derivable.labs.grading.copies import Student, copies_in
from tests.grading import RIGHT, notebook

ANSWERS = ["square", "losses"]


def write(folder: Path, *names: str, content: str = RIGHT) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")


def zipped(path: Path, entries: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def found(source: Path) -> dict[Student, str]:
    with copies_in(source, ANSWERS) as copies:
        return {one.student: one.file for one in copies}


def test_loose_files_and_folders(tmp_path: Path) -> None:
    write(tmp_path, "ada.py", "emmy.ipynb", "sophie/deep/tp.ipynb", "notes.txt", ".hidden.py")
    write(tmp_path, "sophie/.ipynb_checkpoints/tp-checkpoint.ipynb", "__MACOSX/x.py")
    assert found(tmp_path) == {
        Student("ada"): "ada.py",
        Student("emmy"): "emmy.ipynb",
        Student("sophie"): "deep/tp.ipynb",
    }


def test_one_file_is_one_copy(tmp_path: Path) -> None:
    write(tmp_path, "ada.py")
    assert found(tmp_path / "ada.py") == {Student("ada"): "ada.py"}


def test_both_forms_of_moodles_zip(tmp_path: Path) -> None:
    archive = zipped(
        tmp_path / "TP 2.zip",
        {
            "Émilie du Châtelet_12_assignsubmission_file_/tp.ipynb": RIGHT,
            "Jean-Luc O'Neil_13_assignsubmission_file_tp.py": RIGHT,
            "No_One_14_assignsubmission_file_/report.pdf": "%PDF",
            "Only Text_15_assignsubmission_onlinetext_/onlinetext.html": "<p>",
        },
    )
    assert found(archive) == {
        Student("Émilie du Châtelet", "12"): "tp.ipynb",
        Student("Jean-Luc O'Neil", "13"): "tp.py",
        Student("No_One", "14"): "",
        Student("Only Text", "15"): "",
    }


def test_students_are_sorted_without_accents(tmp_path: Path) -> None:
    write(tmp_path, "Zoe.py", "émilie.py", "Fanny.py", "ada.py")
    assert [s.name for s in found(tmp_path)] == ["ada", "émilie", "Fanny", "Zoe"]


def test_the_folder_around_all_copies_is_no_student(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "x.zip", {"group 1/ada/a.py": RIGHT, "group 1/emmy/b.py": RIGHT})
    assert set(found(archive)) == {Student("ada"), Student("emmy")}
    write(tmp_path, "all/ada/x.py")
    assert set(found(tmp_path / "all")) == {Student("ada")}


def test_of_several_files_the_one_with_most_answers_is_graded(tmp_path: Path) -> None:
    write(tmp_path, "ada/old.ipynb", content=notebook("x = 1"))
    write(tmp_path, "ada/functions.py", content="def square(x):\n    return x\n" + "#" * 9999)
    write(tmp_path, "ada/final.ipynb", content=notebook("y = 1\ndef square(x): ...", "losses = []"))
    with copies_in(tmp_path, ANSWERS) as (copy,):
        assert copy.file == "final.ipynb"
        assert copy.others == ("functions.py", "old.ipynb")


def test_flat_files_of_one_student_belong_together(tmp_path: Path) -> None:
    names = ["A_1_assignsubmission_file_a.py", "A_1_assignsubmission_file_b.py"]
    archive = zipped(tmp_path / "x.zip", {names[0]: "x = 1", names[1]: RIGHT})
    with copies_in(archive, ANSWERS) as (copy,):
        assert (copy.student, copy.file, copy.others) == (Student("A", "1"), "b.py", (names[0],))


def test_a_zip_within_is_unpacked_and_a_broken_one_reported(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"tp/tp2.ipynb": notebook(RIGHT), "tp/data.csv": "1"})
    write(tmp_path, "class/emmy/broken.zip", content="no zip")
    (tmp_path / "class/ada").mkdir()
    inner.rename(tmp_path / "class/ada/ada.zip")
    with copies_in(tmp_path / "class", ANSWERS) as (ada, emmy):
        assert ada.file == "tp/tp2.ipynb"
        assert (emmy.path, emmy.broken) == (None, ("broken.zip",))


def test_the_files_beside_a_copy_within_a_zip_come_along(tmp_path: Path) -> None:
    write(tmp_path, "class/ada/draft.py", "class/ada/draft.csv", content="x = 1")
    zipped(tmp_path / "class/ada/ada.zip", {"tp/tp2.py": RIGHT, "tp/data.csv": "1"})
    with copies_in(tmp_path / "class", ANSWERS) as (copy,):
        assert (copy.file, copy.others) == ("tp2.py", ("draft.py",))
        copy.bring(tmp_path / "to")
    assert {path.name for path in (tmp_path / "to").iterdir()} == {"tp2.py", "data.csv"}


def test_what_systems_put_into_zips_is_left_out(tmp_path: Path) -> None:
    names = ["tp/", "tp/ada.py", "__MACOSX/tp/._ada.py", "tp/.DS_Store", ".."]
    archive = zipped(tmp_path / "x.zip", dict.fromkeys(names, ""))
    unpacking.unpack(archive, tmp_path / "to")
    assert [p.name for p in (tmp_path / "to").rglob("*") if p.is_file()] == ["ada.py"]


def test_names_of_older_zips_and_long_ones(tmp_path: Path) -> None:
    long = "é" * 70 + "x" * 70 + ".py"  # 213 bytes
    archive = zipped(tmp_path / "x.zip", {"caf#.py": RIGHT, long: RIGHT})
    archive.write_bytes(archive.read_bytes().replace(b"caf#", b"caf\x82"))  # in code page 437
    unpacking.unpack(archive, tmp_path / "to")
    cut, short = sorted(os.listdir(tmp_path / "to"), key=len, reverse=True)
    assert short == "café.py"
    assert len(cut.encode()) <= 200
    assert re.fullmatch("é+…x+[.]py", cut)


def test_nothing_is_unpacked_outside_of_the_folder(tmp_path: Path) -> None:
    archive = zipped(
        tmp_path / "evil.zip",
        {"../../evil.py": RIGHT, "/abs.py": RIGHT, "C:\\win\\w.py": RIGHT, "ok/..\\x.py": RIGHT},
    )
    with copies_in(archive, ANSWERS) as copies:
        paths = [copy.path for copy in copies if copy.path]
        roots = {path.parents[len(path.parts) - 4] for path in paths}
        assert len(paths) == 4
        assert len(roots) == 1
    assert not list(tmp_path.glob("*.py"))
    assert not any(path.exists() for path in paths)  # removed with the block


def test_a_zip_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a.py", bytes(3 << 20))
    assert archive.stat().st_size < 10_000
    monkeypatch.setattr(unpacking, "TOTAL", 2 << 20)
    with pytest.raises(DataError, match="2 MB come out of"), copies_in(archive, ANSWERS):
        pass


def test_many_empty_files_are_too_much_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zipped(tmp_path / "x.zip", {f"{n}.py": "" for n in range(7)})
    monkeypatch.setattr(unpacking, "FILES", 5)
    with pytest.raises(DataError, match="more than 5 files"), copies_in(archive, ANSWERS):
        pass


def test_one_students_zip_does_not_take_the_place_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INNER", 1 << 20)
    for name in ("ada", "emmy"):
        (tmp_path / name).mkdir()
    with zipfile.ZipFile(tmp_path / "ada/bomb.zip", "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a.py", RIGHT)
        opened.writestr("zeros", bytes(3 << 20))
    zipped(tmp_path / "emmy/tp.zip", {"b.py": RIGHT})
    with copies_in(tmp_path, ANSWERS) as (ada, emmy):
        assert (ada.path, ada.broken) == (None, ("bomb.zip",))
        assert emmy.file == "b.py"


@pytest.mark.parametrize(("method", "name"), [(zipfile.ZIP_STORED, "é"), (zipfile.ZIP_LZMA, "a")])
def test_zips_that_are_damaged_inside_are_refused(method: int, name: str, tmp_path: Path) -> None:
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w", method) as opened:
        opened.writestr(f"{name}.py", RIGHT * 50)
    raw = archive.read_bytes().replace("é".encode(), b"\xff\xfe")
    archive.write_bytes(raw if name == "é" else raw[:45] + bytes(9) + raw[54:])
    with pytest.raises(DataError, match="cannot be unpacked"), copies_in(archive, ANSWERS):
        pass


def test_points_in_names_are_part_of_them(tmp_path: Path) -> None:
    names = {"marie.curie.ipynb": "marie.curie", "marie.dupont.py": "marie.dupont",
             "a.b.ipynb.txt": "a.b", "C.D.PY": "C.D"}  # fmt: skip
    write(tmp_path, *names)
    assert set(found(tmp_path)) == {Student(name) for name in names.values()}


def test_the_folder_of_the_marks_is_no_student(tmp_path: Path) -> None:
    write(tmp_path, "ada.py", "marks/results/x.json")
    with copies_in(tmp_path, ANSWERS, tmp_path / "marks") as (copy,):
        assert copy.student == Student("ada")


@pytest.mark.skipif(sys.platform != "linux", reason="needs names that are no UTF-8")
def test_names_that_are_no_utf_8_are_readable(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"Andr\xe9")).mkdir()
    (tmp_path / os.fsdecode(b"Andr\xe9/\xe9t\xe9.py")).write_text(RIGHT)
    assert found(tmp_path) == {Student("André"): "été.py"}
    with copies_in(tmp_path, ANSWERS) as (copy,):
        assert copy.bring(tmp_path / "to").name == "été.py"


def test_links_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path, "secret.py", "class/ada/a.py")
    (tmp_path / "class/ada/link.py").symlink_to(tmp_path / "secret.py")
    (tmp_path / "class/emmy.py").symlink_to(tmp_path / "secret.py")
    assert found(tmp_path / "class") == {Student("ada"): "a.py"}


def test_the_students_other_files_come_along(tmp_path: Path) -> None:
    write(tmp_path, "class/ada/a.py", "class/ada/data/table.csv", "class/ada/helper.txt")
    with copies_in(tmp_path / "class", ANSWERS) as (copy,):
        assert copy.bring(tmp_path / "to") == tmp_path / "to/a.py"
    brought = {p.relative_to(tmp_path / "to").as_posix() for p in (tmp_path / "to").rglob("*.*")}
    assert brought == {"a.py", "data/table.csv", "helper.txt"}


@pytest.mark.parametrize(("limit", "most"), [("BROUGHT", 4), ("BROUGHT_FILES", 2)])
def test_of_many_files_only_the_first_come_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    write(tmp_path, "ada/tp.py", *(f"ada/{n}.csv" for n in range(4)), content="12")
    monkeypatch.setattr(module, limit, most)
    with copies_in(tmp_path, ANSWERS) as (copy,):
        copy.bring(tmp_path / "to")
    assert sorted(os.listdir(tmp_path / "to")) == ["0.csv", "1.csv", "tp.py"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "there is no .*nowhere; give a folder"),
        ("empty", "there is no copy in .*empty; copies are .ipynb"),
        ("x.pdf", "x.pdf is no copy: a folder, a .zip"),
        ("x.zip", "x.zip cannot be unpacked"),
    ],
)
def test_wrong_paths_are_refused(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path, "x.pdf", "x.zip")
    with pytest.raises(DataError, match=message), copies_in(tmp_path / name, ANSWERS):
        pass


def test_a_folder_and_loose_files_of_one_name_are_one_student(tmp_path: Path) -> None:
    write(tmp_path, "ada.py", "ada.ipynb", content="x = 1")
    write(tmp_path, "ada/tp.py")
    with copies_in(tmp_path, ANSWERS) as (copy,):
        assert (copy.file, copy.others) == ("tp.py", ("ada.ipynb", "ada.py"))
