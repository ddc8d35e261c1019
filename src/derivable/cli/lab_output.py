"""What `derivable lab grade` prints."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING

import click

from derivable.labs.grading.similar import groups_of
from derivable.labs.typography import decimal
from derivable.messages import NB, Text

if TYPE_CHECKING:
    from derivable.labs.grading.marked import Class
    from derivable.labs.sheet import Sheet

_LISTED = Text(
    "{count:2} questions, {low} to {high} min", "{count:2} questions, {low} à {high} min"
)
_DONE = Text(
    "copies: {copies}; mean {mean}, median {median} of {most}",
    f"copies{NB}: {{copies}}{NB}; moyenne {{mean}}, médiane {{median}} sur {{most}}",
)
_SERIOUS = Text(
    "copies with a problem: {count} ({names})",
    f"copies avec un problème{NB}: {{count}} ({{names}})",
)
_READ = Text(
    "answers that a person reads: {count}; the marks are without them",
    f"réponses à lire par une personne{NB}: {{count}}{NB}; les notes sont sans elles",
)
_ALIKE = Text(
    "groups of copies that are alike: {count}",
    f"groupes de copies qui se ressemblent{NB}: {{count}}",
)
_PLACES = {
    "index.html": Text("class ", "classe"),
    "marks.csv": Text("marks ", "notes "),
    "copies/": Text("copies", "copies"),
}


def show_sheet(sheet: Sheet, lang: str) -> None:
    """Print a sheet in one line: its name, what it is about, its questions and minutes."""
    low, high = sheet.minutes
    facts = _LISTED.to(lang, count=len(sheet.questions), low=low, high=high)
    click.echo(f"{sheet.name:5} {sheet.title.to(lang):45} {facts}")


def show_class(graded: Class, out: Path, *, as_json: bool) -> None:
    """Print the result of a grading: a few lines, or one JSON document."""
    if as_json:
        print(json.dumps(_document(graded, out), ensure_ascii=False))
        return
    lang, marks = graded.lang, [one.mark for one in graded.marked]
    values = {"mean": mean(marks), "median": median(marks), "most": graded.scale.out_of}
    shown = {name: decimal(value, lang) for name, value in values.items()}
    click.echo(_DONE.to(lang, copies=len(marks), **shown))
    serious = [one.student.name for one in graded.marked if one.serious]
    if serious:
        click.echo(_SERIOUS.to(lang, count=len(serious), names=", ".join(serious)))
    unread = sum(len(one.to_be_read) for one in graded.marked)
    if unread:
        click.echo(_READ.to(lang, count=unread))
    alike = groups_of(graded.pairs)
    if alike:
        click.echo(_ALIKE.to(lang, count=len(alike)))
    for name, what in _PLACES.items():
        click.echo(f"{what.to(lang)}  {out / name}")


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
