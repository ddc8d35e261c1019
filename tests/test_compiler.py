"""Compiled loops: compiled once on a machine, never out of date, and never in the way."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

numba = pytest.importorskip("numba")
jit = pytest.importorskip("derivable.compiler.jit")
from derivable.compiler import ready, store  # noqa: E402 (they need Numba)
from derivable.compiler.helper import Helper  # noqa: E402 (they need Numba)
from derivable.stepper.ahead import Demand  # noqa: E402 (they need Numba)

ROOT = Path(__file__).parents[1]
WITHOUT_HELPER = "import derivable.compiler.helper as h; h.Helper.start = lambda self: False"
# The main job in a process of its own, which tells how often Numba's compiler was entered.
COUNTED = """
import sys
import numba.core.compiler as compiler
import derivable.comparison.driver

entered, original = [], compiler.CompilerBase.compile_extra
def compile_extra(self, function):
    entered.append(function)
    return original(self, function)
compiler.CompilerBase.compile_extra = compile_extra
{before}
from derivable.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    print("exit", end.code, file=sys.stderr)
print("compiled", len(entered), file=sys.stderr)
"""
JOB = ["compare", "--data", "diabetes", "--steps", "2500", "--quiet", "--models"]


def run(
    cache: Path,
    where: Path,
    models: str,
    *more: str,
    source: Path = ROOT,
    before: str = WITHOUT_HELPER,
) -> tuple[int, str]:
    """How often the compiler was entered by a comparison of the models, and what was on stderr."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(source / "src")}
    script = COUNTED.format(before=before)
    done = subprocess.run(
        [sys.executable, "-c", script, *JOB, models, "--out", str(where), *more],
        env=environment,
        cwd=where.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "exit 0" in done.stderr, done.stderr
    return int(done.stderr.split()[-1]), done.stderr


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Path:
    """A cache after the main job has run once on a machine without one.

    It takes a while, so that the processes of a test run share it.
    """
    folder = tmp_path_factory.getbasetemp().parent / f"cold-{testrun_uid}"
    folder.mkdir(exist_ok=True)
    cache, done = folder / "cache", folder / "done"
    with FileLock(folder / "lock"):
        if not done.exists():
            compiled, stderr = run(cache, folder / "first", "linear,tanh:3,relu:3")
            assert compiled > 0
            assert stderr.count("compiling loops for this processor, about ") == 1, stderr
            assert "once on this machine" in stderr
            done.touch()
    return cache


def test_the_main_job_compiles_nothing_in_a_second_process(filled: Path, tmp_path: Path) -> None:
    compiled, stderr = run(filled, tmp_path / "second", "linear,tanh:3,relu:3")
    assert (compiled, "compiling" in stderr) == (0, False)


def test_two_activations_in_turn_and_other_sizes(filled: Path, tmp_path: Path) -> None:
    for number, models in enumerate(("tanh:7,relu:2", "relu:3,tanh:5")):
        assert run(filled, tmp_path / str(number), models)[0] == 0


def test_two_types_of_numbers_in_turn() -> None:
    from derivable.objective import kernels, tiles

    routines = [
        routine
        for dtype in (np.float32, np.float64)
        for routine in (kernels.block(np.dtype(dtype)), *tiles.products(np.dtype(dtype)))
    ]
    assert len({routine.key for routine in routines}) == len(routines)


def test_two_versions_of_python_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    from derivable.objective import kernels

    here = kernels.passes.key
    monkeypatch.setattr(sys.implementation, "cache_tag", "cpython-399")
    kernels.passes.__dict__.pop("key")
    there = kernels.passes.key
    kernels.passes.__dict__.pop("key")
    assert here != there, "each has a file of its own, so that neither overwrites the other's"


def test_an_editable_and_an_installed_package(filled: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src" / "derivable", tmp_path / "site" / "src" / "derivable")
    compiled, _ = run(filled, tmp_path / "run", "tanh:3", source=tmp_path / "site")
    assert compiled == 0, "the same sources in another place find the same code"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder is expected")
    before = f"{WITHOUT_HELPER}; import derivable.compiler.ready as r; r.LONG = 0"
    compiled, stderr = run(blocked, tmp_path / "run", "relu:3", "--steps", "20", before=before)
    assert compiled > 0
    assert "cannot be written" in stderr
    assert "NUMBA_CACHE_DIR" in stderr
    assert "once on this machine" not in stderr


@pytest.mark.parametrize("content", [b"", b"garbage", None], ids=["empty", "garbage", "truncated"])
def test_damage_is_compiled_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    (file,) = stored_twice(tmp_path)
    file.write_bytes(file.read_bytes()[:100] if content is None else content)
    assert twice().ctypes(4.0) == 8
    assert len(file.read_bytes()) > 1000, "it is there again, whole"


def test_a_disk_that_fills_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))

    def full(file: Path, content: bytes, *, sync: bool) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "write_whole", full)
    assert twice().ctypes(4.0) == 8
    assert not list(tmp_path.rglob("*.bin"))


