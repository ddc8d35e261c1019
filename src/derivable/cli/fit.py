"""`derivable fit`: one model, and its files for elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from derivable.cli.language import lang_option
from derivable.cli.messages import say
from derivable.cli.table_options import table_options
from derivable.cli.training import Asked, train, training_options

if TYPE_CHECKING:
    from derivable.cli.table_options import TableSource


@click.command("fit", short_help="Train one model on a table, and export it.")
@table_options
@click.option(
    "--model",
    "models",
    default="auto",
    show_default=True,
    metavar="MODEL",
    help="auto, which rows held out choose: a linear model, networks or a mixture; or linear, "
    "tanh:10, silu:32x16, ... (any elementwise Function), which takes --steps.",
)
@click.option(
    "--export",
    multiple=True,
    metavar="FILE",
    help="Write the model to FILE.safetensors (for predict), FILE.py (plain PyTorch) or "
    "FILE.onnx; may be given several times.",
)
@lang_option
@training_options
@click.pass_context
def fit_command(
    ctx: click.Context, /, source: TableSource, asked: Asked, export: tuple[str, ...]
) -> None:
    """Train one model on a table, and export it.

    For example: derivable fit houses.csv --target price --export model.safetensors
    """
    from pathlib import Path

    from derivable.cli import terminal
    from derivable.errors import SettingError
    from derivable.protocol import parse_models
    from derivable.run.export import check_export
    from derivable.run.export import export as write
    from derivable.run.folder import saved_model

    chosen = parse_models(asked.models)
    if len(chosen) > 1:
        raise SettingError(say("one_model", models=asked.models))
    for file in export:
        check_export(Path(file))
    comparison, folder, charts = train(ctx, source, asked)
    for file in export:
        write(saved_model(folder, chosen[0]), file)
    terminal.show_comparison(comparison, folder, charts, as_json=asked.as_json)
    if not asked.as_json:
        for file in export:
            click.echo(say("model_file", file=file))
