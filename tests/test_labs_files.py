"""The file of a sheet, the notebooks made from it, and the command."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from derivable import labs
from derivable.errors import SettingError
from derivable.labs import folder
from derivable.labs.folder import write_folder
from derivable.labs.notebook import Version, notebook
from derivable.labs.rehearsal import problems_of
from derivable.labs.sheet import Sheet, load
from derivable.labs.source import Kind, cells_of
from derivable.language import LANGUAGES
from tests.conftest import ROOT
from tests.labs import LINEAR, NAMES

OWN = """
# %% [sheet]
from derivable.labs import CallQuestion, Case, Mistake, Sheet, Text

sheet = Sheet(title=Text("Squares", "Carrés"), minutes=(5, 10))

# %% [markdown] lang="en"
# # Squares
# %% [markdown] lang="fr"
# # Carrés

# %% question="square"
def square(x):
    # BEGIN SOLUTION
    return x * x
    # END SOLUTION

# %% [sheet]
sheet.add(CallQuestion(
    key="square", title=Text("The square", "Le carré"), answers=("square",), points=20,
    reference=lambda x: x ** 2,
    cases=(Case("any", Text("any numbers", "des nombres"), lambda draw: (draw.normal(3),)),),
    mistakes=(Mistake("x * x", "2 * x", "any.values", Text("twice", "le double")),),
))

# %% [show]
print(square(3))  # en
print("carré", square(3))  # fr
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(OWN, encoding="utf-8")
    return path


def test_a_sheet_of_ones_own_is_one_file(own: Path, tmp_path: Path) -> None:
    sheet = load(str(own), "fr")
    assert list(problems_of(sheet, "fr", show=lambda text: None)) == []
    files = write_folder(sheet, "fr", tmp_path / "out")
    assert [file.name for file in files] == [
        "mine.ipynb", "mine-corrige.ipynb", "bareme.toml", "mine.py", "enseignant.html",
    ]  # fmt: skip
    student = json.loads(files[0].read_text("utf-8"))
    sources = ["".join(cell["source"]) for cell in student["cells"]]
    assert sources[0] == "# Carrés"
    assert 'load("mine.py", lang="fr")' in sources[1]
    assert sources[2] == "def square(x):\n    ...  # à faire"
    assert sources[3] == 'mine.check("square", square)'
    assert sources[4] == 'print("carré", square(3))'


TEXT = """
# %% question="reason"
reason = "Because it is so."
# %% [sheet]
from derivable.labs import TextQuestion
sheet.add(TextQuestion(
    key="reason", title=Text("The reason", "La raison"), answers=("reason",), points=1,
    expected=Text("a square is <not> negative", "un carré n'est pas négatif"),
))
"""


