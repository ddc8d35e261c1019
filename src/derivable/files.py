"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from derivable.core_messages import reason_of, say
from derivable.errors import FileError

PART = ".part"  # how the name of a file ends that is not whole yet

Content = bytes | str | Callable[[BinaryIO], object]


def write_whole(file: Path | str, content: Content, *, sync: bool = True) -> None:
    """Write bytes, text (as UTF-8), or what a function writes; whole or not at all.

    At every moment, under the name `file` stands what stood there before or all of the new, also
    after a power failure. Without `sync`, which waits for the disk, not after that: for what can be
    made again. Raises FileError, with the system's reason, where it cannot be written.
    """
    file = Path(file)
    part = file.with_name(f".{file.name}.{os.getpid()}-{threading.get_ident()}{PART}")
    try:
        with part.open("wb") as stream:
            if callable(content):
                content(stream)
            else:
                stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            if sync:
                os.fsync(stream.fileno())
        part.replace(file)
    except OSError as error:
        reason = reason_of(error)
        raise FileError(say("not_written", file=file, reason=reason)) from None
    finally:
        with suppress(OSError):  # it is gone where all went well
            part.unlink()


def remove_parts(folder: Path) -> None:
    """Remove what a killed process has left of files that were not whole yet."""
    for part in folder.glob(f".*{PART}"):
        with suppress(OSError):
            part.unlink()
