"""The options that name a table, the same for every command that reads one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from derivable.data import Table

DATA = ("california", "diabetes")
MISSING = ("error", "drop", "median")


@dataclass(frozen=True)
class TableSource:
    """Which table, and how to read it, as the user said it; plain words, so that JSON keeps it."""

    file: str | None = None  # a file of the user's, else
    data: str | None = None  # one of DATA, california where it is left out
    target: str | None = None
    ignore: tuple[str, ...] = ()
    missing: str = "error"
    one_hot: bool = False
    decimal: str | None = None
    separator: str | None = None
    na: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.file is not None and self.data is not None:
            raise click.UsageError(
                f"there are two tables, {self.file} and --data {self.data}; name one"
            )
        if self.file is None:
            for field in fields(self):
                if (
                    field.name not in ("file", "data")
                    and getattr(self, field.name) != field.default
                ):
                    option = f"--{field.name.replace('_', '-')}"
                    raise click.UsageError(
                        f"{option} says how to read a file, and none is named; for example "
                        f"houses.csv --target price"
                    )

    @property
    def protocol(self) -> str:
        """The protocol that suits: the lab's for its own tables, the sound one for a user's."""
        return "lab" if self.file is None else "sound"

    def load(self, *, quiet: bool) -> Table:
        """The table; what was found out about it and what to know of it goes to stderr."""
        from derivable import data
        from derivable.cli import terminal

        if self.file is not None:
            table = data.read_table(
                self.file,
                target=self.target,
                ignore=self.ignore,
                missing=self.missing,
                one_hot=self.one_hot,
                decimal=self.decimal,
                separator=self.separator,
                na=self.na,
            )
        elif self.data == "diabetes":
            table = data.load_diabetes()
        else:
            with terminal.waiting("Looking for the table; a download gets ten seconds", not quiet):
                table = data.load_california()
        if table.detected and not quiet:
            terminal.show_detected(table.detected)
        if table.note:
            terminal.show_note(table.note)
        return table


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
        help="A spelling of a missing value, besides empty, NA, NaN, null, - and their like.",
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
        "--ignore",
        multiple=True,
        metavar="COLUMN",
        help="Columns of FILE to leave out: a,b, or --ignore a --ignore b.",
    ),
    click.option(
        "--missing",
        type=click.Choice(MISSING),
        default="error",
        show_default=True,
        help="Cells without a value: an error, leave out their rows, or put the training median.",
    ),
    click.option(
        "--one-hot", is_flag=True, help="Make a feature of each value of a column of text."
    ),
    *READING,
    click.option(
        "--data",
        type=click.Choice(DATA),
        help="A table without a file: California Housing (scikit-learn's cache or download), or "
        "diabetes.  [default: california]",
    ),
)
