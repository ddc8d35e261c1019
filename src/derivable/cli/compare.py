"""`derivable compare`: the whole lab, or several models on a table of one's own."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from derivable.cli.table_options import table_options

if TYPE_CHECKING:
    from derivable.cli.table_options import TableSource
    from derivable.comparison import Comparison

PROTOCOLS = ("lab", "sound")
METHODS = ("auto", "steps", "spectral", "flow", "momentum", "nesterov", "adam", "lbfgs")


def rate(ctx: click.Context, param: click.Parameter, word: str | None) -> float | str | None:
    """The learning rate that --lr names: a positive number, or auto."""
    if word is None or word == "auto":
        return word
    with suppress(ValueError):
        if 0 < float(word) < float("inf"):
            return float(word)
    raise click.BadParameter(f"{word!r} is neither a positive number nor auto", ctx, param)


@click.command("compare", short_help="Train several models on one table, and compare them.")
@table_options
@click.option(
    "--models",
    default="linear,tanh:10,relu:10",
    show_default=True,
    metavar="LIST",
    help="Models separated by commas: linear, tanh:10, relu:32x16, ...",
)
@click.option(
    "--lr",
    callback=rate,
    metavar="X",
    help="Learning rate, or auto for one that suits.  [default: the lab's; auto for FILE]",
)
@click.option(
    "--protocol",
    type=click.Choice(PROTOCOLS),
    help="How the table is split and scaled, see above.  [default: lab; sound for FILE]",
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
    help="Seed of the initial weights, and of the shuffle.",
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
    source: TableSource,
    models: str,
    lr: float | str | None,
    protocol: str | None,
    steps: int,
    seed: int,
    seeds: int,
    method: str,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train several models on one table, and compare them.

    The table is FILE (CSV, TSV, Parquet; also .gz) with its --target, or the lab's own. For
    example: derivable compare houses.csv --target price

    The lab's protocol: features standardised over all rows, the first 80% of the rows train and
    the last 20% test, with lr 1e-5 for the linear model and 1e-4 for networks. The sound one, for
    FILE: rows shuffled by the seed, 80% train; features and targets standardised as the training
    rows say, losses told in the target's own units. Both: weights 0.01 * randn, and full-batch
    gradient descent of the mean squared error.

    Writes metrics.json, history.csv, the weights (safetensors) and the charts (PNG and SVG) into
    a new folder.
    """
    from derivable.cli import terminal
    from derivable.comparison import compare, notes_on_weights
    from derivable.protocol import parse_models
    from derivable.report.run_folder import make_run_folder, to_json, write_run

    chosen = parse_models(models)
    table = source.load(quiet=quiet)
    if source.file is not None:
        for note in notes_on_weights(table, chosen):
            terminal.show_note(note)
    folder = make_run_folder(out, table.name)
    try:
        total = steps if seeds == 1 else seeds
        with terminal.progress(chosen, total, visible=not quiet) as watch:
            comparison: Comparison = compare(
                table,
                chosen,
                protocol=protocol or source.protocol,
                lr=lr,
                steps=steps,
                seed=seed,
                seeds=seeds,
                method=method,
                watch=watch,
            )
        charts = write_run(comparison, folder)
    except BaseException:
        shutil.rmtree(folder)  # it was empty: half a run is worse than none
        raise
    if as_json:
        print(to_json(comparison))
    else:
        terminal.show_comparison(comparison, folder, charts)
