"""`derivable data`: where the tables are, bring one, write one as a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from derivable.cli.language import lang_option
from derivable.cli.messages import say
from derivable.cli.suggesting import SuggestingGroup
from derivable.data.options import BUNDLED
from derivable.extras import require

if TYPE_CHECKING:
    from derivable.data import Table

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group("data", cls=SuggestingGroup, short_help="Where tables are; fetch or export one.")
def data_group() -> None:
    """The tables that need no file of yours: California Housing and diabetes."""


@data_group.command("where")
@as_json_option
@lang_option
def where_command(as_json: bool) -> None:
    """The folders in which California Housing may be, and whether it is there."""
    import os

    from derivable.data.california import CACHE_FILE, cache_folder

    folder = cache_folder()
    file = folder / CACHE_FILE
    there = file.is_file()
    named = os.environ.get("SCIKIT_LEARN_DATA")
    if as_json:
        size = file.stat().st_size if there else None
        document = {"folder": str(folder), "file": CACHE_FILE, "there": there, "bytes": size}
        print(json.dumps({**document, "SCIKIT_LEARN_DATA": named}, ensure_ascii=False))
        return
    by = say("named_by" if named else "own_cache")
    found = say("bytes", size=file.stat().st_size) if there else say("not_there")
    click.echo(say("folder", folder=folder, by=by))
    click.echo(say("california", file=CACHE_FILE, found=found))
    click.echo(say("diabetes"))


@data_group.command("fetch")
@as_json_option
@lang_option
def fetch_command(as_json: bool) -> None:
    """Bring California Housing into scikit-learn's cache; waits ten seconds for an answer."""
    from derivable.data.california import CACHE_FILE, cache_folder

    table = _find("california")
    file = cache_folder() / CACHE_FILE
    if not file.is_file():
        from derivable.errors import DataError

        raise DataError(say("cache_unwritable", file=file))
    if as_json:
        document = {"file": str(file), "rows": len(table.x), "sha256": table.digest()}
        print(json.dumps(document, ensure_ascii=False))
    else:
        click.echo(say("rows_in", data="california", rows=len(table.x), file=file))


@data_group.command("export")
@click.argument("file", metavar="FILE.csv|FILE.parquet")
@click.option(
    "--data", type=click.Choice(BUNDLED), default=BUNDLED[0], show_default=True, help="Which table."
)
@as_json_option
@lang_option
def export_command(file: str, data: str, as_json: bool) -> None:
    """Write a table as a file: features, then the target."""
    require("derivable data export", "joblib", "polars", "sklearn")
    from derivable.data import write_table

    table = _find(data)
    path = write_table(table, file)
    if as_json:
        document = {"file": str(path), "rows": len(table.x), "targets": list(table.targets)}
        print(json.dumps(document, ensure_ascii=False))
    else:
        target = ",".join(table.targets)
        click.echo(say("rows_in", data=data, rows=len(table.x), file=path))
        click.echo(say("to_use", file=path, target=target))


def _find(data: str) -> Table:
    """The table itself, without a substitute."""
    require(f"the table {data}", "joblib", "sklearn")
    from derivable.cli import terminal
    from derivable.data import find_california, load_diabetes

    if data == "diabetes":
        return load_diabetes()
    with terminal.waiting(say("looking"), visible=True):
        return find_california()
