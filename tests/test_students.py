"""Whole files as students write them: what can run is examined, without a word about inputs."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from derivable.examiner.capture import sources
from derivable.examiner.capture.discover import Discovery, Settings, discover
from derivable.examiner.messages import say
from derivable.examiner.outcome import examined
from tests.conftest import ROOT, Command

STUDENTS = ROOT / "tests" / "students"
SETTINGS = Settings(seconds=20, main=True)
ENCODED = {"cp1252": "cp1252", "sans_cookie": "cp1252", "bom": "utf-8-sig"}

# What each file defines or calls, with the verdict; `inconclusive` is what is still to be written.
FILES: dict[str, dict[str, str]] = {
    "modele": {"MSE": "right", "Linear": "wrong"},
    "verifie": {"Tanh": "wrong", "ReLU": "right"},
    "entrainement": {"Carre": "right", "Cube": "right"},
    "donnees": {"Huber": "wrong"},
    "boucle": {"Affine": "right", "Loss": "wrong"},
    "simple": {"Sigmoid": "right", "Produit": "wrong"},
    "inacheve": {"Softmax": "inconclusive", "Exp": "right"},
    "tp_notebook": {"Lineaire": "right", "Norme": "right"},
    "cp1252": {"Carré": "wrong"},
    "sans_cookie": {"Élevé": "right"},
    "bom": {"Marqué": "wrong"},
    "principal": {"Softplus": "right"},
    "questions": {"Double": "right"},
    "imbriquees": {"Fonctions.Moitie": "right", "Puissance": "wrong"},
    "syntaxe": {"Abs": "right"},
    "gradchecks": {"Inverse": "wrong", "Log": "right"},
    "decoupe": {"Gauss": "right"},
    "objets": {"Couche": "wrong", "Tanh": "right"},
    "classes_cross_entropy": {"CrossEntropy": "right", "Dropout": "wrong"},
}  # fmt: skip

# One line for each part that did not run.
STOPPED = {
    "entrainement": [
        "entrainement.py:4: the module torch.utils.tensorboard_missing is missing; the rest was",
        "entrainement.py:22: MissingModuleError: the module datamaestro is not installed; what ran",
    ],
    "donnees": ["donnees.py:24: FileNotFoundError: housing.csv not found.; what ran before"],
    "inacheve": ["inacheve.py:32: AttributeError: 'NoneType' object has no attribute 'shape'; "],
    "tp_notebook": ["tp_notebook.ipynb cell 3:2: NameError: name 'load_the_data' is not defined; "
                    "the other cells were run"],
    "sans_cookie": ["sans_cookie.py declares no encoding and is no UTF-8: read as cp1252"],
    "syntaxe": ["syntaxe.py:21: SyntaxError: expected ':': def forward(ctx, x); what ran before"],
    "gradchecks": ["gradchecks.py:32: gradcheck fails; the rest was run"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_junk() -> Iterator[None]:
    """Running a user's file leaves paths, arguments and working directory as they were."""
    before = list(sys.path), list(sys.argv), Path.cwd()
    yield
    assert (sys.path, sys.argv, Path.cwd()) == before


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, in which the files are placed."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def location(name: str, folder: Path) -> Path:
    """Copy a file there, as its author has it: its encoding, or as a notebook."""
    text = (STUDENTS / f"{name}.txt").read_text("utf-8")
    if name == "tp_notebook":
        path = folder / f"{name}.ipynb"
        sources = [cell.splitlines(keepends=True) for cell in text.split("# %%\n")[1:]]
        cells = [{"cell_type": "markdown", "source": ["# TP 1\n"]}]
        cells += [{"cell_type": "code", "source": source} for source in sources]
        path.write_text(json.dumps({"cells": cells, "nbformat": 4}), "utf-8")
        return path
    path = folder / f"{name}.py"
    path.write_bytes(text.encode(ENCODED.get(name, "utf-8")))
    return path


def run(name: str, folder: Path, settings: Settings = SETTINGS) -> Discovery:
    if name == "verifie":
        location("fonctions", folder)
    return discover(location(name, folder).name, settings)


