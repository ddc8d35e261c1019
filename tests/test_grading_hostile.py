"""Copies that hang, exit, print, allocate, fork and replace: the grading goes on."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from derivable.errors import DataError
from derivable.labs.feedback import Status
from derivable.labs.grading.attempt import Attempt
from derivable.labs.grading.incidents import Incident, Kind
from derivable.labs.grading.naming import defines
from derivable.labs.grading.processes import marked
from derivable.labs.grading.program import blocks_of
from derivable.labs.grading.runner import Outcome
from tests.grading import RIGHT, notebook, once, run_all

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs the limits of a Unix system")

# Code above right answers, which must still be graded as right. The statements of each
# group are one script: each of them fails alone.
GENTLE = {
    "loop": """
while True:
    try:
        x = 1
    except BaseException:
        pass
""",
    "printing": """
line = "x" * 10_000_000
for n in range(45):
    print(line)
import sys
sys.stdout.close()
print("more")
""",
    "closed": """
import os
os.makedirs("a/b")
os.chmod("a", 0)
""",
    "large_file": """
with open("big", "wb") as file:
    for n in range(40):
        file.write(bytes(1_000_000))
""",
    "programs": """
import os
os.system("sleep 600")
""",
    "elsewhere": """
import os
os.kill(os.getppid(), 9)
""",
    "input": """
name = input("?")
""",
    "environment": """
import os
raise ValueError(os.environ.get("MARKERS_SECRET", "no secret"))
""",
    "rubbish_in_the_pipe": r"""
import os
def send(fd):
    try:
        os.write(fd, b'{"feedback": 3}\nrubbish\n\xff\n[]\n')
    except OSError:
        pass
nothing = [send(fd) for fd in range(3, 1000)]
""",
    "names": """
len = print = open = 5
""",
}
SLOW = {
    "endless": """
import itertools
nothing = [n for n in itertools.count() if n < 0]
""",
    "sleeping": """
import time
try:
    time.sleep(100)
except BaseException:
    time.sleep(100)
""",
}
ENDING = {
    "gone": """
import os
for name in ("copy", "copy1", "copy2"):
    os.makedirs(os.path.join(os.environ["HOME"], name), exist_ok=True)
os.chmod(os.environ["HOME"], 0)
os._exit(0)
""",
    "killed": """
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
""",
    "segfault": """
import ctypes
ctypes.string_at(0)
""",
}
ALONE = {
    "stubborn": """
import itertools, signal
signal.signal(signal.SIGALRM, signal.SIG_IGN)
def again():
    try:
        sum(itertools.count())
    except BaseException:
        again()
again()
""",
    "greedy": """
held = []
while True:
    held.append(bytearray(50_000_000))
""",
    "daemon": """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open("PIDS", "w") as file:
            file.write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
os.wait()
""",
    "child": """
import os
os.fork()
""",
    "bomb": """
import os, time
def more():
    try:
        os.fork()
    except OSError:
        return
    more()
more()
time.sleep(0.3)
""",
    "rmtree": """
import os, shutil
shutil.rmtree(os.environ["HOME"])
open("x", "w").write("y")
""",
    "deep": """
import sys
sys.setrecursionlimit(10**9)
def down(n):
    return down(n + 1)
down(0)
""",
    "builtins": """
import builtins, json, os, signal, torch
builtins.len = builtins.open = builtins.isinstance = builtins.print = lambda *a, **k: 1
torch.randn = torch.rand = torch.manual_seed = torch.Tensor.abs = 5
json.dumps = json.JSONEncoder.encode = None
os.write = signal.setitimer = None
""",
    "fds": """
import os
os.close(1)
os.closerange(0, 65)
""",
    "all_fds": """
import os
os.closerange(0, 65536)
""",
    "many_files": """
import time
for n in range(40):
    with open(f"big{n}", "wb") as file:
        file.write(bytes(1_000_000))
