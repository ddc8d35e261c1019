"""Attempts at a copy, without a worker: how they end, their limits, and their folders."""

from __future__ import annotations

import inspect
import json
import math
import os
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from derivable.errors import SettingError
from derivable.labs import load
from derivable.labs.grading import attempt as attempt_module
from derivable.labs.grading import caches, driver, processes, runner
from derivable.labs.grading.attempt import Attempt, Interrupted
from derivable.labs.grading.copies import Copy, Student
from derivable.labs.grading.driver import Options, grade
from derivable.labs.grading.incidents import Incident, Kind
from derivable.labs.grading.job import Job
from derivable.labs.grading.record import Results
from derivable.labs.grading.runner import Outcome, Runner, WorkerError, temporary_folder
from derivable.labs.grading.scale import sheet_scale
from tests.grading import RIGHT, SMALL, write_sheet

RUNNER = Runner("squares.py", ["square"], "en", SMALL)


def ended(
    monkeypatch: pytest.MonkeyPatch, folder: Path, attempts: list[Attempt]
) -> tuple[list[Job], Outcome]:
    """The outcome of a copy whose attempts end in this way, and what each was asked."""
    jobs: list[Job] = []

    def attempt(job: Job, *_: object) -> Attempt:
        assert Job.of_json(json.loads(json.dumps(job.to_json()))) == job
        jobs.append(job)
        return attempts[len(jobs) - 1]

    monkeypatch.setattr(runner, "attempt", attempt)
    (folder / "copy.py").write_text(RIGHT)
    outcome = RUNNER.run(Copy(Student("Ada"), folder / "copy.py"), 7, threading.Event())
    return jobs, outcome


@pytest.mark.parametrize(
    ("broken", "reason", "message"),
    [
        ("ImportError: torch", ("exit", 1), "does not start: ImportError: torch"),
        ("", ("signal", 9), "does not start: signal 9"),
    ],
)
def test_a_worker_that_does_not_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, broken: str, reason: tuple[str, int],
    message: str,
) -> None:  # fmt: skip
    made = Attempt(reason=reason)
    if broken:
        made.take(json.dumps({"broken": broken}).encode())
    with pytest.raises(WorkerError, match=message):
        ended(monkeypatch, tmp_path, [made])


def test_a_statement_in_which_the_process_ends_is_skipped_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    attempts = [
        Attempt(ready=True, statement=one, place=(1, 2), reason=("signal", 9))
        for one in ((0, 0), (0, 0), None, None)
    ]
    jobs, outcome = ended(monkeypatch, tmp_path, attempts)
    assert [job.skip for job in jobs] == [(), ((0, 0),), ((0, 0),), ((0, 0),)]
    assert [one.kind for one in outcome.incidents] == [Kind.ENDED, Kind.GIVEN_UP]
    assert outcome.feedback["square"].mistake == "process ended"


def test_a_file_that_is_chosen_of_several_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    copy = Copy(Student("Ada"), Path("ada/b.py"), Path("ada"), ("a.py",))
    monkeypatch.setattr(Runner, "_run", lambda *_: Outcome({}, ()))
    (one,) = RUNNER.run(copy, 7, threading.Event()).incidents
    assert (one.kind, one.text) == (Kind.CHOSEN, "b.py")


def test_incidents_are_kept_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt_module, "MOST_INCIDENTS", 2)
    made = Attempt()
    for line in range(4):
        made.take(json.dumps({"incident": Incident(Kind.ERROR, 1, line).to_json()}).encode())
    assert [one.line for one in made.incidents] == [0, 1]


@pytest.mark.parametrize(
    ("found", "memory", "reason"),
    [([1] * 10, 0, ""), ([1] * 11, 0, "processes"), ([1], 3 << 30, "memory")],
)
def test_processes_and_memory_together_are_limited(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: list[int], memory: int, reason: str
) -> None:
    monkeypatch.setattr(processes, "marked", lambda mark: found)
    monkeypatch.setattr(processes, "memory_of", lambda found: memory)
    monkeypatch.setattr(attempt_module, "WATCH", 0)
    watch = attempt_module._Watch(Job("", "", "en", 7, SMALL, (), ()), tmp_path, "mark")
    assert watch.over(Attempt(ready=True, deadline=math.inf)) == reason


def test_a_pipe_that_another_process_holds_open_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt_module, "PATIENCE", 0.01)
    reading, writing = os.pipe()
    stream = os.fdopen(reading, "rb")
    lines = attempt_module._Lines(stream)
    lines.close()  # while the other end is open
    assert not stream.closed
    os.close(writing)
    lines._thread.join()
    lines.close()
    assert stream.closed


def test_copies_are_told_where_the_tables_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        monkeypatch.setenv("SCIKIT_LEARN_DATA", str(folder))
        found = attempt_module.environment(tmp_path, "mark")
        assert ("SCIKIT_LEARN_DATA" in found) is folder.is_dir()


def test_large_files_of_the_caches_are_made_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(caches, "LARGEST", 3)
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    for name, size in (("fontlist-1.json", 3), ("fontlist-2.json", 4)):
        (fonts / name).write_bytes(bytes(size))
    caches.Caches(fonts).bring(tmp_path / "root")
    assert [p.name for p in (tmp_path / "root").rglob("*.json")] == ["fontlist-1.json"]


@pytest.fixture
def few_calls() -> Iterator[None]:
    """Calls may be nested by some 150 alone, so that few folders are too many for recursion."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 150)
    yield
    sys.setrecursionlimit(usual)


@pytest.mark.usefixtures("few_calls")
def test_folders_that_are_closed_or_deep_are_measured_and_removed(tmp_path: Path) -> None:
    outside, here = tmp_path / "outside", Path.cwd()
    outside.mkdir(0o500)
    with temporary_folder() as root:
        os.chdir(root)
        try:
            for _ in range(250):
                os.mkdir("a")
                os.chdir("a")
            Path("deep.txt").write_bytes(bytes(100))
        finally:
            os.chdir(here)
        (root / "few.txt").write_bytes(bytes(5))
        assert processes.folder_size(root) == 105
        (root / "link").symlink_to(outside)
        (root / "a/a").chmod(0)
        root.chmod(0)
    assert not root.exists()
    assert stat.S_IMODE(outside.stat().st_mode) == 0o500  # links are not followed


def test_only_so_many_files_are_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processes, "ENTRIES", 3)
    for n in range(5):
        (tmp_path / f"{n}").write_bytes(bytes(7))
    assert processes.folder_size(tmp_path) == 21


# A grading


def test_less_than_no_copies_at_a_time_is_refused(tmp_path: Path) -> None:
    sheet = load(str(write_sheet(tmp_path)))
    with pytest.raises(SettingError, match=r"jobs must be .*got -1"):
        grade(tmp_path, sheet, sheet_scale(sheet), tmp_path / "out", Options("en", -1))


def test_no_copy_is_begun_once_the_grading_stops(tmp_path: Path) -> None:
    stop, path = threading.Event(), tmp_path / "copy.py"
    path.write_text(RIGHT)
    stop.set()
    with pytest.raises(Interrupted):
        driver._one(Copy(Student("Ada"), path), Results(tmp_path, RUNNER, ""), stop)


@pytest.mark.parametrize("visible", [True, False])
def test_a_terminal_shows_the_progress(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], visible: bool
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, for rich
    with driver._progress(2, visible, "Grading") as advance:
        advance()
        advance()
    assert ("2/2" in capsys.readouterr().err) is visible