def test_the_folder_of_a_sheet_that_comes_along(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = re.sub(r"    mistakes=.*\n", "", OWN) + TEXT
    own.write_text(text, encoding="utf-8")
    monkeypatch.setattr(folder, "SHEETS", own.parent)
    files = write_folder(load(str(own)), "en", tmp_path / "out")
    assert [file.name for file in files] == [  # its own file is in the package
        "mine.ipynb", "mine-solutions.ipynb", "scale.toml", "teacher.html",
    ]  # fmt: skip
    page = files[-1].read_text("utf-8")
    assert "<h3>The square</h3>" not in page  # it has no typical mistake
    assert "<h3>The reason</h3>" in page
    assert "a square is &lt;not&gt; negative" in page


def test_the_sheet_in_the_documents_is_one(tmp_path: Path) -> None:
    text = (ROOT / "docs/labs.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    (tmp_path / "squares.py").write_text(code, encoding="utf-8")
    for lang in LANGUAGES:
        sheet = load(str(tmp_path / "squares.py"), lang)
        assert list(problems_of(sheet, lang, show=lambda text: None)) == []


def test_a_folder_with_files_is_not_overwritten(own: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.tex").write_text("years of work")
    with pytest.raises(SettingError, match="already has files"):
        write_folder(load(str(own)), "en", tmp_path / "full")
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('question="square"', 'question="cube"', "no question 'cube'"),
        ("# END SOLUTION", "# END", "needs one # END SOLUTION"),
        ('lang="fr"', 'lang="de"', "lang is"),
        ("# %% [show]", "# %% [shown]", "a cell begins with"),
        ("minutes=(5, 10)", "minutes=(5, 10", "cannot be loaded: .*mine.py:"),
        ("sheet.add(", "sheet.ad(", "cannot be loaded: .*mine.py:"),
        ("sheet.add(", "raise SystemExit(3)\nsheet.add(", "cannot be loaded: .*SystemExit: 3"),
        ('lang="fr"', "lang='fr'", "a cell begins with"),
        ('Text("Squares", "Carrés")', '"Squares"', "title must be Text"),
        ('Text("The square", "Le carré")', '"The square"', "'square': title must be Text"),
        ('answers=("square",)', 'answers=("square")', "answers must be a tuple of names"),
        ('# %% question="square"', "# %%", 'no cell has question="square"'),
        ('="square"', '="2nd"', "'2nd': its key must be a Python name"),
        ("sheet.add(", "for _ in 'ab': sheet.add(", "the question 'square' is there twice"),
        ("points=20", "points=-1", "points must be a number from 0, got -1"),
        ("points=20", "points=0", "points of all questions together must be above 0"),
        (
            "def square(x):\n    # BEGIN SOLUTION\n    return x * x\n    # END",
            "# BEGIN SOLUTION\nsquare = (\n# END",
            "there must be whole statements: '\\(' was never closed",
        ),
    ],
)
def test_what_is_no_sheet_is_refused_with_its_line(
    own: Path, old: str, new: str, message: str
) -> None:
    assert old in OWN
    own.write_text(OWN.replace(old, new), encoding="utf-8")
    with pytest.raises(SettingError, match=message):
        load(str(own))


def denied(*arguments: Any, **options: Any) -> str:
    raise PermissionError(13, "Permission denied")


def test_files_that_cannot_be_read_or_named_are_refused(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "latin.py").write_bytes(OWN.encode("latin-1"))
    (tmp_path / "my sheet.py").write_text(OWN, encoding="utf-8")
    for name, message in (
        (str(tmp_path / "latin.py"), "no text in UTF-8"),
        (str(tmp_path / "my sheet.py"), "must be a Python name"),
        ("../sheet", "there is no sheet"),
    ):
        with pytest.raises(SettingError, match=message):
            load(name)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_text", denied)
        with pytest.raises(SettingError, match=r"mine.py: .*denied"):
            load(own)
    (tmp_path / "bom.py").write_text(OWN.lstrip(), encoding="utf-8-sig")
    assert list(load(tmp_path / "bom.py").questions) == ["square"]


def test_a_function_within_the_marks_is_a_blank_of_its_name(own: Path) -> None:
    text = OWN.replace("def square(x):\n    # BEGIN SOLUTION", "# BEGIN SOLUTION\ndef square(x):")
    own.write_text(text.replace("    # END SOLUTION", "# END SOLUTION"), encoding="utf-8")
    assert load(own).given("en")[0] == "square = ...  # to be done"


def test_a_file_without_a_sheet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.py"
    path.write_text("# %% [sheet]\nx = 1\n")
    with pytest.raises(SettingError, match="must define sheet"):
        load(str(path))


def test_an_unknown_sheet_is_refused_with_those_that_are_there() -> None:
    with pytest.raises(SettingError, match="the sheets are tp1, tp2"):
        load("tp9")
    with pytest.raises(AttributeError, match="tp9"):
        _ = labs.tp9


def test_problems_of_a_sheet_are_listed(own: Path) -> None:
    own.write_text(OWN.replace("return x * x", "return x * x * x"), encoding="utf-8")
    problems = list(problems_of(load(str(own)), "en", show=lambda text: None))
    assert any("the solution is not right" in problem for problem in problems)
    own.write_text(re.sub("    # (BEGIN|END) SOLUTION\n", "", OWN), encoding="utf-8")
    problems = list(problems_of(load(str(own)), "en", show=lambda text: None))
    assert problems == ["square: the blank is not to be done, but right: square: right."]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'Mistake("x * x"',
            'Mistake("x ** 2"',
            r"mine.py: the solution of 'square' has no 'x \*\*",
        ),
        ("print(square(3))", "print(square(3) / 0)", r"mine.py:\d+: this cell fails: ZeroDivision"),
    ],
)
def test_a_sheet_that_cannot_be_rehearsed_is_refused(
    own: Path, old: str, new: str, message: str
) -> None:
    own.write_text(OWN.replace(old, new), encoding="utf-8")
    with pytest.raises(SettingError, match=message):
        list(problems_of(load(str(own)), "en", show=lambda text: None))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_notebooks_are_in_one_language_and_give_nothing_away(name: str, lang: str) -> None:
    sheet = load(name, lang)
    student = notebook(sheet, Version(lang))
    texts = ["".join(cell["source"]) for cell in student["cells"]]
    whole = "\n".join(texts)
    assert "SOLUTION" not in whole
    assert not re.search(r"# (en|fr)$", whole, re.M)
    for key in sheet.questions:
        assert sheet.solution(key, lang) not in whole
    ids = [cell["id"] for cell in student["cells"]]
    assert len(set(ids)) == len(ids)
    other = notebook(sheet, Version("en" if lang == "fr" else "fr"))
    assert len(other["cells"]) == len(student["cells"])


@pytest.mark.parametrize("name", NAMES)
def test_the_teachers_notebook_has_the_marks_of_nbgrader_and_otter(name: str) -> None:
    sheet = load(name)
    cells = notebook(sheet, Version("en", solutions=True))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    assert text.count("# BEGIN SOLUTION") == text.count("# END SOLUTION") > 0
    marks = [cell["metadata"]["nbgrader"] for cell in cells if "nbgrader" in cell["metadata"]]
    points = sum(mark.get("points", 0) for mark in marks if mark["grade"])
    assert points == pytest.approx(sheet.points)
    ids = [mark["grade_id"] for mark in marks if mark["grade"]]
    assert len(set(ids)) == len(ids)


