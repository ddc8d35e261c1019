"""The scale, the marks, Moodle's CSV, and a grading that goes on or is made again."""

from __future__ import annotations

import csv
import io
import json
import math
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from derivable.errors import FileError, SettingError
from derivable.labs import Sheet, load
from derivable.labs.feedback import Curve, Feedback, Status
from derivable.labs.grading.attempt import Interrupted
from derivable.labs.grading.copies import Copy, Student
from derivable.labs.grading.driver import Options, Stopped, grade
from derivable.labs.grading.incidents import Kind
from derivable.labs.grading.job import feedback_of_json, feedback_to_json
from derivable.labs.grading.marked import Class, Marked
from derivable.labs.grading.moodle import COLUMNS, moodle_csv
from derivable.labs.grading.record import Results, file_name
from derivable.labs.grading.runner import Outcome, Runner, WorkerError
from derivable.labs.grading.scale import Scale, read_scale, sheet_scale, write_scale
from tests.grading import RIGHT, SMALL, notebook, write_sheet


@pytest.fixture
def sheet(tmp_path: Path) -> Sheet:
    return load(str(write_sheet(tmp_path)))


def answers(square: float, curve: float) -> dict[str, Feedback]:
    """Feedback with these shares."""
    return {
        key: Feedback(key, Status.RIGHT if share == 1 else Status.WRONG, ("line",), share=share)
        for key, share in (("square", square), ("curve", curve))
    }


# The scale


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_scale_that_is_written_is_read_as_that_of_the_sheet(
    lang: str, sheet: Sheet, tmp_path: Path
) -> None:
    write_scale(sheet, tmp_path / "scale.toml", lang)
    assert read_scale(tmp_path / "scale.toml", sheet) == sheet_scale(sheet)
    text = (tmp_path / "scale.toml").read_text("utf-8")
    assert {"en": "The square (square)", "fr": "Le carré (square)"}[lang] in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[points]\nsquare = -1",
            r"points.square must be 0 or a number from 0.001 to 1000000",
        ),
        (
            "[points]\nsquare = 1e-8\ncurve = 1e-8",
            r"points.square must be 0 or a number from 0.001",
        ),
        ("[points]\nsquare = '2'", r"points.square must be a number, got '2'"),
        ("[points]\nsquare = true", r"points.square must be a number, got True"),
        ("[points]\nsquare = nan", r"points.square must be 0 or a number from"),
        ("[points]\ncircle = 1", r"names 'circle', which is no question of squares; its questions"),
        ("[points]\nsquare = 0\ncurve = 0", r"all points are 0"),
        ("points = 3", r"points must be a table, \[points\], got 3"),
        ("outof = 20", r"unknown key 'outof'; a scale has out_of"),
        ("out_of = 0", r"out_of must be above 0"),
        ("rounding = -0.5", r"rounding must be 0 or a number from"),
        ("rounding = 1e-8", r"rounding must be 0 or a number from 0.001"),
        ("rounding = 30", r"rounding must be at most out_of \(20\), got 30"),
        ("a = " + "[" * 3000, r"is no TOML file in UTF-8: maximum recursion depth"),
        ("partial = 1", r"partial must be true or false, got 1"),
        ("out_of = 20\nout_of = = 3", r"is no TOML file in UTF-8: .*line 2"),
        (b"\xff\xfe", r"is no TOML file in UTF-8"),
        (None, r"the scale .* cannot be read \(No such file"),
    ],
)
def test_wrong_scales_are_refused(
    text: str | bytes | None, message: str, sheet: Sheet, tmp_path: Path
) -> None:
    path = tmp_path / "scale.toml"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingError, match=message):
        read_scale(path, sheet)


