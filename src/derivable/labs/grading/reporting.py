"""The worker's side of its pipes, out of the way of what a copy does to its streams."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from contextlib import suppress
from json import JSONEncoder
from typing import Any

_encode = JSONEncoder().encode
_write, _pid, _leave = os.write, os.getpid, os._exit
_kill_group, _KILL = getattr(os, "killpg", None), getattr(signal, "SIGKILL", 9)
HIGH = 700  # a number of a file descriptor that code which closes the first few does not meet


class Reporting:
    """Writes lines of JSON to what was standard output when it was made."""

    def __init__(self) -> None:
        self._file = _moved(1)
        self._home = _pid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)

    def send(self, **message: Any) -> None:
        """Report one message; in a process that the copy has forked, end that process."""
        self.end_children()
        line = _encode(message).encode("utf-8", "replace") + b"\n"
        while line:
            line = line[_write(self._file, line) :]

    def end_children(self) -> None:
        """End this process if it is none that was started to grade."""
        if _pid() != self._home:
            _leave(0)


class Asked:
    """Where the job comes from: standard input, which ends when the process that grades does."""

    def __init__(self) -> None:
        self._file = os.fdopen(_moved(0), "rb")

    def job(self) -> bytes:
        """The line that holds the job."""
        return self._file.readline()

    def end_with_it(self) -> None:
        """From now on, at the end of the input, end this process and the others of its group."""
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        with suppress(OSError, ValueError):  # a copy may close it
            while self._file.read(1):
                pass
            _end_group()


class Printed:
    """Standard streams for a copy: what is printed is counted, and dropped."""

    def __init__(self, most: int) -> None:
        self._sink = _Sink()
        self._most = most

    def install(self) -> None:
        """New streams in `sys`; input is at its end."""
        sys.stdin = io.StringIO()
        for name in ("stdout", "stderr"):
            stream = io.TextIOWrapper(
                self._sink,  # type: ignore[type-var]  # a raw stream, which needs no buffer
                "utf-8",
                "replace",
                write_through=True,
            )
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)

    @property
    def too_much(self) -> bool:
        """Whether more was printed than a page of feedback should ever quote."""
        return self._sink.size > self._most


class _Sink(io.RawIOBase):
    """Counts bytes."""

    size = 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        size = memoryview(content).nbytes
        self.size += size
        return size

    def close(self) -> None:
        """Stays open: a copy that closes its output may print again."""


def _end_group() -> None:
    if _kill_group is not None:
        _kill_group(0, _KILL)
    _leave(1)


def _moved(number: int) -> int:
    """A descriptor of the same file with a high number, which no program inherits."""
    try:
        import fcntl

        return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, HIGH)
    except (ImportError, OSError):  # Windows, or fewer descriptors are allowed
        return os.dup(number)
