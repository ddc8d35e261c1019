"""How a copy is run: cells and statements, loops that are cut, what is missing and why."""

from __future__ import annotations

import ast
import builtins
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

import derivable
from derivable.labs.feedback import Status
from derivable.labs.grading.copies import Copy, Student
from derivable.labs.grading.incidents import Kind
from derivable.labs.grading.limits import Limits
from derivable.labs.grading.naming import defines
from derivable.labs.grading.program import blocks_of, idle
from derivable.labs.grading.runner import Outcome
from derivable.labs.loops import FOR, WHILE, Loops, cut_descents, whole_descents
from tests.grading import RIGHT, notebook, once, run_all, write_sheet

# Loops


@pytest.fixture
def loops() -> Iterator[Loops]:
    """Loops that end after 5 turns."""
    made = Loops(5)
    made.install()
    yield made
    for name in (FOR, WHILE):
        delattr(builtins, name)


def run(loops: Loops, code: str) -> dict[str, object]:
    names: dict[str, object] = {}
    for statement in ast.parse(code).body:
        exec(compile(loops.rewritten(statement, "a cell 2"), "a cell 2", "exec"), names)
    return names


@pytest.mark.parametrize(
    ("code", "n", "cut"),
    [
        ("n = 0\nfor i in range(5):\n    n += 1", 5, []),
        ("n = 0\nfor i in range(6):\n    n += 1", 5, [2]),
        ("n = 0\nwhile n < 5:\n    n += 1", 5, []),
        ("n = 0\nwhile n < 6:\n    n += 1", 5, [2]),
        ("n = 0\nwhile True:\n    n += 1\nn += 10", 15, [2]),
        ("n = 0\nfor i in range(4):\n    for j in range(4):\n        n += 1", 16, []),
        ("n = 0\nfor i in range(3):\n    for j in range(9):\n        n += 1", 15, [3]),
        ("n = 0\nfor i in range(9):\n    n += 1\nelse:\n    n += 100", 105, [2]),
        ("n = 0\nfor i in range(9):\n    if i == 2: break\n    n += 1\nelse:\n    n = 7", 2, []),
        ("n = 0\nwhile True:\n    n += 1\n    if n == 3: break", 3, []),
        (
            "def f(k):\n    m = 0\n    while True:\n        m += 1\n    return m\nn = f(1) + f(2)",
            10,
            [3],
        ),
        ("class A:\n    n = 0\n    while n < 99:\n        n += 1\nn = A.n", 5, [3]),
        ("def g():\n    for i in range(9):\n        yield i\nn = len(list(g()))", 5, [2]),
        ("n = sum(1 for i in range(50))", 50, []),
        ("n = len([i for i in range(50)])", 50, []),
        ("def f(k):\n    while k:\n        return 1 + f(k - 1)\n    return 0\nn = f(9)", 9, []),
    ],
)
def test_loops_end_after_their_turns(loops: Loops, code: str, n: int, cut: list[int]) -> None:
    assert run(loops, code)["n"] == n
    assert list(loops.cut) == [("a cell 2", line) for line in cut]


def test_lines_of_errors_stay_where_they_are(loops: Loops) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        run(loops, "x = 1\nfor i in range(9):\n    while True:\n        1 / 0")
    assert caught.traceback[-1].lineno == 3  # counted from 0


def test_descents_end_after_as_many_steps(loops: Loops) -> None:
    x, network = torch.linspace(-1, 1, 7).view(-1, 1), derivable.Network.mlp(1, 1)
    cut_descents(loops)
    try:
        runs = [derivable.descend(network, "mse", x, x, lr=0.1, steps=n) for n in (4, 9)]
    finally:
        whole_descents()
    assert [run.steps for run in runs] == [4, 5]
    assert [file for file, _ in loops.cut] == [__file__]
    assert derivable.descend(network, "mse", x, x, lr=0.1, steps=9).steps == 9


# Programs


