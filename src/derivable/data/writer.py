"""Tables as files: `write_table`, which `read_table` reads back, and predictions beside a sheet."""

from __future__ import annotations

import codecs
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from derivable.data.messages import say
from derivable.data.numbers import COMMA
from derivable.data.sheet import Sheet
from derivable.data.table import Table
from derivable.errors import SettingError
from derivable.files import write_whole


def write_table(table: Table, path: str | Path) -> Path:
    """Write the features and then the targets as CSV or Parquet, by the ending of `path`.

    The file is written whole or not at all, and never over another. Numbers keep all their digits.
    Raises SettingError for a name that cannot be used, FileError where the system refuses the file.
    """
    path = Path(path).expanduser()
    ending = path.suffix.lower()
    if ending not in (".csv", ".parquet"):
        example = path.with_suffix(".csv") if path.name else path / f"{table.name}.csv"
        raise SettingError(say("ending", path=path, example=example))
    if path.exists():
        raise SettingError(say("is_there", path=path))
    if not path.parent.is_dir():
        raise SettingError(say("no_folder", path=path, folder=path.parent))
    numbers = {name: table.x[:, i].numpy() for i, name in enumerate(table.features)}
    numbers |= {name: table.y[:, i].numpy() for i, name in enumerate(table.targets)}
    frame = pl.DataFrame(numbers).fill_nan(None)
    if table.classes:
        named = [table.classes[int(label)] for label in table.y[:, 0].tolist()]
        frame = frame.with_columns(pl.Series(table.targets[0], named))
    content = io.BytesIO()  # polars raises other errors than the system's where a disk is full
    frame.write_csv(content) if ending == ".csv" else frame.write_parquet(content)
    write_whole(path, content.getvalue())
    return path


def predictions_csv(
    sheet: Sheet,
    predicted: Mapping[str, Sequence[float | str]],
    *,
    mark: str,
    alone: bool,
) -> bytes:
    """Predictions as CSV, written as the sheet's file is, beside its columns or alone.

    Separator and decimal `mark` are those of the file; where a spreadsheet wrote it, there is a
    byte order mark, without which Excel takes UTF-8 for cp1252. Numbers have nine digits, which is
    what a network in float32 has. A name that the file has already gets "(predicted)" behind it.
    """
    columns = [] if alone else sheet.frame.cast(pl.String).get_columns()
    names = {column.name for column in columns}
    for name, values in predicted.items():
        own = f"{name} (predicted)" if name in names else name
        columns.append(pl.Series(own, [_cell(value, mark) for value in values]))
    content = io.BytesIO()
    pl.DataFrame(columns).write_csv(content, separator=sheet.separator or ",")
    return codecs.BOM_UTF8 * sheet.spreadsheet + content.getvalue()


def _cell(value: float | str, mark: str) -> str:
    text = value if isinstance(value, str) else f"{value:.9g}"
    return text.replace(".", COMMA) if mark == COMMA and not isinstance(value, str) else text
