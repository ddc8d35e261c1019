"""`derivable report`: the report and charts of a run, written again."""

from __future__ import annotations

import click

from derivable.cli.language import lang_option
from derivable.cli.messages import say
from derivable.extras import require


@click.command("report", short_help="Write the page, the charts and figures of a run again.")
@click.argument("run", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
@lang_option
def report_command(run: str, as_json: bool) -> None:
    """Write the page, the charts and the figures of the folder RUN again, from what is kept in it.

    A run that is not finished shows the models that are.
    """
    require("derivable report", "matplotlib", "safetensors")
    from pathlib import Path

    from derivable.cli import terminal
    from derivable.report.run_folder import write_run
    from derivable.run.folder import load_run, load_settings, models_of

    folder = Path(run)
    comparison = load_run(folder)
    settings = load_settings(folder)
    missing = len(models_of(settings)) - len(comparison.results)
    if missing:
        terminal.show_note(say("unfinished", n=missing))
    charts = write_run(comparison, folder, settings)
    terminal.show_comparison(comparison, folder, charts, as_json=as_json)