def test_a_script_is_run_statement_by_statement(tmp_path: Path) -> None:
    path = tmp_path / "copy.py"
    path.write_text("x = 1\ndef square(x):\n    return x\n\nsquare(\n")
    blocks = blocks_of(path)
    assert [len(block.statements) for block in blocks] == [1, 1, 0]
    assert {block.cell for block in blocks} == {0}
    assert [block.error is not None for block in blocks] == [False, False, True]


def test_statements_after_the_last_answer_are_idle(tmp_path: Path) -> None:
    path = tmp_path / "copy.ipynb"
    cells = [
        "def square(x): return x", "a = []\nfor i in range(9): a.append(square(i))",
        "for i in range(9): print(i)\nb = 3\ndef c(): pass\nprint(b)", "lab.check('x', square)",
    ]  # fmt: skip
    path.write_text(notebook(*cells))
    assert idle(blocks_of(path), {"square"}) == {(2, 0), (2, 3), (3, 0)}
    assert idle(blocks_of(path), {"circle"}) == set()
    path.write_text(notebook("square = abs", "if square: pass", "print(1)"))
    assert idle(blocks_of(path), {"square"}) == {(2, 0)}


@pytest.mark.parametrize(
    ("code", "there"),
    [
        ("class A:", True), ("def  A(x):", True), ("A = 3", True), ("A, B = f()", True),
        ('["x\\nclass A:"]', True), ("A == 3", False), ("AB = 3", False), ("f(A)", False),
        ("def BA(): pass", False),
    ],
)  # fmt: skip
def test_names_that_code_defines(code: str, there: bool) -> None:
    assert defines(code, "A") is there


# Copies, in workers

