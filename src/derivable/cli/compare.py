"""`derivable compare`: the whole lab."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from derivable.comparison import Comparison

DATA = ("california", "diabetes")
METHODS = ("auto", "steps", "spectral", "flow", "momentum", "nesterov", "adam", "lbfgs")


@click.command("compare", short_help="Train several models on one table, and compare them.")
@click.option(
    "--data",
    type=click.Choice(DATA),
    default="california",
    show_default=True,
    help="The table: California Housing (scikit-learn's cache or download), or diabetes.",
)
@click.option(
    "--models",
    default="linear,tanh:10,relu:10",
    show_default=True,
    metavar="LIST",
    help="Models separated by commas: linear, tanh:10, relu:32x16, ...",
)
@click.option(
    "--steps",
    type=click.IntRange(min=0),
    default=80_000,
    show_default=True,
    metavar="N",
    help="Gradient-descent steps for each model.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Seed of the initial weights.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    metavar="N",
    help="Train from so many seeds, and report the mean and the spread.",
)
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="auto",
    show_default=True,
    metavar="NAME",
    help="How to descend: auto, steps, spectral, flow, momentum, nesterov, adam or lbfgs.",
)
@click.option(
    "--out",
    metavar="FOLDER",
    help="Where the run is written; an empty or new folder.  [default: runs/<data>-<number>]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
@click.option("--quiet", is_flag=True, help="No progress; only the result.")
def compare_command(
    data: str,
    models: str,
    steps: int,
    seed: int,
    seeds: int,
    method: str,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train several models on one table by the lab's protocol, and compare them.

    The lab's protocol: features standardised over all rows, the first 80% of the rows train and
    the last 20% test; weights 0.01 * randn; full-batch gradient descent of the mean squared
    error, with lr 1e-5 for the linear model and 1e-4 for networks.

    Writes metrics.json, history.csv, the weights (safetensors) and the charts (PNG and SVG) into
    a new folder.
    """
    from derivable.cli import terminal
    from derivable.comparison import compare
    from derivable.data import load_california, load_diabetes
    from derivable.protocol import parse_models
    from derivable.report.run_folder import make_run_folder, to_json, write_run

    chosen = parse_models(models)
    with terminal.waiting("Looking for the table; a download gets ten seconds", not quiet):
        table = load_california() if data == "california" else load_diabetes()
    if table.note:
        terminal.show_note(table.note)
    folder = make_run_folder(out, table.name)
    try:
        total = steps if seeds == 1 else seeds
        with terminal.progress(chosen, total, visible=not quiet) as watch:
            comparison: Comparison = compare(
                table, chosen, steps=steps, seed=seed, seeds=seeds, method=method, watch=watch
            )
        charts = write_run(comparison, folder)
    except BaseException:
        shutil.rmtree(folder)  # it was empty: half a run is worse than none
        raise
    if as_json:
        print(to_json(comparison))
    else:
        terminal.show_comparison(comparison, folder, charts)
