"""Compiled loops on disk: kept, never out of date, and never in the way."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

numba = pytest.importorskip("numba")
jit = pytest.importorskip("derivable.function.jit")

ROOT = Path(__file__).parents[1]
HELPER = """
from derivable.function.jit import njit

@njit()
def twice(x):
    return {factor} * x
"""
LOOP = """
from derivable.function.jit import njit
from helper import twice

@njit(fastmath={"contract"})
def loop(x):
    return twice(x) + 1
"""


def imported(folder: Path, *names: str) -> ModuleType:
    """The loop in this folder, or the last of `names`, as a new process would see it."""
    jit._stamps.cache_clear()
    modules = []
    for name in names or ("helper", "loop"):
        spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
        assert spec
        assert spec.loader
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        modules.append(module)
    return modules[-1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    for name in ("helper", "loop"):
        monkeypatch.setitem(sys.modules, name, None)
    (tmp_path / "helper.py").write_text(HELPER.format(factor=2), "utf-8")
    (tmp_path / "loop.py").write_text(LOOP, "utf-8")
    return tmp_path


def hits(module: ModuleType) -> int:
    """How many versions of the loop came from the disk."""
    return sum(module.loop.stats.cache_hits.values())


def test_it_is_compiled_once_on_a_machine(folder: Path) -> None:
    first = imported(folder)
    assert (first.loop(4), hits(first)) == (9, 0)
    again = imported(folder)
    assert (again.loop(4), hits(again)) == (9, 1)


def test_a_change_in_a_file_beside_it_is_seen(folder: Path) -> None:
    assert imported(folder).loop(4) == 9
    (folder / "helper.py").write_text(HELPER.format(factor=30), "utf-8")
    assert imported(folder).loop(4) == 121


def test_code_that_was_edited_after_it_was_loaded_is_not_kept_as_the_new_one(folder: Path) -> None:
    def called(module: ModuleType) -> float:
        number = numba.types.float64
        loop = jit.cfunc(number(number), module.twice, ())
        return float(loop.ctypes(4.0))

    (folder / "helper.py").write_text("def twice(x):\n    return 2 * x\n", "utf-8")
    loaded = imported(folder, "helper")
    jit._stamps(folder)  # as of our own folders, before anything is compiled
    (folder / "helper.py").write_text("def twice(x):\n    return 30 * x\n", "utf-8")
    assert called(loaded) == 8, "it is compiled only now"
    assert called(imported(folder, "helper")) == 120


@pytest.mark.parametrize("content", [b"", b"garbage", None], ids=["empty", "garbage", "truncated"])
@pytest.mark.parametrize("kind", ["nbi", "nbc"])
def test_damage_is_compiled_over(folder: Path, kind: str, content: bytes | None) -> None:
    assert imported(folder).loop(4) == 9
    damaged = list(folder.rglob(f"*.{kind}"))
    assert damaged
    for file in damaged:
        file.write_bytes(file.read_bytes()[:100] if content is None else content)
    mended = imported(folder)
    assert (mended.loop(4), hits(mended)) == (9, 0)
    again = imported(folder)
    assert (again.loop(4), hits(again)) == (9, 1)


def test_nowhere_to_write(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = folder / "__pycache__"
    blocked.write_text("a file where a folder is expected")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(blocked))
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(blocked))
    assert imported(folder).loop(4) == 9
    assert not list(folder.rglob("*.nb*"))


def test_a_disk_that_fills_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = imported(folder)  # where the cache was still to be written

    def full(self: object, overloads: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numba.core.caching.IndexDataCacheFile._save_index", full)
    assert module.loop(4) == 9
    assert not list(folder.rglob("*.nb*"))


KERNEL = """
from derivable.function.kernel import Kernel, like, straight

def _value(x):
    return like(x, {slope}) * x

def _slope(x, output):
    return like(x, {slope})

kernel = Kernel(_value, _slope, straight)
"""


def test_a_kernel_that_its_author_edited_is_compiled_again(folder: Path) -> None:
    from derivable.objective import activation

    for slope in (2, 3):
        (folder / "helper.py").write_text(KERNEL.format(slope=slope), "utf-8")
        module = imported(folder, "helper")
        activate = activation.compiled(module.kernel, np.dtype(np.float64))[activation.ACTIVATE]
        x, y = np.array([5.0, 7.0]), np.empty(2)
        pointer = activate.ctypes.argtypes[-1]
        activate.ctypes(2, x.ctypes.data_as(pointer), y.ctypes.data_as(pointer))
        assert y.tolist() == [5 * slope, 7 * slope]


DESCENT = """
import torch
from derivable import MSE
from derivable.objective import Fused
from tests.problems import problem

network, x, y = problem(8, 10, 1, rows=600, dtype=torch.float32)
objective, theta, losses = Fused(network, MSE, x, y), network.theta, torch.empty(20).double()
objective.take_steps(theta, 0.01, losses)
product = objective.curvature(theta, theta)
print(objective._kernels.take_steps.stats.cache_hits.total())
print([tensor.numpy().tobytes().hex() for tensor in (theta, losses, product)])
"""


def test_what_was_compiled_and_what_was_found_on_disk_give_the_same_bits(tmp_path: Path) -> None:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    outputs = []
    for _ in range(2):
        command = [sys.executable, "-c", DESCENT]
        run = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True
        )
        outputs.append(run.stdout.split("\n", 1))
    assert [int(hits) for hits, _ in outputs] == [0, 1]
    assert outputs[0][1] == outputs[1][1]
