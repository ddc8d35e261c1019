"""`derivable lab`: sheets to do, to hand out, and to grade."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from derivable.cli.codes import CHECK_FAILED
from derivable.cli.suggesting import SuggestingGroup
from derivable.extras import require
from derivable.language import LANGUAGES, language, speaking

lang_option = click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    envvar="DERIVABLE_LANG",
    help="The language of notebooks, feedback and pages.  [default: DERIVABLE_LANG, else en]",
)


@click.group("lab", cls=SuggestingGroup, short_help="Lab sheets: do them, hand them out, grade.")
def lab_group() -> None:
    """Lab sheets with blanks, checks in the cell, and copies that are graded."""


@lab_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@lang_option
def list_command(as_json: bool, lang: str | None) -> None:
    """The sheets that come along."""
    from derivable.cli.lab_output import show_sheet
    from derivable.labs.sheet import load, names

    spoken = language(lang)
    sheets = [load(name, spoken) for name in names()]
    if as_json:
        found = [
            {"sheet": s.name, "title": s.title.to(spoken), "minutes": list(s.minutes),
             "questions": len(s.questions), "points": s.points}
            for s in sheets
        ]  # fmt: skip
        print(json.dumps(found, ensure_ascii=False))
        return
    for sheet in sheets:
        show_sheet(sheet, spoken)


@lab_group.command("new")
@click.argument("sheet", metavar="SHEET")
@click.option("--out", metavar="FOLDER", help="Where to; a new or empty folder.  [default: SHEET]")
@click.option("--fixes", is_flag=True, help="Checks show a solution after the fourth wrong answer.")
@lang_option
def new_command(sheet: str, out: str | None, fixes: bool, lang: str | None) -> None:
    """Write the notebooks of SHEET: with blanks, with solutions, and a page for the teacher.

    SHEET is one of derivable lab list, or a file of your own; this RUNS THE CODE of that file.
    """
    _require()
    from derivable.labs.folder import write_folder
    from derivable.labs.sheet import load

    with speaking(lang):
        loaded = load(sheet, language(lang))
        files = write_folder(loaded, language(lang), Path(out or loaded.name), fixes=fixes)
        for file in files:
            click.echo(str(file))


@lab_group.command("try")
@click.argument("sheet", metavar="SHEET")
@lang_option
def try_command(sheet: str, lang: str | None) -> int:
    """Try SHEET before students see it: its solutions, its blanks and its typical mistakes.

    The exit code is 1 where a check answers otherwise than the sheet expects.
    """
    _require()
    from derivable.labs.rehearsal import problems_of
    from derivable.labs.sheet import load

    with speaking(lang):
        loaded = load(sheet, language(lang))
        problems = list(problems_of(loaded, language(lang), show=click.echo))
    for problem in problems:
        click.echo(problem, err=True)
    return CHECK_FAILED if problems else 0


@lab_group.command("grade")
@click.argument("copies", metavar="COPIES", type=click.Path(path_type=Path))
@click.option("--sheet", required=True, metavar="SHEET", help="The sheet, by its name or file.")
@click.option("--scale", metavar="FILE", help="The scale as TOML.  [default: the sheet's own]")
@click.option(
    "--out", default="marks", show_default=True, metavar="FOLDER", help="Where marks and pages go."
)
@click.option(
    "--jobs", type=click.IntRange(0), default=0, metavar="N",
    help="Copies that run at the same time.  [default: the number of processors]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--quiet", is_flag=True, help="No progress; only the result.")
@lang_option
def grade_command(copies: Path, sheet: str, scale: str | None, out: str, **options: Any) -> None:
    """Grade COPIES: a folder, the ZIP that Moodle hands out, or one notebook or .py file.

    This RUNS THE CODE OF THE COPIES, each in a process of its own, with limits of time, memory,
    file size and output, in a temporary folder, without your environment. It is no sandbox: where
    you do not trust the copies, grade in a container without a network.

    FOLDER then has index.html (the class at a glance), copies/ (a page for each), and marks.csv
    with Moodle's columns. Grading again gives the same marks; an interrupted one goes on.
    """
    _require()
    from derivable.cli.interrupts import Interrupts
    from derivable.cli.lab_output import show_class
    from derivable.labs.grading.driver import Options, grade
    from derivable.labs.grading.scale import read_scale, sheet_scale
    from derivable.labs.sheet import load
    from derivable.labs.tables import substitute_note

    lang = language(options["lang"])
    with speaking(lang):
        loaded = load(sheet, lang)
        note = substitute_note(loaded.text)
        if note:
            click.echo(note, err=True)
        points = sheet_scale(loaded) if scale is None else read_scale(Path(scale), loaded)
        how = Options(lang, options["jobs"], visible=not options["quiet"])
        with Interrupts(options["as_json"]).heard():  # SIGTERM, too, ends what copies run
            graded = grade(copies, loaded, points, Path(out), how)
        show_class(graded, Path(out), as_json=options["as_json"])


def _require() -> None:
    """The sheets that come along draw, and use tables of scikit-learn."""
    require("derivable lab", "matplotlib", "sklearn")