def test_numba_is_told_where_the_code_is_and_may_remove_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    (file,) = stored_twice(tmp_path)
    routine = twice()
    assert routine._cache().cache_path == str(file.parent)
    routine._cache().flush()
    assert not file.exists()
    jit._Stored(None, ()).flush()  # of what is not kept


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {}, "~/.cache/derivable"),
        ("linux", {"XDG_CACHE_HOME": "/x/cache"}, "/x/cache/derivable"),
        ("darwin", {"XDG_CACHE_HOME": "/x/cache"}, "~/Library/Caches/derivable"),
        ("win32", {}, "~/AppData/Local/derivable"),
        ("win32", {"LOCALAPPDATA": "/x/local"}, "/x/local/derivable"),
        ("linux", {"NUMBA_CACHE_DIR": "/x/numba"}, "/x/numba/derivable"),
    ],
)
def test_the_folder_is_where_the_system_has_such_folders(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], expected: str
) -> None:
    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert store.cache_folder() == Path(expected).expanduser()


@pytest.mark.parametrize("error", [OSError(38, "Function not implemented"), NotImplementedError()])
def test_where_files_have_no_locks_each_process_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def acquire(self: FileLock, timeout: float) -> None:
        raise error

    monkeypatch.setattr(FileLock, "acquire", acquire)
    with store.Store(tmp_path, "now").claimed("key", wait=True) as claimed:
        assert claimed


def test_a_change_of_a_source_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "PACKAGE", tmp_path)
    (tmp_path / "objective").mkdir()
    loops = tmp_path / "objective" / "loops.py"
    digests = []
    for text in ("a = 1\n", "a = 2\n", "a = 1\n"):
        loops.write_text(text, "utf-8")
        store.source_digest.cache_clear()
        digests.append(store.source_digest())
    assert digests[0] == digests[2] != digests[1]
    loops.write_text("a = 3\n", "utf-8")
    assert store.source_digest() == digests[2], "an edit after the sources were loaded"
    monkeypatch.undo()
    store.source_digest.cache_clear()


def test_code_of_old_sources_is_removed(tmp_path: Path) -> None:
    for number in range(store.GENERATIONS + 3):
        store.Store(tmp_path, f"{number:02d}").save("key", b"code")
        os.utime(tmp_path / f"{number:02d}", (number, number))
    left = sorted(path.name for path in tmp_path.iterdir())
    assert len(left) == store.GENERATIONS
    assert left[-1] == f"{store.GENERATIONS + 2:02d}"


