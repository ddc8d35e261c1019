"""`Store`: compiled code in files, one for each routine, under a key that names all it depends on.

A key holds a digest of the sources that are compiled, the versions of Python, Numba and LLVM, the
processor, and the routine with its signature. So a file is never out of date, two routines never
share one, and the order in which processes write does not matter. Numba's own cache has one index
file per function, which every version of that function overwrites.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from derivable.errors import FileError
from derivable.files import write_whole

PACKAGE = Path(__file__).parents[1]
COMPILED_FOLDERS = ("compiler", "formula", "function", "functions", "objective")
GENERATIONS = 8  # digests of sources whose code is kept: a few versions, a few environments


@cache
def source_digest() -> str:
    """The SHA-256 of the sources of all compiled code, as they were when it was first asked for.

    It is asked for when the compiler is imported, because a source that is edited afterwards must
    not name code that was compiled from what it was before. Contents count and times do not: a
    fresh installation of the same sources finds the code of an earlier one.
    """
    digest = hashlib.sha256()
    for folder in COMPILED_FOLDERS:
        for file in sorted((PACKAGE / folder).rglob("*.py")):
            digest.update(f"{file.relative_to(PACKAGE)}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Where compiled code is kept: NUMBA_CACHE_DIR, else `derivable` in the user's cache folder."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    if named:
        return Path(named) / "derivable"
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "derivable"


class Store:
    """Bytes by key in a folder. What cannot be read or written is compiled again, without error."""

    def __init__(self, folder: Path | None = None, generation: str | None = None) -> None:
        self.parent = folder or cache_folder()
        self.folder = self.parent / (generation or source_digest())

    def file(self, key: str) -> Path:
        """The file of a key."""
        return self.folder / f"{key}.bin"

    def holds(self, key: str) -> bool:
        """Whether there is a file for this key."""
        return self.file(key).is_file()

    def load(self, key: str) -> bytes | None:
        """What was saved under the key, or None."""
        with suppress(OSError):
            return self.file(key).read_bytes()
        return None

    def save(self, key: str, content: bytes) -> None:
        """Keep the content, whole or not at all, if the folder can be written."""
        with suppress(OSError, FileError):
            self._make_folder()
            write_whole(self.file(key), content, sync=False)

    def forget(self, key: str) -> None:
        """Remove what was saved under the key."""
        with suppress(OSError):
            self.file(key).unlink()

    def is_writable(self) -> bool:
        """Whether code can be kept."""
        try:
            self._make_folder()
        except OSError:
            return False
        return os.access(self.folder, os.W_OK)

    @contextmanager
    def claimed(self, key: str, *, wait: bool) -> Iterator[bool]:
        """Whether this process alone compiles the routine of this key, inside.

        Another process may have claimed it: with `wait`, this one waits for its end. The system
        ends the claim of a process that dies. Where the folder cannot be written there are no
        claims, and each process compiles for itself.
        """
        if not self.is_writable():
            yield True
            return
        from filelock import FileLock, Timeout

        file = self.folder / f"{key}.lock"
        lock = FileLock(file)
        try:
            lock.acquire(timeout=-1 if wait else 0)
        except Timeout:
            yield False
            return
        except (OSError, NotImplementedError):  # a file system without locks
            yield True
            return
        try:
            yield True
        finally:
            lock.release()
            with suppress(OSError):  # who has just opened it compiles the same once more, no harm
                file.unlink()

    def _make_folder(self) -> None:
        """Make the folder; remove those of the oldest sources when it is new."""
        if self.folder.is_dir():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        others = [path for path in self.parent.iterdir() if path.is_dir() and path != self.folder]
        others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for old in others[GENERATIONS - 1 :]:
            shutil.rmtree(old, ignore_errors=True)
