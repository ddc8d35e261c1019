"""How long it takes to grade a class of 40 copies of a lab sheet, and whether marks repeat.

The copies are made from the sheet's own solutions and typical mistakes: some right, some with one
to four mistakes, some half done, one blank, one that hangs, one that exits, one that is no
notebook; half of them notebooks, half scripts; in French.

    python benchmarks/grading.py [--copies 40] [--jobs 2] [--sheet tp2] [--into FOLDER] [--quick]
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path

from derivable.labs.grading.driver import Options, grade
from derivable.labs.grading.scale import sheet_scale
from derivable.labs.notebook import Version, notebook
from derivable.labs.sheet import Sheet, load

LANG = "fr"
HANGING = "while True:\n    try:\n        while True: pass\n    except BaseException: pass\n"


def copy_of(sheet: Sheet, mistakes: int, todo: int, draw: random.Random) -> list[str]:
    """The code cells of one copy with so many mistakes and unfinished questions."""
    keys = list(sheet.questions)
    blank = set(keys[len(keys) - todo :])
    wrong = draw.sample([k for k in keys if sheet.questions[k].mistakes], mistakes)
    cells = []
    for cell in sheet.cells:
        if not cell.is_code or cell.lang not in ("", LANG):
            continue
        if cell.question in blank:
            cells.append(cell.given(LANG))
            continue
        text = cell.solved(LANG)
        if cell.question in wrong:
            mistake = draw.choice(sheet.questions[cell.question].mistakes)
            text = text.replace(mistake.right, mistake.wrong, 1)
        cells.append(text)
    return cells


def write_class(sheet: Sheet, folder: Path, count: int) -> None:
    """Write so many copies."""
    draw = random.Random(7)
    for number in range(count):
        cells = copy_of(sheet, draw.choice([0, 1, 1, 2, 3, 4]), draw.choice([0, 0, 0, 2, 5]), draw)
        if number == 3:
            cells = sheet.given(LANG)
        if number == 5:
            cells.insert(4, HANGING)
        if number == 7:
            cells.insert(6, "import os\nos._exit(0)")
        name = f"Nom{number:02} Prénom_{1000 + number}_assignsubmission_file_"
        (folder / name).mkdir(parents=True)
        if number == 9:
            (folder / name / "tp.ipynb").write_bytes(b"\x00\x01 no notebook")
        elif number % 2:
            document = notebook(sheet, Version(LANG))
            document["cells"] = [
                {"cell_type": "code", "metadata": {}, "source": text, "outputs": [],
                 "execution_count": None, "id": f"c{i}"}
                for i, text in enumerate(cells)
            ]  # fmt: skip
            (folder / name / "tp.ipynb").write_text(json.dumps(document))
        else:
            (folder / name / "tp.py").write_text("\n\n".join(cells), encoding="utf-8")


def main() -> None:
    """Print the seconds of two gradings, and of one in which nothing has changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=40)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sheet", default="tp2")
    parser.add_argument("--into", type=Path)
    parser.add_argument("--quick", action="store_true", help="two copies of tp1")
    given = parser.parse_args()
    sheet = load("tp1" if given.quick else given.sheet, LANG)
    count = 2 if given.quick else given.copies
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.into or Path(temporary)
        write_class(sheet, folder / "copies", count)
        print("| grading | copies | seconds |\n|---|---:|---:|")
        marks = []
        for out in ("marks", "again", "again"):
            start = time.perf_counter()
            options = Options(LANG, given.jobs)
            done = grade(folder / "copies", sheet, sheet_scale(sheet), folder / out, options)
            marks.append([one.mark for one in done.marked])
            seconds = time.perf_counter() - start
            print(f"| {out} | {len(done.marked)} | {seconds:.1f} |")
        print("\nthe same marks:", marks[0] == marks[1] == marks[2])
        print("marks:", sorted(marks[0]))


if __name__ == "__main__":
    main()
