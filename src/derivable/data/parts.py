"""`read_part`: the rows of one process, of a file that several processes read together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from derivable.data import checks, reading
from derivable.data.columns import Columns
from derivable.data.messages import say
from derivable.data.opening import checked_options as checked_reading
from derivable.data.options import SheetOptions, TableOptions
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
from derivable.data.table import Part, Table
from derivable.distributed import Group
from derivable.errors import WholeFileError
from derivable.messages import SEMICOLON, joined

LARGE = 1 << 26  # bytes from which on a group reads a file in parts


def read_part(path: str | Path, group: Group, **options: Any) -> Table:
    """The rows of this process of a table that all processes of a group read together.

    The file is text such as CSV, or Parquet. Its rows are those of process 0, then those of process
    1, and so on. What the columns are is found in rows from all over the file, the same whatever
    the number of processes; the options are those of `read_table`.

    Raises in every process: DataError where a row of one of them cannot be read so, with its line,
    and where the file can only be read as a whole.
    """
    chosen, path = checked_options(**options), Path(path).expanduser()
    own = range(*(PIECES * rank // group.size for rank in (group.rank, group.rank + 1)))
    with group.agreed():
        pieces, counts = _counted(path, chosen, own)
    above = [0, *accumulate(group.concatenated({"n": torch.tensor(counts)})["n"].tolist())][:-1]
    with group.agreed():
        sheet, sample = _sampled(pieces, above, chosen)
    group.check_same("tables", f"{pieces.name} {sample.digest()[:12]}", "same_table")
    with group.agreed():
        found = [_read(pieces, k, above[k], sample, chosen.missing) for k in own]
    return _part(group, sheet, sample, found)


def read_together(path: str | Path, group: Group | None, **options: Any) -> Table:
    """The table of a file: all of it, or the part of this process.

    The processes of a group read it in parts where `parts` is among the options, or where it is as
    large as `LARGE` and can be. Raises what `read_table` and `read_part` raise, in all processes.
    """
    asked = options.get("parts", False)
    if asked or (group is not None and _size(path) >= LARGE):
        try:
            return read_part(path, group or Group(), **options)
        except WholeFileError:
            if asked:
                raise
    with group.agreed() if group else nullcontext():
        return read_table(path, **options)


def _size(path: str | Path) -> int:
    """In bytes; 0 where there is no such file."""
    file = Path(path).expanduser()
    return file.stat().st_size if file.is_file() else 0


def _counted(path: Path, options: TableOptions, own: range) -> tuple[Pieces, list[int]]:
    """The pieces of a file, and the lines or rows of some of them."""
    given = {name: getattr(options, name) for name in SheetOptions.__dataclass_fields__}
    pieces = pieces_of(path, checked_reading(SheetOptions(**given)))
    if options.missing == "median":
        raise WholeFileError(say("whole_median", name=pieces.name))
    return pieces, [pieces.count(piece) for piece in own]


def _sampled(pieces: Pieces, above: Sequence[int], options: TableOptions) -> tuple[Sheet, Table]:
    """Rows from all over the file, and their table, whose columns are those of all rows."""
    sheet = pieces.sample(above)

    def read(chosen: TableOptions) -> Table:
        return table_of_sheet(sheet, chosen)

    try:
        table = read(options)
    except (ProblemError, ProblemsError) as first:
        raise all_problems(first, pieces.name, options, read) from None
    if table.classes:
        raise WholeFileError(say("whole_classes", name=pieces.name, target=table.targets[0]))
    return sheet, table


def _read(
    pieces: Pieces, piece: int, above: int, sample: Table, missing: str
) -> tuple[Tensor, Tensor, Tensor]:
    """Features (n, D), targets (n, K) and lines (n,) of one piece."""
    columns = sample.columns
    assert columns is not None
    parts = [_numbers(sheet, columns, missing) for sheet in pieces.sheets(piece, above)]
    if not parts:
        return sample.x[:0], sample.y[:0], torch.empty(0, dtype=torch.int64)
    x, y, lines = (torch.cat(column) for column in zip(*parts, strict=True))
    return x, y, lines


def _numbers(sheet: Sheet, columns: Columns, missing: str) -> tuple[Tensor, Tensor, Tensor]:
    """The same of some rows of it."""
    sheet = without_missing(sheet, columns, missing, whole=False)
    x, y = reading.features(sheet, columns), reading.targets(sheet, columns)
    checks.check_sizes(sheet.name, columns.owners, x.numpy())
    checks.check_sizes(sheet.name, columns.targets, y.numpy())
    return x, y, torch.from_numpy(sheet.lines.to_numpy().astype("int64"))


def _part(
    group: Group, sheet: Sheet, sample: Table, found: Sequence[tuple[Tensor, Tensor, Tensor]]
) -> Table:
    """The table of this process, from its pieces."""
    x, y, lines = (torch.cat(column) for column in zip(*found, strict=True))
    rows = group.gather(torch.tensor(len(x))).tolist()
    ends = list(accumulate((len(piece[0]) for piece in found), initial=0))
    digests = b"".join(group.contents(b"".join(map(_digest, found))))
    names = repr((sample.features, sample.targets)).encode()
    part = Part(
        group=group,
        pieces=tuple(range(*one) for one in pairwise(ends)),
        first=sum(rows[: group.rank]),
        rows=sum(rows),
        digest=hashlib.sha256(names + digests).hexdigest(),
    )
    assert sample.columns is not None
    of_file = stated(replace(sheet, of_rows=part.rows), sample.columns)
    in_parts = say("in_parts", n=group.size, sample=len(sample.x))
    detected = joined([of_file, in_parts], SEMICOLON)
    return replace(sample, x=x, y=y, lines=lines, part=part, detected=detected)


def _digest(piece: tuple[Tensor, Tensor, Tensor]) -> bytes:
    """SHA-256 of the numbers of a piece."""
    content = hashlib.sha256()
    for numbers in piece[:2]:
        content.update(numbers.contiguous().view(-1).numpy().data)
    return content.digest()
