"""Compiled loops on disk: kept, never out of date, and never in the way."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

numba = pytest.importorskip("numba")

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


def imported(folder: Path) -> ModuleType:
    """The loop in this folder as a new process would see it."""
    modules = []
    for name in ("helper", "loop"):
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
from derivable import Elementwise
from derivable.function.kernel import Kernel, like, straight

def _value(x):
    return like(x, {slope}) * x

def _slope(x, output):
    return like(x, {slope})

class Scaled(Elementwise):
    kernel = Kernel(_value, _slope, straight)

    @staticmethod
    def function(input):
        return {slope} * input

    @staticmethod
    def slope(input):
        return {slope} + 0 * input
"""

RUN = """
import torch
from scaled import Scaled
from derivable import MSE, Network
from derivable.objective import Fused
torch.set_num_threads(1)
network = Network.mlp(1, 1, 1, activation=Scaled).with_theta(torch.tensor([1.0, 0, 1, 0]))
one = torch.ones(1, 1)
print(Fused(network, MSE, one, 0 * one).value_and_gradient(network.theta)[0].item())
"""


def test_a_kernel_that_its_author_edited_is_compiled_again(tmp_path: Path) -> None:
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    for slope in (2, 3):
        (tmp_path / "scaled.py").write_text(KERNEL.format(slope=slope), "utf-8")
        result = subprocess.run(
            [sys.executable, "-c", RUN],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        assert float(result.stdout) == slope**2