def test_one_process_compiles_what_another_has_claimed(tmp_path: Path) -> None:
    kept = store.Store(tmp_path, "now")
    script = f"""
        import sys
        from pathlib import Path
        from derivable.compiler.store import Store
        with Store(Path({str(tmp_path)!r}), "now").claimed("key", wait=False) as claimed:
            print(claimed, flush=True)
            sys.stdin.read()
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "True\n"
        with kept.claimed("key", wait=False) as claimed:
            assert not claimed
        with kept.claimed("another", wait=False) as claimed:
            assert claimed
        other.kill()
        other.wait()
        with kept.claimed("key", wait=True) as claimed:
            assert claimed, "a claim ends with its process, however that ends"


def test_a_second_process_compiles_from_the_back(tmp_path: Path) -> None:
    tanh = json.dumps(["derivable.functions.elementwise.tanh", "Tanh", {}])
    mse = json.dumps(["derivable.functions.losses.mse", "MSE", {}])
    demand = Demand("fused", (3, 1), tanh, mse, labels=False, dtype="float32", hvp=False)
    words = json.dumps([asdict(demand)])
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "derivable.stepper.ahead"]
    subprocess.run(command, env=environment, input=words, text=True, check=True)
    names = {file.name.split("-")[0] for file in tmp_path.rglob("*.bin")}
    assert names == {"_passes", "_block", "_finish", "affine", "add_gradient", "gradient"}


def test_a_helper_ends_when_there_is_nothing_to_do_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    helper = Helper()
    helper.start_if_cold()
    process = helper._process
    assert process is not None
    helper.give("")
    assert process.wait(60) == 0
    assert not list(tmp_path.rglob("*.bin"))
    helper.start_if_cold()
    assert helper._process is None, "the store is there, so that this machine is not new"
    helper.give("")


def test_a_single_processor_has_no_helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    helper = Helper()
    assert not helper.start()
    assert helper._process is None


def test_the_announcement(caplog: pytest.LogCaptureFixture) -> None:
    announcement = ready._Announcement()
    for seconds in (0.4, 12.4, 30.0):
        announcement.make(seconds)
    assert len(caplog.messages) == 1, "a short wait is not announced, and a long one once"
    assert caplog.messages[0].startswith("compiling loops for this processor, about 12 s, ")


def test_the_announced_time_is_that_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, announced = [0.0], list[float]()

    class Slow:
        is_at_hand = False

        def __init__(self, seconds: float) -> None:
            self.seconds = seconds

        def load(self, *, wait: bool = True) -> bool:
            clock[0] += 3 * self.seconds  # a machine three times as slow as stated
            return True

    monkeypatch.setattr("derivable.compiler.ready.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(ready.announcement, "make", announced.append)
    routines: Sequence[Any] = [Slow(0.5), Slow(1.0), Slow(2.5)]
    ready.make_ready(routines)
    assert announced == [pytest.approx(12.0)]


# a kernel of a user's own


KERNEL = """
from derivable.function.kernel import Kernel, like

def _value(x):
    return like(x, {slope}) * x

def _slope(x, output):
    return like(x, {slope})

def _second_derivative(x, output):
    return like(x, 0)

kernel = Kernel(_value, _slope, _second_derivative)
"""


def imported(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_kernel_that_its_author_edited_is_compiled_again(tmp_path: Path) -> None:
    from derivable.objective import activation

    for slope in (2, 3):
        file = tmp_path / f"own{slope}.py"
        file.write_text(KERNEL.format(slope=slope), "utf-8")
        loops = activation.loops(imported(file).kernel, np.dtype(np.float64))
        activate = loops[activation.ACTIVATE]
        assert activate.key is None, "what its functions call is not known, so it is not kept"
        x, y = np.array([5.0, 7.0]), np.empty(2)
        pointer = activate.ctypes.argtypes[-1]
        activate.ctypes(2, x.ctypes.data_as(pointer), y.ctypes.data_as(pointer))
        assert y.tolist() == [5 * slope, 7 * slope]


def test_a_part_that_states_its_source_is_kept_under_it() -> None:
    def part(x: float) -> float:
        return x

    number, keys = numba.types.float64, []
    for source in ("x", "x + 1", "x"):
        part.source = source  # type: ignore[attr-defined]
        keys.append(jit.Routine(part, number(number), parts=[part]).key)
    assert keys[0] == keys[2] != keys[1]


def twice() -> Any:
    """A routine as a new process would make it."""

    def double(x: float) -> float:
        return 2 * x

    number = numba.types.float64
    return jit.Routine(double, number(number))


def stored_twice(folder: Path) -> list[Path]:
    """The file of that routine."""
    assert twice().ctypes(4.0) == 8
    return list(folder.rglob("*.bin"))


DESCENT = """
import torch
from derivable import MSE
from derivable.problem import Problem
from derivable.stepper import FusedSteps
from tests.problems import problem

network, x, y = problem(8, 10, 1, rows=600, dtype=torch.float32)
stepper, theta, losses = FusedSteps(Problem(network, MSE, x, y)), network.theta, torch.empty(20)
losses = losses.double()
stepper.take_steps(theta, 0.01, losses)
product = stepper.objective.hvp(theta, theta)
print([tensor.numpy().tobytes().hex() for tensor in (theta, losses, product)])
"""


def test_what_was_compiled_and_what_was_found_on_disk_give_the_same_bits(tmp_path: Path) -> None:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    outputs = []
    for _ in range(2):
        command = [sys.executable, "-c", DESCENT]
        done = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True
        )
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1]
