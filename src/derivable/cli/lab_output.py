"""What `derivable lab grade` prints."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING

import click

from derivable.cli.messages import say
from derivable.labs.grading.similar import groups_of
from derivable.labs.typography import decimal

if TYPE_CHECKING:
    from derivable.labs.grading.marked import Class
    from derivable.labs.sheet import Sheet

_PLACES = ("index.html", "marks.csv", "copies/")


def show_sheet(sheet: Sheet, lang: str) -> None:
    """Print a sheet in one line: its name, what it is about, its questions and minutes."""
    low, high = sheet.minutes
    gaps = {"name": sheet.name, "title": sheet.title.to(lang), "count": len(sheet.questions)}
    click.echo(say.text("sheet", lang, low=low, high=high, **gaps))


def show_class(graded: Class, out: Path, *, as_json: bool) -> None:
    """Print the result of a grading: a few lines, or one JSON document."""
    if as_json:
        print(json.dumps(_document(graded, out), ensure_ascii=False))
        return
    lang, marks = graded.lang, [one.mark for one in graded.marked]
    values = {"mean": mean(marks), "median": median(marks), "most": graded.scale.out_of}
    shown = {name: decimal(value, lang) for name, value in values.items()}
    click.echo(say.text("graded", lang, copies=len(marks), **shown))
    serious = [one.student.name for one in graded.marked if one.serious]
    if serious:
        click.echo(say.text("serious", lang, found=len(serious), names=serious))
    unread = sum(len(one.to_be_read) for one in graded.marked)
    if unread:
        click.echo(say.text("to_be_read", lang, found=unread))
    alike = groups_of(graded.pairs)
    if alike:
        click.echo(say.text("alike", lang, found=len(alike)))
    for name in _PLACES:
        click.echo(say.text(name, lang, place=out / name))


def _document(graded: Class, out: Path) -> dict[str, object]:
    names = [one.student.name for one in graded.marked]
    return {
        "sheet": graded.sheet.name,
        "out": str(out),
        "out_of": graded.scale.out_of,
        "copies": [
            {
                "student": one.student.name,
                "file": one.file,
                "mark": one.mark,
                "points": one.points,
                "mistakes": {k: f.mistake for k, f in one.feedback.items() if f.mistake},
                "page": str(out / one.page),
            }
            for one in graded.marked
        ],
        "alike": [
            {"copies": [names[place] for place in group.members], "share": group.most}
            for group in groups_of(graded.pairs)
        ],
    }
