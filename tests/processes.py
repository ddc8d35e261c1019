"""Groups of processes on this machine, as torchrun starts them, for tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

PREAMBLE = """
import atexit, json, os, sys
import torch
torch.set_num_threads(1)
import torch.distributed as dist
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
dist.init_process_group("gloo", init_method=os.environ["MEETING"], rank=rank, world_size=size)
atexit.register(dist.destroy_process_group)
def tell(**facts):
    print(json.dumps(facts), flush=True)
"""


@contextmanager
def group(script: str, size: int, folder: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """`size` processes, each of which runs the script after PREAMBLE; none outlives the block."""
    folder.mkdir(parents=True, exist_ok=True)
    meeting = f"file://{folder / 'meeting'}"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PREAMBLE + script],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ
            | {"RANK": str(rank), "WORLD_SIZE": str(size), "MEETING": meeting}
            | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        )
        for rank in range(size)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def outcome(process: subprocess.Popen[str], seconds: float = 120) -> tuple[int, str, str]:
    """The exit code and what was written, of one process."""
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


def answers_of(script: str, size: int, folder: Path) -> list[Any]:
    """What each process of a group tells, of which none may fail."""
    with group(script, size, folder) as processes:
        found = [outcome(process) for process in processes]
    for code, _, err in found:
        assert code == 0, err
    return [[json.loads(line) for line in out.splitlines()] for _, out, _ in found]


def wait_for(file: Path, seconds: float = 60) -> None:
    """Until a process has made a file."""
    end = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < end, f"{file} was not made"
        time.sleep(0.05)
