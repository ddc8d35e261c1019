"""`read_part`: the rows of one process, of a file that several processes read together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from derivable.data import checks, reading
from derivable.data.columns import Columns
from derivable.data.messages import say
from derivable.data.opening import checked_options as checked_reading
from derivable.data.options import TableOptions
from derivable.data.pieces import PIECES, Pieces, pieces_of
from derivable.data.problems import ProblemError, ProblemsError, all_problems
from derivable.data.reader import (
    checked_options,
    read_table,
    stated,
    table_of_sheet,
    without_missing,
)
from derivable.data.sheet import Sheet
from derivable.data.table import Part, Table, digest_of
from derivable.distributed import Group, agreed
from derivable.errors import DataError, WholeFileError
from derivable.messages import SEMICOLON, joined
from derivable.partition import part_of
from derivable.system import MEMORY, sizes

LARGE = 1 << 26  # bytes from which on a group reads a file in parts
TIMES_AS_LARGE = 20  # as a file a table in memory may be while it is read


def read_part(path: str | Path, group: Group, **options: Any) -> Table:
    """The rows of this process of a table that all processes of a group read together.

    The file is text such as CSV, or Parquet. Its rows are those of process 0, then those of process
    1, and so on. What the columns are is found in rows from all over the file, the same whatever
    the number of processes; the options are those of `read_table`.

    Raises in every process: DataError where a row of one of them cannot be read so, with its line,
    and where the file can only be read as a whole.
    """
    chosen, path = checked_options(**options), Path(path).expanduser()
    if group.size > PIECES:
        raise WholeFileError(say("whole_processes", name=path.name, most=PIECES, got=group.size))
    own = part_of(PIECES, group.rank, group.size)
    with group.agreed():
        pieces, counts = _counted(path, chosen, own)
    all_counts = group.concatenated({"n": torch.tensor(counts, dtype=torch.int64)})["n"]
    above = list(accumulate(all_counts.tolist(), initial=0))
    with group.agreed():
        sample = _sampled(pieces, above, chosen)
    group.check_same("tables", f"{pieces.name} {sample.table.digest()[:12]}", "same_table")
    with group.agreed():
        found = [_read(pieces, k, above[k], sample) for k in own]
    return _part(group, sample, found)


@dataclass(frozen=True)
class _Sample:
    """Rows from all over the file, and what they show of all of its rows."""

    sheet: Sheet
    table: Table
    columns: Columns
    marks: Mapping[str, str]  # the decimal mark of each column of numbers
    missing: str  # the rule for cells without a value


@dataclass(frozen=True)
class _Piece:
    """The rows of one piece."""

    x: Tensor  # (n, D)
    y: Tensor  # (n, K)
    lines: Tensor  # (n,)
    dropped: int  # rows without a value

    @property
    def digest(self) -> bytes:
        """SHA-256 of the numbers."""
        return digest_of(b"", self.x, self.y)


def read_together(path: str | Path, group: Group | None, **options: Any) -> Table:
    """The table of a file: all of it, or the part of this process.

    The option `parts` decides; left out, the processes of a group read a file in parts that is as
    large as `LARGE`, and as a whole if it cannot be read so. Raises what `read_table` and
    `read_part` raise, in all processes.
    """
    asked = options.get("parts")
    if asked or (asked is None and group is not None and _is_large(path, group)):
        own = group or Group()
        try:
            return read_part(path, own, **options)
        except DataError as error:
            if asked or not (isinstance(error, WholeFileError) or _fits(path, own)):
                raise
    with agreed(group):
        return read_table(path, **options)


def _size(path: str | Path) -> int:
    """In bytes; 0 where there is no such file."""
    file = Path(path).expanduser()
    return file.stat().st_size if file.is_file() else 0


def _is_large(path: str | Path, group: Group) -> bool:
    """Whether the file is, the same in all processes."""
    size = _size(path)
    group.check_same("tables", f"{Path(path).name}, {size} bytes", "same_table")
    return size >= LARGE


def _fits(path: str | Path, group: Group) -> bool:
    """Whether each process can have all of the file, should they all run on this machine."""
    free = sizes(MEMORY).get("MemAvailable", 0)
    mine = _size(path) * TIMES_AS_LARGE * group.size < free
    return bool(group.gather(torch.tensor(mine)).all())


def _counted(path: Path, options: TableOptions, own: range) -> tuple[Pieces, list[int]]:
    """The pieces of a file, and the lines or rows of some of them."""
    pieces = pieces_of(path, checked_reading(options))
    if options.missing == "median":
        raise WholeFileError(say("whole_median", name=pieces.name))
    return pieces, [pieces.count(piece) for piece in own]


def _sampled(pieces: Pieces, above: Sequence[int], options: TableOptions) -> _Sample:
    """Rows from all over the file, and their table, whose columns are those of all rows."""
    sheet = replace(pieces.sample(above), of_rows=above[-1])

    def read(chosen: TableOptions) -> Table:
        return table_of_sheet(sheet, chosen)

    try:
        table = read(options)
    except (ProblemError, ProblemsError) as first:
        raise all_problems(first, pieces.name, options, read) from None
    if table.classes:
        raise WholeFileError(say("whole_classes", name=pieces.name, target=table.targets[0]))
    assert table.columns is not None
    return _Sample(
        sheet=sheet,
        table=table,
        columns=table.columns,
        marks=reading.marks(sheet, table.columns),
        missing=options.missing,
    )


def _read(pieces: Pieces, piece: int, above: int, sample: _Sample) -> _Piece:
    """One piece."""
    parts = [_numbers(sheet, sample) for sheet in pieces.sheets(piece, above)]
    if not parts:
        table = sample.table
        return _Piece(table.x[:0], table.y[:0], torch.empty(0, dtype=torch.int64), 0)
    x, y, lines = (
        torch.cat([getattr(part, name) for part in parts]) for name in ("x", "y", "lines")
    )
    return _Piece(x, y, lines, sum(part.dropped for part in parts))


def _numbers(sheet: Sheet, sample: _Sample) -> _Piece:
    """Some rows of one."""
    columns, all_rows = sample.columns, len(sheet.frame)
    sheet = without_missing(sheet, columns, sample.missing, whole=False)
    x = reading.features(sheet, columns, sample.marks)
    y = reading.targets(sheet, columns, sample.marks)
    checks.check_sizes(sheet.name, columns.owners, x.numpy())
    checks.check_sizes(sheet.name, columns.targets, y.numpy())
    lines = torch.from_numpy(sheet.lines.to_numpy().astype("int64"))
    return _Piece(x, y, lines, all_rows - len(x))


def _part(group: Group, sample: _Sample, found: Sequence[_Piece]) -> Table:
    """The table of this process, from its pieces."""
    x, y, lines = (
        torch.cat([getattr(piece, name) for piece in found]) for name in ("x", "y", "lines")
    )
    rows = group.gather(torch.tensor(len(x))).tolist()
    checks.check_rows(sample.table.name, sum(rows))
    dropped = int(group.gather(torch.tensor(sum(piece.dropped for piece in found))).sum())
    ends = list(accumulate((len(piece.x) for piece in found), initial=0))
    digests = b"".join(group.contents(b"".join(piece.digest for piece in found)))
    names = repr((sample.table.features, sample.table.targets)).encode()
    part = Part(
        group=group,
        pieces=tuple(range(*one) for one in pairwise(ends)),
        first=sum(rows[: group.rank]),
        rows=sum(rows),
        digest=digest_of(names + digests).hex(),
    )
    of_file = stated(replace(sample.sheet, of_rows=part.rows), sample.columns)
    in_parts = say("in_parts", n=group.size, sample=len(sample.sheet.frame))
    notes = sample.table.notes
    if dropped:
        notes = (*notes, say("rows_missing", n=dropped, all=part.rows + dropped))
    return replace(
        sample.table,
        x=x,
        y=y,
        lines=lines,
        part=part,
        detected=joined([of_file, in_parts], SEMICOLON),
        notes=notes,
        note=joined(notes),
    )
