"""`derivable data`: where the tables are, bring one, write one as a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

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
def where_command(as_json: bool) -> None:
    """Where California Housing is looked for, and whether it is there."""
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
    by = (
        "named by SCIKIT_LEARN_DATA"
        if named
        else "scikit-learn's own; SCIKIT_LEARN_DATA is not set"
    )
    found = (
        f"{file.stat().st_size:,} bytes" if there else "not there; derivable data fetch brings it"
    )
    click.echo(f"folder      {folder} ({by})")
    click.echo(f"california  {CACHE_FILE}: {found}")
    click.echo("diabetes    comes with scikit-learn")


@data_group.command("fetch")
@as_json_option
def fetch_command(as_json: bool) -> None:
    """Bring California Housing into scikit-learn's cache; waits ten seconds for an answer."""
    from derivable.data.california import CACHE_FILE, cache_folder

    table = _find("california")
    file = cache_folder() / CACHE_FILE
    if not file.is_file():
        from derivable.errors import DataError

        raise DataError(
            f"California Housing was downloaded, and {file} cannot be written; set "
            "SCIKIT_LEARN_DATA to a folder that can"
        )
    if as_json:
        document = {"file": str(file), "rows": len(table.x), "sha256": table.digest()}
        print(json.dumps(document, ensure_ascii=False))
    else:
        click.echo(f"california  {len(table.x):,} rows in {file}")


@data_group.command("export")
@click.argument("file", metavar="FILE.csv|FILE.parquet")
@click.option(
    "--data", type=click.Choice(BUNDLED), default=BUNDLED[0], show_default=True, help="Which table."
)
@as_json_option
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
        click.echo(f"{data}  {len(table.x):,} rows in {path}")
        click.echo(f"to use it: derivable compare {path} --target '{target}'")


def _find(data: str) -> Table:
    """The table itself, without a stand-in."""
    require(f"the table {data}", "joblib", "sklearn")
    from derivable.cli import terminal
    from derivable.data import find_california, load_diabetes

    if data == "diabetes":
        return load_diabetes()
    with terminal.waiting("Looking for the table; a download gets ten seconds", visible=True):
        return find_california()
