"""One process at a time writes into a run folder; a dead one does not hold it."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from derivable.errors import FileError
from derivable.run.messages import say

NAME = "lock"
BUSY = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


class Lock:
    """A lock on a folder, held until `release` or the end of the process, however it ends.

    The system holds it for the open file, so that nothing has to be cleaned up after a `kill -9`.
    """

    def __init__(self, folder: Path) -> None:
        """Take it. Raises FileError, with the other's process id, where another holds it."""
        file = folder / NAME
        self._file: BinaryIO = file.open("a+b")
        try:
            _take(self._file)
        except OSError as error:
            if error.errno not in BUSY:
                return  # a file system without locks: two runs into one folder are the user's care
            self._file.seek(1)
            holder = self._file.read().decode(errors="replace").strip() or "unknown"
            self._file.close()
            text = say("other_process", holder=holder, folder=folder.parent)
            raise FileError(text) from None
        self._file.truncate(0)
        self._file.write(f" {os.getpid()}\n".encode())  # the first byte is what Windows locks
        self._file.flush()

    def release(self) -> None:
        """Let others write."""
        with suppress(OSError):
            self._file.close()


def _take(file: BinaryIO) -> None:
    """Lock an open file without waiting; OSError where another process has."""
    try:
        import fcntl
    except ImportError:
        import msvcrt  # Windows

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
