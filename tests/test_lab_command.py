"""What `derivable lab` prints: its JSON, and the lines on a class that has been graded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from derivable.labs import load
from derivable.labs.sheet import names
from tests.conftest import Command
from tests.grading import RIGHT, write_sheet

WRONG = RIGHT.replace("x * x", "-x * x")


def test_the_list_of_sheets_as_json(command_here: Command) -> None:
    done = command_here("lab", "list", "--json", "--lang", "fr")
    found = json.loads(done.stdout)
    assert [one["sheet"] for one in found] == list(names())
    second = next(one for one in found if one["sheet"] == "tp2")
    assert second["title"] == "Fonctions dérivables"
    assert second["minutes"] == [90, 120]
    assert (second["questions"], second["points"]) == (15, 20)


def test_a_class_is_graded_by_a_scale_and_again_as_json(
    command_here: Command, tmp_path: Path
) -> None:
    sheet = write_sheet(tmp_path)
    copies = tmp_path / "class"
    for name, code in (("Ada", RIGHT), ("Bob", WRONG), ("Cléo", WRONG)):
        (copies / name).mkdir(parents=True)
        (copies / name / "copy.py").write_text(code, "utf-8")
    scale = "out_of = 10\nrounding = 0.5\npartial = true\n[points]\nsquare = 3\ncurve = 1\n"
    (tmp_path / "scale.toml").write_text(scale)
    words = ("lab", "grade", str(copies), "--sheet", str(sheet), "--quiet", "--jobs", "2",
             "--scale", "scale.toml")  # fmt: skip

    done = command_here(*words)
    assert done.returncode == 0, done.stderr
    mean, *places = done.stdout.splitlines()
    assert mean == "copies: 3; mean 7.67, median 6.5 of 10", "6.25 is rounded to 6.5"
    assert [line.split()[-1] for line in places] == [
        str(Path("marks", name)) for name in ("index.html", "marks.csv", "copies")
    ]

    document = json.loads(command_here(*words, "--json").stdout)
    assert (document["sheet"], document["out_of"]) == (load(str(sheet)).name, 10)
    marks = {one["student"]: one["mark"] for one in document["copies"]}
    assert marks == {"Ada": 10, "Bob": 6.5, "Cléo": 6.5}
    bob = document["copies"][1]
    assert bob["points"] == {"square": 1.5, "curve": 1}
    assert list(bob["mistakes"]) == ["square"]
    assert (tmp_path / bob["page"]).is_file()
    assert document["alike"] == [], "copies of so few lines are not compared"


def test_a_sheet_with_a_problem_is_tried_with_an_exit_code(
    command_here: Command, tmp_path: Path
) -> None:
    sheet = write_sheet(tmp_path)
    sheet.write_text(sheet.read_text("utf-8").replace("return x * x\n", "return -x * x\n"), "utf-8")
    done = command_here("lab", "try", str(sheet))
    assert done.returncode == 1
    assert "square: the solution is not right: square: wrong sign." in done.stderr
    done = command_here("lab", "try", str(sheet), "--lang", "fr")
    solution = "square\u00a0: la solution n'est pas juste\u00a0: square : signe faux."
    assert solution in done.stderr


def test_a_folder_that_cannot_be_made_is_named(command_here: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = command_here("lab", "new", "tp1", "--out", "file/made")
    assert done.returncode == 2
    assert done.stderr.startswith("derivable: file/made: ")
    assert "Traceback" not in done.stderr


def test_whoever_reads_no_further_gets_no_message() -> None:
    words = [sys.executable, "-m", "derivable", "lab", "list"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        started.stdout.close()
        assert started.stderr.read() == b""
