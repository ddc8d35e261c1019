"""`derivable compare`: the whole lab, or several models on a table of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from derivable.cli.language import lang_option
from derivable.cli.table_options import table_options
from derivable.cli.training import Asked, seeds_option, train, training_options

if TYPE_CHECKING:
    from derivable.cli.table_options import TableSource


@click.command("compare", short_help="Train several models on one table, and compare them.")
@table_options
@click.option(
    "--models",
    default="linear,tanh:10,relu:10",
    show_default=True,
    metavar="LIST",
    help="Models separated by commas: linear, tanh:10, silu:32x16, ... (any elementwise Function), "
    "and auto, which rows held out choose.",
)
@lang_option
@training_options
@seeds_option
@click.pass_context
def compare_command(ctx: click.Context, /, source: TableSource, asked: Asked) -> None:
    """Train several models on one table, and compare them.

    The table is FILE (CSV, TSV, Parquet; also .gz) with its --target, or the lab's own. For
    example: derivable compare houses.csv --target price

    The lab's protocol: features standardised over all rows, the first 80% of the rows train and
    the last 20% test, with lr 1e-5 for the linear model and 1e-4 for networks. The sound one, for
    FILE: rows shuffled by the seed, 80% train; features and targets standardised as the training
    rows say, losses reported in the target's own units. Both: weights 0.01 * randn, and full-batch
    gradient descent of --loss, by default the mean squared error.

    Writes settings, metrics.json, history.csv, the weights (safetensors) and the charts (PNG and
    SVG) into a new folder. After an interruption, --resume goes on with it.
    """
    comparison, folder, charts = train(ctx, source, asked)
    from derivable.cli import terminal

    terminal.show_comparison(comparison, folder, charts, as_json=asked.as_json)
