"""What the system states of its memory, and where a large table lies by it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from derivable import storage, system
from derivable.storage import UNKNOWN, allocate, free_memory, in_float64


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 64 GB that are free, and no limit."""
    (tmp_path / "meminfo").write_text("MemTotal: 1 kB\nMemAvailable: 64000000 kB\nHugePages: 0\n")
    (tmp_path / "status").write_text("Name:\tpython\nVmData:\t 1000 kB\n")
    monkeypatch.setattr(storage, "MEMORY", str(tmp_path / "meminfo"))
    monkeypatch.setattr(storage, "PROCESS", str(tmp_path / "status"))
    monkeypatch.setattr(storage, "GROUP", tmp_path)
    return tmp_path


def limited(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """Set the limit of private memory, as `ulimit -d` does."""
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda of: (limit, limit))


def test_sizes_are_in_bytes_and_empty_where_the_system_states_none(machine: Path) -> None:
    assert system.sizes(str(machine / "meminfo")) == {
        "MemTotal": 1024,
        "MemAvailable": 64_000_000 * 1024,
    }
    assert system.sizes(str(machine / "no such file")) == {}


def test_free_memory_is_the_least_of_machine_group_and_process(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert free_memory() == 64_000_000 * 1024
    (machine / "memory.max").write_text("max\n")
    (machine / "memory.current").write_text("5000\n")
    assert free_memory() == 64_000_000 * 1024
    (machine / "memory.max").write_text("8000000\n")
    assert free_memory() == 7_995_000
    limited(monkeypatch, 2_024_000)
    assert free_memory() == 2_024_000 - 1000 * 1024
    limited(monkeypatch, 1000)
    assert free_memory() == 0


def test_what_no_system_states_is_no_limit(machine: Path) -> None:
    for name in ("meminfo", "status"):
        (machine / name).unlink()
    assert free_memory() == UNKNOWN


def test_a_table_beyond_half_of_the_free_memory_lies_in_a_file(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = machine / "table"
    temporary = SimpleNamespace(TemporaryFile=lambda: file.open("w+b"))
    monkeypatch.setattr(storage, "tempfile", temporary)
    (machine / "memory.max").write_text("1600\n")
    (machine / "memory.current").write_text("0\n")
    assert allocate((10, 10), torch.float64).eq(0).all()  # 800 bytes
    assert not file.exists()
    rows = torch.randn(101)
    assert torch.equal(in_float64(rows), rows.double())
    assert file.stat().st_size == 808


def test_float64_is_no_copy() -> None:
    rows = torch.randn(3, dtype=torch.float64)
    assert in_float64(rows) is rows
