"""What `derivable lab grade` prints."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING

import click

from derivable.display.numbers import number
from derivable.labs.text import Text

if TYPE_CHECKING:
    from derivable.labs.grading.marked import Class

_DONE = Text(
    "{copies} copies; mean {mean}, median {median} of {most}",
    "{copies} copies ; moyenne {mean}, médiane {median} sur {most}",
)
_SERIOUS = Text(
    "{count} copies with a problem: {names}", "{count} copies avec un problème : {names}"
)
_READ = Text(
    "{count} answers are to be read by a person; the marks are without them",
    "{count} réponses sont à lire par une personne ; les notes sont sans elles",
)
_ALIKE = Text("{count} pairs of copies are alike", "{count} paires de copies se ressemblent")
_PLACES = (
    ("class  ", "classe ", "index.html"),
    ("marks  ", "notes  ", "marks.csv"),
    ("copies ", "copies ", "copies/"),
)


def show_class(graded: Class, out: Path, *, as_json: bool) -> None:
    """Print the result of a grading: a few lines, or one JSON document."""
    if as_json:
        print(json.dumps(_document(graded, out), ensure_ascii=False))
        return
    lang, marks = graded.lang, [one.mark for one in graded.marked]
    values = {"mean": mean(marks), "median": median(marks), "most": graded.scale.out_of}
    shown = {name: number(round(value, 2), lang) for name, value in values.items()}
    click.echo(_DONE.to(lang, copies=len(marks), **shown))
    serious = [one.student.name for one in graded.marked if one.serious]
    if serious:
        click.echo(_SERIOUS.to(lang, count=len(serious), names=", ".join(serious)))
    unread = sum(len(one.to_be_read) for one in graded.marked)
    if unread:
        click.echo(_READ.to(lang, count=unread))
    if graded.pairs:
        click.echo(_ALIKE.to(lang, count=len(graded.pairs)))
    for english, french, name in _PLACES:
        click.echo(f"{french if lang == 'fr' else english} {out / name}")


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
            {"copies": [names[pair.first], names[pair.second]], "share": pair.share}
            for pair in graded.pairs
        ],
    }
