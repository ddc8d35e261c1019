"""Limits of what a copy can do, as far as Python and the system can enforce them.

`limit_resources` sets the limits of the system, where it has them: memory, processor time, size of
a file, no core dump, and for users other than root the number of processes. `Guard` is an audit
hook of Python, which cannot be taken off. It refuses to start programs, to start more than a few
processes (counted over all of them, which also holds a fork bomb of root), and to send signals to
processes other than the copy's own. This is no sandbox: code that calls the C library through
ctypes passes by the hook, files of the user can be read and written, and there is a network.
"""

from __future__ import annotations

import importlib.util
import mmap
import os
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from derivable.labs.grading.limits import MB, Limits
from derivable.system import PROCESS, sizes

USER_PROCESSES = 256  # besides those that the user has, for users other than root
PROGRAMS = ("os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "os.system", "pty.spawn",
            "subprocess.Popen")  # fmt: skip


class Guard:
    """An audit hook that refuses to start programs, and to signal other processes."""

    def __init__(self, processes: int) -> None:
        self._most = processes
        self._started = mmap.mmap(-1, 8)  # shared by all processes that are forked
        self._watched: dict[str, Callable[[tuple[Any, ...]], None]] = {
            "os.fork": self._fork,
            "os.forkpty": self._fork,
            "os.kill": self._kill,
            "os.killpg": self._kill_group,
            **dict.fromkeys(PROGRAMS, self._refuse_program),
        }
        self._group = os.getpgrp() if hasattr(os, "getpgrp") else os.getpid()

    def install(self) -> None:
        """Install the hook, which cannot be removed."""
        watched = self._watched.get

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            refuse = watched(event)
            if refuse is not None:
                refuse(arguments)

        sys.addaudithook(hook)

    def _fork(self, arguments: tuple[Any, ...]) -> None:
        (count,) = struct.unpack("q", self._started[:8])
        if count >= self._most:
            raise BlockingIOError(f"a copy may start {self._most} processes")
        self._started[:8] = struct.pack("q", count + 1)

    def _kill(self, arguments: tuple[Any, ...]) -> None:
        process = arguments[0]
        with suppress(OSError, AttributeError):
            if process == 0 or (process > 0 and os.getpgid(process) == self._group):
                return
        if process not in (os.getpid(), -self._group):
            raise PermissionError("a copy may not send signals to other processes")

    def _kill_group(self, arguments: tuple[Any, ...]) -> None:
        if arguments[0] not in (0, self._group):
            raise PermissionError("a copy may not send signals to other processes")

    def _refuse_program(self, arguments: tuple[Any, ...]) -> None:
        raise PermissionError("a copy may not start programs")


def limit_resources(limits: Limits, seconds: float) -> None:
    """Set the system's limits for this process, which is about to run a copy.

    seconds  of processor time
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    ours = sizes(PROCESS)
    wanted = {
        "RLIMIT_CORE": 0,
        "RLIMIT_CPU": int(seconds) + 1,
        "RLIMIT_FSIZE": limits.file,
        "RLIMIT_DATA": ours.get("VmData", 512 * MB) + limits.memory,
        "RLIMIT_AS": ours.get("VmSize", 1024 * MB) + 2 * limits.memory,
    }
    if hasattr(os, "getuid") and os.getuid() != 0 and (count := _processes_of_user()):
        wanted["RLIMIT_NPROC"] = count + USER_PROCESSES
    for name, value in wanted.items():
        number = getattr(resource, name, None)
        if number is None:
            continue
        _, hard = resource.getrlimit(number)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with suppress(ValueError, OSError):  # macOS refuses some
            resource.setrlimit(number, (most, most))


def unprotected() -> list[str]:
    """What this system does not protect: keys of `words.UNPROTECTED`."""
    found = []
    if importlib.util.find_spec("resource") is None:
        found.append("limits")
    elif not sys.platform.startswith("linux"):
        found.append("memory")
    if not Path("/proc/self/environ").exists():
        found.append("strays")
    return found


def _processes_of_user() -> int:
    """The threads of all processes of this user, which Linux counts; 0 where that is unknown."""
    count, user = 0, os.getuid()
    with suppress(OSError):
        for folder in Path("/proc").iterdir():
            with suppress(OSError):
                if folder.name.isdecimal() and folder.stat().st_uid == user:
                    count += len(list((folder / "task").iterdir()))
    return count
