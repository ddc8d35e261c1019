"""The folder that a teacher gets: notebooks, a page, and the scale."""

from __future__ import annotations

import json
from pathlib import Path

from derivable.errors import SettingError
from derivable.files import write_whole
from derivable.labs.grading.scale import write_scale
from derivable.labs.notebook import Version, notebook
from derivable.labs.refusals import refusal
from derivable.labs.rehearsal import Rehearsal
from derivable.labs.sheet import SHEETS, Sheet
from derivable.labs.source import without_solutions
from derivable.labs.tables import small_table
from derivable.labs.teacher import Seen, teacher_page
from derivable.messages import Text

_SOLUTIONS = Text("{name}-solutions.ipynb", "{name}-corrige.ipynb")
_PAGE = Text("teacher.html", "enseignant.html")
_SCALE = Text("scale.toml", "bareme.toml")


def write_folder(sheet: Sheet, lang: str, out: Path, *, fixes: bool = False) -> list[Path]:
    """Write the students' notebook, the teacher's, the scale and the teacher's page; the files.

    Runs the solutions and the typical mistakes of the sheet, whose feedback is on the page. Raises
    SettingError if `out` already has files, or if a cell of the sheet fails.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SettingError(refusal("full", out=out))
    seen = mistakes_of(sheet, lang)
    out.mkdir(parents=True, exist_ok=True)
    student, solutions = f"{sheet.name}.ipynb", _SOLUTIONS.to(lang, name=sheet.name)
    files = {student: "student", solutions: "solutions", _SCALE.to(lang): "scale"}
    _write(out / student, notebook(sheet, Version(lang, fixes=fixes)))
    _write(out / solutions, notebook(sheet, Version(lang, solutions=True)))
    write_scale(sheet, out / _SCALE.to(lang), lang)
    if sheet.path.parent != SHEETS:
        text = sheet.text if fixes else without_solutions(sheet.text)
        write_whole(out / sheet.path.name, text)
        files[sheet.path.name] = "own"
    page = _PAGE.to(lang)
    write_whole(out / page, teacher_page(sheet, lang, files, seen))
    return [out / name for name in (*files, page)]


def mistakes_of(sheet: Sheet, lang: str) -> dict[str, list[Seen]]:
    """The feedback on each typical mistake, by question; runs the solutions and the mistakes."""
    rehearsal = Rehearsal(sheet, lang)
    seen: dict[str, list[Seen]] = {}
    with small_table():
        rehearsal.run()
        for question, mistake, feedback in rehearsal.mistakes():
            seen.setdefault(question.key, []).append(Seen(mistake.what.to(lang), feedback))
    return seen


def _write(path: Path, document: dict[str, object]) -> None:
    write_whole(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