COPIES = {
    "cells.ipynb": notebook(
        "%matplotlib inline\n!pip install nothing\nimport not_installed\nimport torch",
        "def square(x):\n    return -x * x\n1 / 0\ny = 2\nimport math",
        "losses = [3.0, 1.0]\nz = math.pi",
        "losses.append(y)",
    ),
    "script.py": "square = abs\n1 / 0\nif __name__ == '__main__':\n    losses = [1.0, 0.5]\n",
    "syntax.py": "losses = [1.0, 0.5]\ndef square(x)\n    return x\n",
    "lost.ipynb": notebook("1 / 0\nlosses = [1.0]", "def square(x):\n    return undefined"),
    "beside.py": f"{RIGHT}\nfrom data import reader\nlosses = reader.losses()\n",
    "checked.py": "import derivable.labs as labs\nfrom derivable.labs import squares\n"
    f"{RIGHT}\nsquares.check('square', square)\nsquares.check('nothing')\n",
    "random.py": "import torch\nlosses = torch.rand(2).sort(descending=True).values\n"
    "def square(x): return x * x",
    "descent.py": "from derivable import Linear, MSE, Layer, Network, descend\nimport torch\n"
    "network = Network([Layer(Linear, w=torch.zeros(2, 1), b=torch.zeros(1, 1))])\n"
    "run = descend(network, MSE, torch.eye(2), torch.ones(2, 1), lr=0.1, steps=10**7)\n"
    "losses = [float(loss) for loss in run.losses]\n",
    "future.py": "from __future__ import annotations\ndef square(x: missing): return x * x\n",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> dict[str, Outcome]:
    folder = tmp_path_factory.mktemp("run")
    beside = folder / "copies" / "beside.py" / "data"
    beside.mkdir(parents=True)
    (beside / "reader.py").write_text("def losses(): return [2.0, 1.0]")
    return once(tmp_path_factory, worker_id, "run", lambda: run_all(folder, COPIES, lang="fr"))


def incidents(outcome: Outcome) -> list[tuple[Kind, int, int]]:
    return [(i.kind, i.cell, i.line) for i in outcome.incidents]


def test_a_cell_that_fails_does_not_end_the_others(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["cells.ipynb"]
    assert incidents(outcome) == [(Kind.MISSING, 1, 3), (Kind.ERROR, 2, 3), (Kind.ERROR, 4, 1)]
    assert outcome.feedback["square"].mistake == "sign"
    assert outcome.feedback["curve"].right


def test_a_line_of_a_script_that_fails_does_not_end_the_rest(
    outcomes: dict[str, Outcome],
) -> None:
    assert incidents(outcomes["script.py"]) == [(Kind.ERROR, 0, 2)]
    assert outcomes["script.py"].feedback["curve"].right


def test_what_stands_above_an_error_of_the_syntax_is_run(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["syntax.py"]
    assert incidents(outcome) == [(Kind.SYNTAX, 0, 2)]
    assert outcome.feedback["curve"].right
    assert outcome.feedback["square"].lines[1].startswith("ligne 2\u00a0: SyntaxError")


def test_why_an_answer_is_missing_is_stated(outcomes: dict[str, Outcome]) -> None:
    feedback = outcomes["lost.ipynb"].feedback
    assert feedback["curve"].status is Status.FAILED
    assert feedback["curve"].lines == (
        "losses\u00a0: le code qui calcule cette réponse s'est arrêté sur une erreur.",
        "cellule 1, ligne 1\u00a0: ZeroDivisionError: division by zero",
    )
    assert feedback["square"].mistake == "NameError"


def test_files_beside_a_copy_can_be_imported(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["beside.py"]
    assert outcome.feedback["curve"].curve is not None
    assert outcome.feedback["curve"].curve.losses == [2.0, 1.0]


def test_the_copys_own_checks_do_nothing(outcomes: dict[str, Outcome]) -> None:
    assert incidents(outcomes["checked.py"]) == [(Kind.CUT, 0, 7)]
    assert outcomes["checked.py"].feedback["square"].right


def test_random_numbers_repeat(outcomes: dict[str, Outcome], tmp_path: Path) -> None:
    again = run_all(tmp_path, {"random.py": COPIES["random.py"]}, lang="fr")
    assert again["random.py"] == outcomes["random.py"]
    assert outcomes["random.py"].feedback["curve"].right


def test_long_descents_are_cut_as_loops_are(outcomes: dict[str, Outcome]) -> None:
    curve = outcomes["descent.py"].feedback["curve"].curve
    assert curve is not None
    assert len(curve.steps) == 51
    assert incidents(outcomes["descent.py"]) == [(Kind.CUT, 0, 4)]


def test_imports_from_the_future_hold_for_the_statements_below(
    outcomes: dict[str, Outcome],
) -> None:
    assert outcomes["future.py"].feedback["square"].right
    assert incidents(outcomes["future.py"]) == []


def test_a_copy_without_a_file_has_no_answers(tmp_path: Path) -> None:
    assert Copy(Student("Nobody"), None).file == ""


# The end of the grading

GRADE = """
import json, sys, threading
from pathlib import Path
from derivable.labs.grading.copies import Copy, Student
from derivable.labs.grading.limits import Limits
from derivable.labs.grading.runner import Runner

sheet, copy = map(Path, sys.argv[1:3])
runner = Runner(str(sheet), ["square"], "en", Limits(**json.loads(sys.argv[3])))
runner.run(Copy(Student("Ada"), copy), 7, threading.Event())
"""
SLEEPING = """
import os, time
if (child := os.fork()) == 0:
    time.sleep(300)
else:
    with open({place!r}, "w") as file:
        file.write(f"{{os.getpid()}} {{child}}")
    os.rename({place!r}, {place!r} + ".done")
time.sleep(300)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_copy_ends_with_the_grading_that_is_killed(tmp_path: Path) -> None:
    copy, place, sheet = tmp_path / "copy.py", tmp_path / "pids", write_sheet(tmp_path)
    copy.write_text(SLEEPING.format(place=str(place)))
    limits = json.dumps(asdict(Limits(cell=200, cells=200)))
    grading = subprocess.Popen([sys.executable, "-c", GRADE, sheet, copy, limits])
    done = place.with_suffix(".done")
    try:
        _wait_for(done.exists, 120)
        worker, child = map(int, done.read_text().split())
        assert _is_running(worker)
        assert _is_running(child)
    finally:
        grading.kill()
        grading.wait()
    _wait_for(lambda: not _is_running(worker) and not _is_running(child), 20)


def _wait_for(condition: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def _is_running(process: int) -> bool:
    """Whether it is there, and no process that has ended and was not waited for."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