def test_the_given_code_is_in_one_place_in_both_languages() -> None:
    cells = cells_of(OWN, "mine.py")
    assert [cell.kind for cell in cells] == [
        Kind.SHEET, Kind.TEXT, Kind.TEXT, Kind.CODE, Kind.SHEET, Kind.SHOW,
    ]  # fmt: skip
    assert cells[3].solution("en") == "return x * x"
    assert cells[3].solved("en") == "def square(x):\n    return x * x\n"[:-1]


def run_notebook(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The notebook after a real kernel has executed it, every cell without an error."""
    import nbformat
    from nbclient import NotebookClient

    node = nbformat.reads(json.dumps(document), 4)  # type: ignore[no-untyped-call]  # nbformat has no types
    nbformat.validate(node)
    client = NotebookClient(node, timeout=300, resources={"metadata": {"path": str(folder)}})
    executed: dict[str, Any] = client.execute()
    return executed


def outputs(document: dict[str, Any]) -> Iterator[str]:
    for cell in document["cells"]:
        for output in cell.get("outputs", ()):
            assert output["output_type"] != "error", output
            yield str(output.get("text", "") or output.get("data", {}).get("text/plain", ""))


def test_a_students_hour_in_a_real_kernel(tmp_path: Path) -> None:
    sheet = load("tp2", "fr")
    cells = list(notebook(sheet, Version("fr"))["cells"])
    cut = next(i for i, cell in enumerate(cells) if "## 5." in "".join(cell["source"]))
    document = {**notebook(sheet, Version("fr")), "cells": cells[:cut]}
    text = "\n".join(outputs(run_notebook(document, tmp_path)))
    assert text.count("à faire") == 7
    wrong = linear_source("grad_output.sum(0)", "grad_output")
    right = linear_source()
    tries = [source_cell(wrong), check_cell(), check_cell(), source_cell(right), check_cell()]
    document["cells"] = [*cells[:cut], *tries]
    text = "\n".join(outputs(run_notebook(document, tmp_path)))
    assert "il manque la somme sur une dimension diffusée" in text
    assert "Indice" in text
    assert "✓ Linear\u00a0: juste." in text


def linear_source(old: str = "", new: str = "") -> str:
    return LINEAR.replace(old, new) if old else LINEAR


NUMBERS = count(1)  # of cells that are tried


def source_cell(text: str) -> dict[str, Any]:
    return {
        "cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [],
        "source": text, "id": f"try-{next(NUMBERS)}",
    }  # fmt: skip


def check_cell() -> dict[str, Any]:
    return source_cell('tp2.check("linear", Linear)')


# the command


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The exit code of `derivable lab ...`, and what it has printed."""
    from derivable.cli.main import main

    with pytest.raises(SystemExit) as ended:
        main(["lab", *words])
    code = ended.value.code
    printed = capsys.readouterr()
    return int(code or 0), printed.out + printed.err


def test_the_command_lists_makes_and_tries_sheets(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = run(capsys, "list", "--lang", "fr")
    assert code == 0
    assert "Fonctions dérivables" in text
    assert "15 questions, 90 à 120 min" in text
    _, text = run(capsys, "list", "--lang", "en")
    assert "15 questions, 90 to 120 min" in text
    code, text = run(capsys, "new", str(own), "--out", str(tmp_path / "made"))
    assert code == 0
    assert (tmp_path / "made/mine.ipynb").is_file()
    code, _ = run(capsys, "new", str(own), "--out", str(tmp_path / "made"))
    assert code == 2
    code, text = run(capsys, "try", str(own))
    assert code == 0
    assert "✓ square: right." in text
    code, _ = run(capsys, "new", "tp9")
    assert code == 2


def test_a_sheet_is_a_dataclass_that_knows_its_points() -> None:
    sheet = Sheet(title=labs.Text("a", "b"), minutes=(1, 2))
    assert sheet.points == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("new", "tp9"), "il n'existe pas de feuille 'tp9'"),
        (("try", "{own}"), "ne peut pas être chargée"),
        (("new", "tp1", "--out", "{folder}"), "contient déjà des fichiers"),
        (("grade", "nowhere", "--sheet", "tp1"), "nowhere n'existe pas"),
        (("grade", "{folder}/none", "--sheet", "tp1"), "aucune copie dans"),
        (("grade", "{own}", "--sheet", "tp1", "--scale", "{own}"), "n'est pas un fichier TOML"),
    ],
)
def test_errors_of_the_command_are_in_its_language(
    own: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    message: str,
) -> None:
    own.write_text(OWN.replace("sheet.add(", "sheet.ad("), encoding="utf-8")
    (tmp_path / "none").mkdir()
    named = [word.format(own=own, folder=tmp_path) for word in words]
    out = ["--out", str(tmp_path / "out")] if words[0] == "grade" else []
    code, text = run(capsys, *named, *out, "--lang", "fr")
    assert code in (2, 3)
    assert message in text
    _, text = run(capsys, *named, *out, "--lang", "en")
    assert message not in text


def test_a_sheet_that_is_loaded_in_french_is_refused_in_french() -> None:
    with pytest.raises(SettingError, match="il n'existe pas de feuille"):
        load("tp9", "fr")
