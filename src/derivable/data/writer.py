"""`write_table`: a table as a file that one can open, and `read_table` reads back."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

from derivable.data.table import Table
from derivable.errors import SettingError


def write_table(table: Table, path: str | Path) -> Path:
    """Write the features and then the targets as CSV or Parquet, by the ending of `path`.

    The file is written whole or not at all, and never over another. Numbers keep all their digits.
    """
    path = Path(path).expanduser()
    ending = path.suffix.lower()
    if ending not in (".csv", ".parquet"):
        example = path.with_suffix(".csv") if path.name else path / f"{table.name}.csv"
        raise SettingError(
            f"the table can be written as .csv or .parquet, and {path} ends otherwise; name "
            f"{example}, for example"
        )
    if path.exists():
        raise SettingError(f"{path} is there already and is not overwritten; name another file")
    if not path.parent.is_dir():
        raise SettingError(f"{path} cannot be written: there is no folder {path.parent}; make it")
    numbers = {name: table.x[:, i].numpy() for i, name in enumerate(table.features)}
    numbers |= {name: table.y[:, i].numpy() for i, name in enumerate(table.targets)}
    frame = pl.DataFrame(numbers).fill_nan(None)
    if table.classes:
        named = [table.classes[int(label)] for label in table.y[:, 0].tolist()]
        frame = frame.with_columns(pl.Series(table.targets[0], named))
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        frame.write_csv(part) if ending == ".csv" else frame.write_parquet(part)
        part.replace(path)
    except OSError as error:
        raise SettingError(
            f"{path} cannot be written ({error.strerror or error}); name another file"
        ) from None
    finally:
        part.unlink(missing_ok=True)
    return path
