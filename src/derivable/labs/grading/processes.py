"""The processes that a copy has started: found by a mark in their environment, counted and ended.

On Linux every process that descends from a worker has the worker's mark in `/proc/<pid>/environ`,
also after a double fork and `setsid`. A process that starts a program with an environment of its
own has not, but copies cannot start programs (see `guard`). Elsewhere only the worker's process
group is ended.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

MARK = "DERIVABLE_COPY"
PATIENCE = 5.0  # seconds, to end what is left
PROC = Path("/proc")
ENTRIES = 20_000  # of a folder that are counted


def marked(mark: str) -> list[int]:
    """The processes with this mark; none where the system has no /proc.

    A process that has ended and was not waited for has no environment, and is not among them.
    """
    wanted = f"{MARK}={mark}".encode()
    found = []
    with suppress(OSError):
        for name in os.listdir(PROC):
            if name.isdecimal():
                with suppress(OSError), (PROC / name / "environ").open("rb") as environment:
                    if wanted in environment.read(1 << 16).split(b"\0"):
                        found.append(int(name))
    return found


def memory_of(processes: list[int]) -> int:
    """The resident memory of processes together, in bytes."""
    pages = 0
    for process in processes:
        with suppress(OSError, ValueError, IndexError):
            pages += int((PROC / str(process) / "statm").read_text().split()[1])
    return pages * _page_size() if pages else 0


def end_all(mark: str, group: int) -> int:
    """End a worker's process group and every process with its mark; how many of those there were.

    They are stopped before they are ended, so that they cannot start others meanwhile.
    """
    _signal_group(group)
    seen: set[int] = set()
    until = time.monotonic() + PATIENCE
    while (found := marked(mark)) and time.monotonic() < until:
        seen.update(found)
        for number in ("SIGSTOP", "SIGKILL"):
            for process in found:
                with suppress(OSError):
                    os.kill(process, getattr(signal, number))
        time.sleep(0.01)
    return len(seen - {group})


def folder_size(folder: Path) -> int:
    """The bytes of the files below a folder, as far as they are counted."""
    return sum(islice(_lengths(folder), ENTRIES))


def _lengths(folder: Path) -> Iterator[int]:
    folders = [str(folder)]  # no recursion: a copy may nest folders more deeply than Python calls
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    with suppress(OSError):
                        yield entry.stat(follow_symlinks=False).st_size


def _signal_group(group: int) -> None:
    with suppress(OSError):
        os.killpg(group, signal.SIGKILL)


def _page_size() -> int:
    return os.sysconf("SC_PAGE_SIZE")