@pytest.mark.parametrize("name", FILES)
def test_what_runs_is_examined_and_what_stops_it_is_said_in_one_line(
    name: str, folder: Path
) -> None:
    discovery = run(name, folder)
    outcomes = {one.name: examined(one) for one in discovery.found}
    verdicts = {one: outcome.verdict for one, outcome in outcomes.items()}
    assert "not_examined" not in verdicts.values()
    assert verdicts == FILES[name], {n: o.reason for n, o in outcomes.items()}
    notes = [say(note, "en") for note in discovery.notes]
    for note, stopped in zip(notes, STOPPED.get(name, []), strict=True):
        assert note.startswith(stopped)
    assert discovery.problems == ()


def test_an_infinite_loop_is_stopped_and_what_follows_is_defined(folder: Path) -> None:
    discovery = run("infini", folder, Settings(seconds=1, main=True))
    (note,) = [say(note, "en") for note in discovery.notes]
    assert note.startswith("infini.py was stopped after 1 s, at infini.py:")
    verdicts = {one.name: examined(one).verdict for one in discovery.found}
    assert verdicts == {"Sinus": "wrong", "Cosinus": "right"}


def test_setup_only_stops_at_the_first_long_loop(folder: Path) -> None:
    discovery = run("infini", folder, Settings(setup_only=True, main=True))
    (note,) = [say(note, "fr") for note in discovery.notes]
    assert note.startswith("infini.py a été arrêté dans sa première longue boucle, à infini.py:")
    assert discovery.found[0].calls is not None


def test_two_students_with_the_same_names_are_kept_apart(command: Command, tmp_path: Path) -> None:
    for who, factor in (("ada", 2), ("emmy", 3)):
        (tmp_path / who).mkdir()
        (tmp_path / who / "outils.py").write_text(f"FACTEUR = {factor}\n")
        location(f"couches_{who}", tmp_path).rename(tmp_path / who / "couches.py")
    done = command("check", "ada/couches.py", "emmy/couches.py")
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("ada/couches.py:Linear   right ")
    assert lines[1].startswith("emmy/couches.py:Linear  wrong ")


def test_the_command_says_what_stopped_and_where_the_inputs_are_from(
    command: Command, tmp_path: Path
) -> None:
    location("donnees", tmp_path)
    done = command("check", "donnees.py", "--lang", "fr")
    assert done.returncode == 1, done.stderr
    shown = done.stdout.replace("\N{NO-BREAK SPACE}", " ")
    first, blank, line, *rest = shown.splitlines()
    assert first.startswith("donnees.py:24 : FileNotFoundError: housing.csv not found.")
    assert first.endswith("ce qui précède cette ligne est examiné")
    assert blank == ""
    assert line.startswith("Huber  faux ")
    assert "  entrées : l'appel à donnees.py:20" in rest


def test_arguments_and_a_module_that_is_run(command: Command, tmp_path: Path) -> None:
    package = tmp_path / "paquet"
    package.mkdir()
    (package / "__init__.py").write_text("")
    location("principal", package)
    (package / "__main__.py").write_text(
        "from paquet import principal\nprincipal.main()\nprint('end')\n"
    )
    done = command("check", "-m", "paquet", "--", "--epochs", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Softplus  right ")
    assert "end" in done.stderr
    assert "end" not in done.stdout
    done = command("check", "-m", "paquet.principal", "--json", "--", "--epochs", "x")
    document = json.loads(done.stdout)
    assert document["exit_code"] == 0, "it is defined, and examined at inputs that are found"
    assert "the program ended itself with 2" in document["notes"][0]


def test_a_script_with_an_error_of_syntax_goes_on_at_the_next_statement(tmp_path: Path) -> None:
    path = tmp_path / "copy.py"
    path.write_text("a = 1\ndef f(x):\n    return (x + 1\n\nclass B:\n    pass\n\nc = = 3\nd = 4\n")
    pieces = sources.resumed(path)
    names = [ast.unparse(one).split()[0 if "=" in ast.unparse(one) else 1].strip(":")
             for piece in pieces for one in piece.statements]  # fmt: skip
    assert names == ["a", "B", "d"]
    assert [piece.error is not None for piece in pieces] == [True, True, False]
    assert pieces[1].statements[0].lineno == 5