def test_what_a_scale_leaves_out_is_that_of_the_sheet(sheet: Sheet, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("rounding = 0.5\n[points]\ncurve = 3", "utf-8-sig")
    assert read_scale(tmp_path / "s.toml", sheet) == Scale({"square": 2, "curve": 3}, rounding=0.5)


@pytest.mark.parametrize(
    ("scale", "shares", "mark"),
    [
        (Scale({"square": 2, "curve": 1}), (1, 1), 20),
        (Scale({"square": 2, "curve": 1}), (0, 1), 6.75),  # 6.667
        (Scale({"square": 2, "curve": 1}, rounding=0.5), (0, 1), 6.5),
        (Scale({"square": 2, "curve": 1}, rounding=0), (0, 1), 6.6667),
        (Scale({"square": 2, "curve": 1}, partial=False), (0.5, 1), 6.75),
        (Scale({"square": 2, "curve": 1}), (0.5, 1), 13.25),
        (Scale({"square": 1, "curve": 1}, out_of=10, rounding=1), (0.1, 0), 1),  # 0.5 goes up
        (Scale({"square": 0.1, "curve": 0.2}), (1, 1), 20),
        (Scale({"square": 0, "curve": 7}), (0, 1), 20),
        (Scale({"square": 2, "curve": 1}, rounding=0.3), (1, 1), 20),  # 20.1 is above the scale
    ],
)
def test_marks(scale: Scale, shares: tuple[float, float], mark: float) -> None:
    assert scale.mark(answers(*shares)) == mark


# Moodle


def graded(sheet: Sheet, lang: str, *names: str) -> Class:
    marked = [
        Marked(Student(name, str(17 + i)), "a.py", Outcome(answers(0.5, 1), ()),
               {"square": 1.0, "curve": 1.0}, 13.25, "copies/a.html")
        for i, name in enumerate(names)
    ]  # fmt: skip
    return Class(sheet, sheet_scale(sheet), lang, marked, [])


@pytest.mark.parametrize(
    ("lang", "identifier", "grade", "yes"),
    [("en", "Participant 17", "13.25", "Yes"), ("fr", "Participant17", "13,25", "Oui")],
)
def test_the_csv_has_moodles_columns(
    lang: str, identifier: str, grade: str, yes: str, sheet: Sheet
) -> None:
    content = moodle_csv(graded(sheet, lang, 'Ada "Countess" Lovelace'))
    heads, row = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert heads == [column.to(lang) for column in COLUMNS]
    assert row[0] == identifier
    assert row[1] == 'Ada "Countess" Lovelace'
    assert row[4:8] == [grade, grade.replace("13", "20").replace("25", "00"), yes, "-"]
    assert row[8].splitlines()[0].startswith("✗ ")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_names_are_no_formulas(name: str, sheet: Sheet) -> None:
    content = moodle_csv(graded(sheet, "en", name)).decode("utf-8-sig")
    _, row = csv.reader(io.StringIO(content, newline=""))
    assert row[1] == f"'{name}"


# Results


def test_feedback_survives_json() -> None:
    curve = Curve([0, 5], [1.0, math.inf], [0.5, 0.25], [2.0, 1.0])
    before = Feedback("a", Status.WRONG, ("x", "y"), ("r",), 0.25, "m.n", curve)
    after = feedback_of_json(json.loads(json.dumps(feedback_to_json(before), allow_nan=False)))
    assert after.curve is not None
    assert math.isnan(after.curve.losses[1])
    assert (after.lines, after.share, after.curve.low) == (("x", "y"), 0.25, [0.5, 0.25])


@pytest.mark.parametrize(
    "wrong",
    [
        {"losses": []}, {"low": [1.0]}, {"steps": [5, 0]}, {"steps": [-3, 0]},
        {"steps": [0, 10**20]}, {"steps": [0, math.inf]},
    ],
)  # fmt: skip
def test_curves_that_cannot_be_drawn_are_no_feedback(wrong: dict[str, object]) -> None:
    values = feedback_to_json(Feedback("a", Status.WRONG, ("x",), curve=Curve([0, 5], [1.0, 2.0])))
    feedback_of_json(values)
    values["curve"].update(wrong)
    with pytest.raises((ValueError, OverflowError)):
        feedback_of_json(values)


def test_long_feedback_is_made_shorter() -> None:
    curve = Curve(range(80_000), [1.0] * 80_000)
    before = Feedback("a", Status.WRONG, ("x" * 10**6,) * 99, curve=curve)
    after = feedback_of_json(feedback_to_json(before))
    assert len(json.dumps(feedback_to_json(before))) < 100_000
    assert after.curve is not None
    assert (after.curve.steps[0], after.curve.steps[-1]) == (0, 79_999)


def test_names_of_files_are_plain_and_distinct() -> None:
    names = ["../é vil", "..-e-vil", "Ω", "π", "a" * 300]
    made = [file_name(Copy(Student(name), None)) for name in names]
    assert len(set(made)) == len(names)
    assert all(name.replace("-", "").replace("_", "").isalnum() for name in made)
    assert all(name.isascii() and len(name) < 60 for name in made)


def fake(self: Runner, copy: Copy, seed: int, stop: threading.Event) -> Outcome:
    """An outcome without a worker."""
    assert copy.path is not None
    RUN.append((copy.student.name, seed))
    if copy.path.read_text() == "interrupt":
        raise KeyboardInterrupt
    if copy.path.read_text() == "broken":
        raise WorkerError("the process that grades copies does not start: x")
    return Outcome(answers(1, 0.5), ())


RUN: list[tuple[str, int]] = []


@pytest.fixture
def faked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    RUN.clear()
    monkeypatch.setattr(Runner, "run", fake)
    return RUN


def copies(folder: Path, **contents: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        (folder / f"{name}.py").write_text(content)
    return folder


OPTIONS = Options("en", 1, SMALL, False)


def test_only_what_changed_is_graded_again(
    faked: list[tuple[str, int]], sheet: Sheet, tmp_path: Path
) -> None:
    source, out = copies(tmp_path / "c", a="x = 1", b="x = 2"), tmp_path / "out"
    first = grade(source, sheet, sheet_scale(sheet), out, OPTIONS)
    before = {p: p.read_bytes() for p in out.rglob("*.*")}
    assert [name for name, _ in faked] == ["a", "b"]
    assert grade(source, sheet, sheet_scale(sheet), out, OPTIONS).marked == first.marked
    assert len(faked) == 2
    assert {p: p.read_bytes() for p in out.rglob("*.*")} == before
    copies(source, b="x = 3", c="x = 1")
    grade(source, sheet, sheet_scale(sheet), out, OPTIONS)
    assert [name for name, _ in faked[2:]] == ["b", "c"]
    assert faked[0][1] == faked[3][1] != faked[1][1]  # the seed belongs to the content
    grade(source, sheet, Scale({"square": 9, "curve": 1}), out, OPTIONS)
    assert len(faked) == 4  # the marks follow the scale without running anything
    grade(source, sheet, sheet_scale(sheet), out, Options("fr", 1, SMALL, False))
    assert len(faked) == 7


def test_another_sheet_is_graded_anew(
    faked: list[tuple[str, int]], sheet: Sheet, tmp_path: Path
) -> None:
    source = copies(tmp_path / "c", a="x = 1")
    grade(source, sheet, sheet_scale(sheet), tmp_path / "out", OPTIONS)
    path = tmp_path / "squares.py"
    path.write_text(path.read_text() + "# %%\nx = 1\n")
    changed = load(str(path))
    grade(source, changed, sheet_scale(changed), tmp_path / "out", OPTIONS)
    assert len(faked) == 2


def test_a_damaged_result_is_made_again(
    faked: list[tuple[str, int]], sheet: Sheet, tmp_path: Path
) -> None:
    source, out = copies(tmp_path / "c", a="x = 1"), tmp_path / "out"
    damages: list[str | dict[str, object]] = ["{", "[]", '{"digest": 3}', {"feedback": []}]
    for damage in (*damages, {"incidents": [{"kind": "error", "cell": math.inf}]}, ""):
        grade(source, sheet, sheet_scale(sheet), out, OPTIONS)
        (result,) = (out / "results").glob("*.json")
        kept = result.read_text()
        result.write_text(
            json.dumps(json.loads(kept) | damage) if isinstance(damage, dict) else damage
        )
    assert len(faked) == 6


def test_an_interrupted_grading_goes_on(
    faked: list[tuple[str, int]], sheet: Sheet, tmp_path: Path
) -> None:
    source, out = copies(tmp_path / "c", a="x = 1", b="interrupt", c="x = 3"), tmp_path / "out"
    with pytest.raises(Stopped, match=r"stopped; [12] of 3 copies are graded and kept"):
        grade(source, sheet, sheet_scale(sheet), out, OPTIONS)
    assert not (out / "marks.csv").exists()
    copies(source, b="x = 2")
    grade(source, sheet, sheet_scale(sheet), out, OPTIONS)
    assert [name for name, _ in faked].count("a") == 1
    assert (out / "marks.csv").exists()


def test_a_worker_that_does_not_start_ends_the_grading(
    faked: list[tuple[str, int]], sheet: Sheet, tmp_path: Path
) -> None:
    source = copies(tmp_path / "c", a="broken", b="x = 1")
    with pytest.raises(WorkerError, match="does not start"):
        grade(source, sheet, sheet_scale(sheet), tmp_path / "out", OPTIONS)


def test_pages_of_copies_that_are_gone_are_removed(
    faked: list[tuple[str, int]], sheet: Sheet, tmp_path: Path
) -> None:
    source, out = copies(tmp_path / "c", a="x = 1", b="x = 2"), tmp_path / "out"
    grade(source, sheet, sheet_scale(sheet), out, OPTIONS)
    (source / "b.py").unlink()
    grade(source, sheet, sheet_scale(sheet), out, OPTIONS)
    assert len(list((out / "copies").glob("*.html"))) == 1


def test_a_class_from_moodles_zip(sheet: Sheet, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("Ada_1_assignsubmission_file_/tp.ipynb", notebook(RIGHT))
        archive.writestr("Emmy_2_assignsubmission_file_/report.pdf", "%PDF")
    done = grade(
        tmp_path / "x.zip", sheet, sheet_scale(sheet), tmp_path / "out", Options("fr", 2, SMALL)
    )
    assert [(one.student.number, one.mark) for one in done.marked] == [("1", 20), ("2", 0)]
    assert [i.kind for i in done.marked[1].outcome.incidents] == [Kind.NO_FILE]
    content = (tmp_path / "out" / "marks.csv").read_text("utf-8-sig")
    rows = list(csv.reader(io.StringIO(content, newline="")))
    assert [row[4] for row in rows] == ["Note", "20,00", "0,00"]
    for one in done.marked:
        assert (tmp_path / "out" / one.page).is_file()
    assert not list((tmp_path / "out" / "results").glob("*.part"))


def test_a_stopped_run_ends_its_worker(sheet: Sheet, tmp_path: Path) -> None:
    path = tmp_path / "slow.py"
    path.write_text("import time\ntime.sleep(60)")
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    runner = Runner(str(tmp_path / "squares.py"), ["square", "curve"], "en", SMALL)
    with pytest.raises(Interrupted):
        runner.run(Copy(Student("slow"), path), 1, stop)


INTERRUPTED = """
import signal, sys, threading
from pathlib import Path
from derivable.labs import load
from derivable.labs.grading.driver import Options, Stopped, grade
from derivable.labs.grading.scale import sheet_scale
sheet = load("squares.py")
main = threading.main_thread().ident  # which waits, and must be woken
over = threading.Event()
def press():
    if not over.wait(4):
        signal.pthread_kill(main, signal.SIGINT)
        if not over.wait(12):  # the slow copy is ended after 20 seconds
            signal.pthread_kill(main, signal.SIGINT)
threading.Thread(target=press).start()
try:
    done = grade(Path("c"), sheet, sheet_scale(sheet), Path("out"), Options("en", 2))
    print("not stopped:", [one.outcome for one in done.marked])
except Stopped as stopped:
    print(stopped)
finally:
    over.set()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_ctrl_c_ends_the_workers_and_says_how_to_go_on(sheet: Sheet, tmp_path: Path) -> None:
    copies(tmp_path / "c", a=RIGHT, b="while True:\n    import time\n    time.sleep(60)")
    ran = subprocess.run(
        [sys.executable, "-c", INTERRUPTED],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout.startswith("stopped; "), ran.stdout + ran.stderr
    assert "The same command goes on from there." in ran.stdout
    assert not (tmp_path / "out" / "marks.csv").exists()


def test_one_process_at_a_time_grades_into_a_folder(
    faked: list[tuple[str, int]], sheet: Sheet, tmp_path: Path
) -> None:
    source, out = copies(tmp_path / "c", a="x = 1"), tmp_path / "out"
    results = Results(out / "results", Runner("s", ["square"], "en", SMALL), "")
    with results.held(), pytest.raises(FileError, match="another process"):
        grade(source, sheet, sheet_scale(sheet), out, OPTIONS)
    grade(source, sheet, sheet_scale(sheet), out, OPTIONS)


def test_results_name_what_they_belong_to(sheet: Sheet, tmp_path: Path) -> None:
    runner = Runner("s", ["square", "curve"], "en", SMALL)
    path = tmp_path / "a.py"
    path.write_text("x")
    keys = {
        Results(tmp_path, one, source).key(Copy(Student("a"), path)).digest
        for one in (
            runner,
            Runner("s", ["square"], "en", SMALL),
            Runner("s", ["square"], "fr", SMALL),
        )
        for source in ("sheet 1", "sheet 2")
    }
    assert len(keys) == 6
