"""The options that name a table, the same for every command that reads one."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from derivable.cli.messages import say
from derivable.data.options import (
    ALL,
    BUNDLED,
    MISSING_RULES,
    SPLIT_ORDERS,
    TASKS,
    TableOptions,
)

if TYPE_CHECKING:
    from derivable.data import Table
    from derivable.distributed import Group


@dataclass(frozen=True)
class TableSource(TableOptions):
    """Which table, and how to read it, as the user stated it; in words that JSON keeps."""

    file: str | None = None  # a file of the user's, else
    data: str | None = None  # one of BUNDLED, california where it is left out

    def __post_init__(self) -> None:
        if self.file is not None and self.data is not None:
            raise click.UsageError(say("two_tables", file=self.file, data=self.data))
        if self.file is None:
            taken = next((word for word in self.one_hot_names if Path(word).is_file()), None)
            if taken is not None:
                raise click.UsageError(say("one_hot_takes", word=taken))
            for field in fields(self):
                if (
                    field.name not in ("file", "data")
                    and getattr(self, field.name) != field.default
                ):
                    option = f"--{field.name.replace('_', '-')}"
                    raise click.UsageError(say("no_file_to_read", option=option))

    @property
    def protocol(self) -> str:
        """The protocol that suits: the lab's for its own tables, the sound one for a user's."""
        return "lab" if self.file is None else "sound"

    def load(self, *, quiet: bool, group: Group | None = None) -> Table:
        """The table; what was found out about it and what to know of it goes to stderr.

        With a group, every process calls it, and raises what one of them raises.
        """
        from derivable import data
        from derivable.cli import terminal
        from derivable.distributed import agreed

        if self.file is not None:
            table = self._read(group)
        elif self.data == "diabetes":
            table = data.load_diabetes()
        else:
            with agreed(group), terminal.waiting(say("looking"), not quiet):
                if group is None or group.rank == 0:
                    table = data.load_california()
            with agreed(group):
                if group is not None and group.rank:  # what the first one has downloaded
                    table = data.load_california()
        if table.detected and not quiet:
            terminal.show_detected(table.detected)
        terminal.show_notes(table.notes or (table.note,) * bool(table.note))
        return table

    def _read(self, group: Group | None) -> Table:
        """The user's table; an error ends in a command that reads it, where there is one."""
        from derivable import data
        from derivable.data.problems import ProblemsError
        from derivable.errors import DataError

        own = {field.name: getattr(self, field.name) for field in fields(TableOptions)}
        try:
            return data.read_together(str(self.file), group, **own)
        except ProblemsError as error:
            if error.options is None:
                raise
            context = click.get_current_context(silent=True)
            command = context.info_name if context else "compare"
            words = ["derivable", str(command), str(self.file), *error.options.words()]
            gaps = {"error": error, "command": shlex.join(words)}
            raise DataError(say("for_example", **gaps)) from None


def table_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command FILE and the options of its table, as one argument `source`."""

    @functools.wraps(command)
    def with_source(**given: Any) -> Any:
        own = {field.name: given.pop(field.name) for field in fields(TableSource)}
        return command(source=TableSource(**own), **given)

    decorated: Callable[..., Any] = with_options(*_OPTIONS)(with_source)
    return decorated


def with_options(*options: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command several options, in this order."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _one_hot(ctx: click.Context, param: click.Parameter, words: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that --one-hot names; a settings file may have true or false there."""
    words = tuple(ALL if word == "True" else word for word in words)
    return tuple(word for word in words if word != "False")


# How a file is read, whatever for.
READING = (
    click.option(
        "--decimal",
        type=click.Choice([".", ","]),
        help="The mark before decimals.  [default: found out]",
    ),
    click.option(
        "--separator",
        metavar="CHAR",
        help="What stands between cells: ',', ';', tab, ...  [default: found out]",
    ),
    click.option(
        "--na",
        multiple=True,
        metavar="TEXT",
        help="A spelling of a missing value, besides empty, NA, NaN, null, - and their like; of "
        "one column as COLUMN=TEXT.",
    ),
    click.option(
        "--header",
        type=click.IntRange(min=1),
        metavar="LINE",
        help="The line that holds the names of the columns.  [default: found out]",
    ),
    click.option("--no-header", is_flag=True, help="No line holds names: column 1, column 2, ..."),
    click.option(
        "--units",
        type=click.Choice(["skip", "keep"]),
        help="The row below the names: leave it out, or take it for data.  [default: found out]",
    ),
    click.option(
        "--total",
        type=click.Choice(["drop", "keep"]),
        help="Rows that seem to be totals or remarks: leave them out, or take them for data.  "
        "[default: ask]",
    ),
    click.option(
        "--sheet",
        metavar="NAME",
        help="The sheet of a workbook, or the file in a zip archive, where there are several.",
    ),
    click.option(
        "--dates",
        type=click.Choice(["dmy", "mdy"]),
        help="What comes first in dates such as 08/11/2024.  [default: found out]",
    ),
)

_OPTIONS = (
    click.argument("file", required=False, metavar="[FILE]"),
    click.option(
        "--target",
        metavar="COLUMN",
        help="The column of FILE to predict, or several: a,b. All others are features.",
    ),
    click.option(
        "--task",
        type=click.Choice(TASKS),
        help="Whether the target is numbers or classes.  [default: found out]",
    ),
    click.option(
        "--ignore",
        multiple=True,
        metavar="COLUMN",
        help="Columns of FILE to leave out: a,b, or --ignore a --ignore b; #3 is the third.",
    ),
    click.option(
        "--missing",
        type=click.Choice(MISSING_RULES),
        default="error",
        show_default=True,
        help="Cells without a value: an error, leave out their rows, or put the training median.",
    ),
    click.option(
        "--missing-category",
        is_flag=True,
        help="A missing cell of a column of text is a category of its own.",
    ),
    click.option(
        "--one-hot",
        is_flag=False,
        flag_value=ALL,
        multiple=True,
        callback=_one_hot,
        metavar="[COLUMN,...]",
        help="Make a feature of each value of these columns; without a name, of all of text.",
    ),
    click.option(
        "--merge-spellings",
        is_flag=True,
        help="Values of text that differ in case or blanks only are one.",
    ),
    click.option(
        "--rename-duplicates",
        is_flag=True,
        help="A second column by one name is called 'name (2)'.",
    ),
    click.option(
        "--split",
        type=click.Choice(SPLIT_ORDERS),
        default=SPLIT_ORDERS[0],
        show_default=True,
        help="Which 20% of the rows of FILE test: shuffled ones, or the last.",
    ),
    *READING,
    click.option(
        "--parts/--no-parts",
        default=None,
        help="Whether processes that torchrun has started read FILE together, each some of its "
        "rows.  [default: where FILE has 64 MB]",
    ),
    click.option(
        "--data",
        type=click.Choice(BUNDLED),
        help="A table without a file: California Housing (scikit-learn's cache or download), or "
        "diabetes.  [default: california]",
    ),
)
