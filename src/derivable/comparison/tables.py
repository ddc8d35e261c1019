"""`table_of`: a table for a comparison, from a `Table`, a file or a data frame."""

from __future__ import annotations

import difflib
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from derivable.comparison.messages import say
from derivable.data import Table
from derivable.data.options import BUNDLED
from derivable.descent.method import Method
from derivable.descent.schedules import Schedule
from derivable.distributed import Group
from derivable.errors import DataError, InputError, SettingError
from derivable.extras import needed
from derivable.messages import Message, joined, message_of
from derivable.problem import is_sparse

if TYPE_CHECKING:
    import polars

FRAME = "data frame"  # what errors call one


Name = str | float  # of a column; numbers are names in pandas
Names = Name | Sequence[Name]


class Reading(TypedDict, total=False):
    """What `read_table` takes by keyword, besides `target`."""

    task: str | None
    ignore: Names
    missing: str
    one_hot: bool | Names
    decimal: str | None
    separator: str | None
    na: Names
    missing_category: bool
    merge_spellings: bool
    rename_duplicates: bool
    split: str
    parts: bool | None
    header: int | None
    no_header: bool
    units: str | None
    total: str | None
    sheet: str | None
    dates: str | None


class Options(Reading, total=False):
    """What `compare` takes by keyword: how a table is read, and how models are trained."""

    protocol: str | None
    lr: float | str | None
    steps: int | None
    seed: int
    seeds: int
    method: str | Method
    shard: bool
    device: str | None
    penalty: float
    schedule: Callable[[float], Schedule] | str | None
    early_stopping: bool
    patience: int
    validation: float
    class_weight: str


READING = ("target", *Reading.__annotations__)


def table_of(source: Any, reading: Mapping[str, Any], group: Group | None = None) -> Table:
    """The table that is meant: a `Table`, the name of one that comes along, a path, a data frame.

    A data frame is one of pandas, polars or another package with Arrow's interface, or a mapping
    of columns. `reading` are `target` and the other options of `read_table`, by keyword; a file or
    data frame needs `target`. The processes of a `group` may read a file together.

    Raises InputError for an option that is unknown, SettingError for one that does not go with the
    table, DataError for what is no table.
    """
    given = {name: value for name, value in reading.items() if value is not None}
    own = isinstance(source, str) and source in BUNDLED and not Path(source).exists()
    for name in given:
        if name not in READING:
            raise _unknown(name)
        if isinstance(source, Table) or own:
            raise SettingError(say("is_read", name=name))
    if isinstance(source, Table) or own:
        return source if isinstance(source, Table) else _own(source)
    if "target" not in given:
        raise SettingError(say("no_target"))
    if isinstance(source, (str, os.PathLike)):
        return _read(source, given, group)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FRAME
        _polars(source).write_parquet(path)
        return _read(path, given)


def _unknown(name: str) -> InputError:
    """An error for an option that there is not."""
    known = (*READING, *Options.__annotations__, "models", "loss", "training", "watch")
    near = difflib.get_close_matches(name, known)
    hint = say("did_you_mean", name=near[0]) if near else say("see_options")
    return InputError(say("no_option", name=name, hint=hint))


def is_own(table: Table) -> bool:
    """Whether the table comes along, and is no file of that name."""
    return table.name in BUNDLED and table.columns is None


def _own(name: str) -> Table:
    from derivable import data

    return data.load_california() if name == "california" else data.load_diabetes()


def _read(path: Any, reading: Mapping[str, Any], group: Group | None = None) -> Table:
    """The table in a file; messages name options as Python does."""
    from derivable.data import read_together

    with python_words():
        table = read_together(path, group, **reading)
    notes = tuple(map(in_python, table.notes))
    return replace(table, note=joined(notes), notes=notes)


def _polars(source: Any) -> polars.DataFrame:
    """A data frame of any kind as one of polars."""
    with needed("foreign_table"):
        import polars

    if isinstance(source, polars.LazyFrame):
        return source.collect()
    if isinstance(source, polars.DataFrame):
        return source
    if type(source).__module__.partition(".")[0] == "pandas" and hasattr(source, "columns"):
        return _from_pandas(source)
    if isinstance(source, Mapping) or hasattr(source, "__arrow_c_stream__"):
        return polars.DataFrame(_with_names(source))
    if is_sparse(source):
        raise DataError(say("sparse"))
    raise DataError(say("no_table", kind=type(source).__name__))


def _with_names(source: Any) -> Any:
    """A mapping with text for numbers that are names of columns; anything else as it is."""
    return {str(k): v for k, v in source.items()} if isinstance(source, Mapping) else source


def _from_pandas(frame: Any) -> polars.DataFrame:
    """The columns of a pandas data frame, without its index; no Arrow is needed."""
    import polars

    names = [str(name) for name in frame.columns]
    for name in names:
        if names.count(name) > 1:
            raise DataError(say("name_twice", name=FRAME, column=name))
    columns = (frame.iloc[:, i] for i in range(len(names)))
    return polars.DataFrame(
        [polars.Series(name, _values(column)) for name, column in zip(names, columns, strict=True)]
    )


def _values(column: Any) -> Any:
    """What polars makes a series of: numbers and dates as they are, all else as text or None."""
    if column.dtype.kind in "iufM" and hasattr(column.dtype, "itemsize"):
        values = column.to_numpy()
        if values.dtype.kind in "iufM":
            return values
    known = [None if gone else v for v, gone in zip(column.tolist(), column.isna(), strict=True)]
    kinds = {type(value) for value in known if value is not None}
    if len(kinds) == 1 and kinds <= {bool, int, float}:
        return known
    return [None if value is None else str(value) for value in known]


@contextmanager
def python_words() -> Iterator[None]:
    """Let errors name options as Python does, not as commands do."""
    try:
        yield
    except (DataError, SettingError) as error:
        error.args = (in_python(message_of(error)), *error.args[1:])
        raise


def in_python(text: str) -> str:
    """A message with options as Python has them: ignore='id' for --ignore 'id'.

    A data frame, which has no name as a file does, gets an article.
    """
    if isinstance(text, Message):
        en, fr = map(in_python, text.texts)
        en = re.sub(rf"(^|\b(?:in|of) ){FRAME}(?! of|,|\s?:)", rf"\1the {FRAME}", en)
        for before, article in (("^", "le "), (r"\bde ", "du "), (r"\bdans ", "dans le ")):
            fr = re.sub(rf"{before}{FRAME}(?! de|,|\s?:)", article + FRAME, fr)
        return Message(en, fr)
    values = r"regression|classification|drop|median|adam|skip|keep|last|dmy|mdy|[.,](?=[\s;:,.]|$)"
    text = re.sub(r"--([a-z][a-z-]*) ('[^']*')", r"--\1=\2", text)
    text = re.sub(rf"--([a-z][a-z-]*) ({values})", r"--\1='\2'", text)
    text = re.sub(  # an option that names a column has names, and is not True
        r"(?<!indiquée par )--(one-hot|missing-category|merge-spellings|rename-duplicates|"
        r"no-header)(?!=| names;)",
        r"--\1=True",
        text,
    )
    return re.sub(r"--([a-z][a-z-]*)", lambda found: found[1].replace("-", "_"), text)