time.sleep(2.4)
""",
}
GROUPS = {"gentle": GENTLE, "slow": SLOW, "ending": ENDING}
HOSTILE = {**{name: "".join(group.values()) for name, group in GROUPS.items()}, **ALONE}
OTHERS: dict[str, str | bytes] = {
    "exit.ipynb": notebook("x = 1\nimport sys\nsys.exit(3)\nx = 2", RIGHT),
    "in_check.py": "import os\ndef square(x):\n    os._exit(5)\nlosses = [2.0, 1.0]",
    "often.py": "import os\n" + "os._exit(0)\n" * 9 + RIGHT,
    "rubbish.ipynb": random.Random(0).randbytes(4000),
}


@pytest.fixture(scope="module")
def outcomes(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[dict[str, Outcome]]:
    """What all the copies came to."""
    folder = tmp_path_factory.mktemp("hostile")
    pids = str(folder / "daemon.pid")
    copies = {f"{n}.py": code.replace("PIDS", pids) + RIGHT for n, code in HOSTILE.items()}
    os.environ["MARKERS_SECRET"] = "a secret"
    try:
        yield once(
            tmp_path_factory, worker_id, "hostile", lambda: run_all(folder, {**copies, **OTHERS})
        )
    finally:
        del os.environ["MARKERS_SECRET"]


def only(outcome: Outcome, kind: Kind) -> Incident:
    """The one incident of this kind."""
    (found,) = [one for one in outcome.incidents if one.kind is kind]
    return found


def errors(outcome: Outcome) -> str:
    """The texts of all errors, in lines."""
    return "\n".join(one.text for one in outcome.incidents if one.kind is Kind.ERROR)


def line_of(group: dict[str, str], name: str, text: str) -> int:
    """The line of a group's script in which one member has this text."""
    above = "".join(list(group.values())[: list(group).index(name)])
    before, _, _ = group[name].partition(text)
    return (above + before).count("\n") + 1


@pytest.mark.parametrize("name", [*(f"{name}.py" for name in HOSTILE), "exit.ipynb"])
def test_right_answers_after_mischief_are_right(name: str, outcomes: dict[str, Outcome]) -> None:
    found = [feedback.status for feedback in outcomes[name].feedback.values()]
    assert found == [Status.RIGHT, Status.RIGHT], outcomes[name]


def test_a_loop_in_c_that_hears_no_signal_is_skipped(outcomes: dict[str, Outcome]) -> None:
    ended = only(outcomes["stubborn.py"], Kind.ENDED)
    assert (ended.line, ended.reason) == (9, "time 0")


def test_code_that_takes_too_long_is_ended(outcomes: dict[str, Outcome]) -> None:
    ended = [one.line for one in outcomes["slow.py"].incidents if one.kind is Kind.TIME]
    assert ended == [line_of(SLOW, "endless", "nothing"), line_of(SLOW, "sleeping", "try")]


def test_the_end_of_the_process_is_reported_with_its_line(outcomes: dict[str, Outcome]) -> None:
    ended = [(i.line, i.reason) for i in outcomes["ending.py"].incidents if i.kind is Kind.ENDED]
    assert ended == [
        (line_of(ENDING, "gone", "os._exit"), "exit 0"),
        (line_of(ENDING, "killed", "os.kill"), "signal 9"),
        (line_of(ENDING, "segfault", "ctypes.string"), "signal 11"),
    ]


def test_sys_exit_ends_its_cell_and_no_other(outcomes: dict[str, Outcome]) -> None:
    assert only(outcomes["exit.ipynb"], Kind.EXIT).cell == 1


