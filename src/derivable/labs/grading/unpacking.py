"""`unpack`: unpacks a ZIP file within limits, and writes only below one folder."""

from __future__ import annotations

import lzma
import re
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from derivable.errors import DataError
from derivable.labs.grading.limits import MB
from derivable.labs.refusals import refusal

FILES, TOTAL = 10_000, 2048 * MB  # of the ZIP of a class
BLOCK = 1 << 20
IGNORED = {"__MACOSX", "__pycache__", ".ipynb_checkpoints", "site-packages", "node_modules"}
BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, NotImplementedError, RuntimeError,
    EOFError, OSError, ValueError,
)  # fmt: skip


def unpack(archive: Path, into: Path, most: int | None = None, size: int | None = None) -> None:
    """Write the files of a ZIP below `into`; hidden ones and those of systems are left out.

    most  files that may come out of it, FILES if left out
    size  of all of them together in bytes, TOTAL if left out

    Raises DataError for a ZIP that is broken, has a password, or holds too much.
    """
    left_files, left = most or FILES, size or TOTAL
    try:
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                name = safe_name(_decoded(entry))
                if name is None or entry.is_dir():
                    continue
                left_files -= 1
                if left_files >= 0:
                    left -= _write(opened, entry, into / name, left)
                if left_files < 0 or left < 0:
                    gaps = {"files": most or FILES, "size": (size or TOTAL) // MB}
                    raise DataError(refusal("zip_size", archive=archive, **gaps))
    except DataError:
        raise
    except BROKEN as error:
        raise DataError(refusal("zip_broken", archive=archive.name, error=error)) from None


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, most: int) -> int:
    """Write one file, as far as it has no more than `most` bytes; how many it has, or one more."""
    size = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(entry) as source, path.open("wb") as target:
        while block := source.read(BLOCK):
            size += len(block)
            if size > most:
                break
            target.write(block)
    return size


def safe_name(name: str) -> PurePosixPath | None:
    """Where an entry goes below a folder; None for one that is ignored.

    Parts such as `..`, a drive and a slash at the start are taken away.
    """
    name = re.sub(r"^[A-Za-z]:", "", name.replace("\\", "/"))
    parts = [_printable(part) for part in name.split("/") if part not in ("", ".", "..")]
    if not parts or any(is_ignored(part) for part in parts):
        return None
    return PurePosixPath(*parts)


def is_ignored(name: str) -> bool:
    """Whether a file or folder of this name is none that a student handed in."""
    return name.startswith((".", "~$")) or name.endswith("~") or name in IGNORED


def _printable(part: str) -> str:
    """A name that file systems take, of at most 200 bytes."""
    part = re.sub(r'[\x00-\x1f<>:"|?*]', "_", part).rstrip(". ") or "_"
    while len(part.encode()) > 200:
        part = part[: len(part) // 2 - 1] + "…" + part[len(part) // 2 + 1 :]
    return part


def _decoded(entry: zipfile.ZipInfo) -> str:
    """The name of an entry; one in UTF-8 that is not declared so is read as UTF-8."""
    if not entry.flag_bits & 0x800:
        try:
            return entry.filename.encode("cp437").decode()
        except UnicodeError:
            pass
    return entry.filename
