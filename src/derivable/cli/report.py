"""`derivable report`: what there is to look at of a run, written again."""

from __future__ import annotations

import click

from derivable.extras import require
from derivable.language import LANGUAGES


@click.command("report", short_help="Write the page, the charts and figures of a run again.")
@click.argument("run", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    help="The language of the page and its charts.  [default: DERIVABLE_LANG, else en]",
)
def report_command(run: str, as_json: bool, lang: str | None) -> None:
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
        terminal.show_note(
            f"{missing} more of its models {'is' if missing == 1 else 'are'} not finished."
        )
    charts = write_run(comparison, folder, settings, lang)
    terminal.show_comparison(comparison, folder, charts, as_json=as_json)