def test_an_answer_that_ends_the_process_fails_alone(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["in_check.py"]
    assert outcome.feedback["square"].status is Status.FAILED
    assert "exit status 5" in outcome.feedback["square"].lines[0]
    assert outcome.feedback["curve"].right


def test_a_copy_that_ends_its_process_too_often_is_given_up(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["often.py"]
    assert only(outcome, Kind.GIVEN_UP).amount == 3
    assert {feedback.status for feedback in outcome.feedback.values()} == {Status.FAILED}


def test_endless_printing_is_dropped(outcomes: dict[str, Outcome]) -> None:
    assert only(outcomes["gentle.py"], Kind.OUTPUT).amount == 1 << 20


def test_endless_allocation_is_an_error_of_that_statement(outcomes: dict[str, Outcome]) -> None:
    assert "MemoryError" in only(outcomes["greedy.py"], Kind.ERROR).text


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_processes_that_are_left_behind_are_ended(
    outcomes: dict[str, Outcome], tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> None:
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent
    pids = [file.read_text() for file in base.rglob("hostile[0-9]*/daemon.pid")]
    assert pids
    assert not any(_has_a_mark(pid) for pid in pids)
    assert only(outcomes["daemon.py"], Kind.STRAY).amount == 1
    assert {i.kind for i in outcomes["bomb.py"].incidents} <= {Kind.STRAY, Kind.CUT}


def _has_a_mark(process: str) -> bool:
    try:
        environment = Path("/proc", process, "environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(one.startswith(b"DERIVABLE_COPY=") for one in environment)


def test_a_file_that_is_no_notebook_has_no_answers(outcomes: dict[str, Outcome]) -> None:
    assert "notebook" in only(outcomes["rubbish.ipynb"], Kind.UNREADABLE).text
    assert [f.status for f in outcomes["rubbish.ipynb"].feedback.values()] == [Status.TO_DO] * 2


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "notebook"),
        (b'{"cells": 3}', "notebook"),
        (b'{"cells": []}', "empty"),
        (b"[" * 100_000, "recursion"),
        (b" " * (65 << 20), "more than 64 MB"),
    ],
)
def test_files_that_are_no_notebooks_are_reported(
    content: bytes, text: str, tmp_path: Path
) -> None:
    path = tmp_path / "copy.ipynb"
    path.write_bytes(content)
    with pytest.raises(DataError, match=text):
        blocks_of(path)


def test_large_files_are_refused_and_many_end_the_process(outcomes: dict[str, Outcome]) -> None:
    assert "File too large" in errors(outcomes["gentle.py"])
    assert only(outcomes["many_files.py"], Kind.ENDED).reason == "folder 0"


def test_programs_and_signals_to_others_are_refused(outcomes: dict[str, Outcome]) -> None:
    assert "may not start programs" in errors(outcomes["gentle.py"])
    assert "other processes" in errors(outcomes["gentle.py"])


def test_nobody_answers_input(outcomes: dict[str, Outcome]) -> None:
    assert "EOFError" in errors(outcomes["gentle.py"])


def test_the_markers_environment_is_not_there(outcomes: dict[str, Outcome]) -> None:
    assert "no secret" in errors(outcomes["gentle.py"])


def test_what_is_written_into_the_pipe_and_is_no_report_is_ignored(
    outcomes: dict[str, Outcome],
) -> None:
    kinds = {one.kind for one in outcomes["gentle.py"].incidents}
    assert kinds == {Kind.ERROR, Kind.CUT, Kind.OUTPUT}


@pytest.mark.parametrize(
    "line",
    [
        b'{"begin": [Infinity, 0], "at": [0, 0], "allow": 1}', b'{"begin": [0, 0], "at": []}',
        b'{"incident": {"kind": "time", "cell": Infinity}}', b'{"question": 3, "allow": "x"}',
        b"[" * 100_000, b"3", b'{"feedback": []}', b"9" * 5000,
    ],
)  # fmt: skip
def test_reports_of_any_kind_are_taken_or_ignored(line: bytes) -> None:
    made = Attempt()
    made.take(line)
    assert (made.incidents, made.feedback) == ([], {})


def test_looking_for_a_name_takes_no_longer_than_the_code() -> None:
    start = time.process_time()
    assert not defines("losses," * 60_000, "losses")
    assert time.process_time() - start < 10  # quadratic, it is minutes


def test_a_mark_that_no_process_has_is_not_found() -> None:
    assert marked("no such mark") == []
