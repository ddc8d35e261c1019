"""The bytes of a table: a file, one that gzip compressed, or one in a zip archive."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from derivable.core_messages import reason_of
from derivable.data.messages import say
from derivable.data.problems import did_you_mean, some
from derivable.errors import DataError

_START = 4096  # bytes, which need no copy of the others
_BLANK = b"\xef\xbb\xbf \t\r\n"
_ENDINGS = {
    ".csv", ".tsv", ".txt", ".tab", ".gz", ".zip", ".parquet", ".xlsx", ".xlsm", ".xlsb", ".xls",
    ".ods",
}  # fmt: skip
_WORKBOOK = {"xl/workbook.xml", "xl/workbook.bin", "content.xml", "mimetype"}


@dataclass(frozen=True)
class Source:
    """What a file holds, under the name by which messages speak of it."""

    name: str
    content: bytes
    is_workbook: bool = False
    sheet: str | None = None  # the sheet that is asked for and not found yet

    @property
    def stem(self) -> str:
        """The name of the table: houses of houses.csv.gz."""
        path = PurePosixPath(self.name.replace("\\", "/"))
        while path.suffix.lower() in _ENDINGS:
            path = path.with_suffix("")
        return path.name


def read_source(path: str | Path, sheet: str | None) -> Source:
    """The content of a file, decompressed; `sheet` names the one that is meant in an archive."""
    if "://" in str(path):
        raise DataError(say("address", path=path))
    path = Path(path).expanduser()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(say("unreadable", path=path, reason=reason_of(error))) from None
    source = _opened(path.name, content, sheet)
    if not source.content[:_START].strip(_BLANK) and not source.content.strip(_BLANK):
        raise DataError(say("empty", name=source.name))
    return source


def _opened(name: str, content: bytes, sheet: str | None) -> Source:
    if content.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(say("broken_gzip", name=name, error=error)) from None
    if content.startswith(b"PK\x03\x04"):
        return _unzipped(name, content, sheet)
    old_workbook = content.startswith(b"\xd0\xcf\x11\xe0")
    return Source(name, content, is_workbook=old_workbook, sheet=sheet)


def _unzipped(name: str, content: bytes, sheet: str | None) -> Source:
    """A workbook as it is; of an archive the one file, or the one that is asked for."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if _WORKBOOK & set(archive.namelist()):
                return Source(name, content, is_workbook=True, sheet=sheet)
            files = [info.filename for info in archive.infolist() if _is_file(info)]
            if not files:
                raise DataError(say("empty_zip", name=name))
            if sheet is not None and sheet not in files:
                hint = did_you_mean(sheet, files)
                raise DataError(say("no_file_in_zip", name=name, file=sheet, hint=hint))
            if sheet is None and len(files) > 1:
                names = some(files)
                raise DataError(say("files_in_zip", name=name, count=len(files), names=names))
            file = sheet or files[0]
            inside = archive.read(file)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(say("broken_zip", name=name, error=error)) from None
    except (RuntimeError, NotImplementedError) as error:  # a password; a compression of others
        raise DataError(say("locked_zip", name=name, error=error)) from None
    if inside.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(io.BytesIO(inside)) as archive:
                is_workbook = bool(_WORKBOOK & set(archive.namelist()))
        except zipfile.BadZipFile:
            is_workbook = False
        if not is_workbook:
            raise DataError(say("zip_in_zip", name=f"{name}/{file}"))
        return Source(f"{name}/{file}", inside, is_workbook=True)
    return _opened(f"{name}/{file}", inside, None)


def _is_file(info: zipfile.ZipInfo) -> bool:
    """Whether an entry is a file of the user's, and none that a Mac adds."""
    path = PurePosixPath(info.filename)
    return not info.is_dir() and "__MACOSX" not in path.parts and not path.name.startswith(".")
