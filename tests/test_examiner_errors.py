"""The errors of the examiner: from the table of messages, and in the language that is set."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Formatter

import pytest
import torch

import derivable
from derivable import Linear
from derivable.cli.main import main
from derivable.errors import DerivableError, InputError, SettingError
from derivable.examiner.inputs.declared import parse_surrogate
from derivable.examiner.inputs.text import bind, parse_inputs
from derivable.examiner.messages import MESSAGES, error_of
from derivable.examiner.settings import Settings, level_of
from derivable.language import language, speaking
from tests.conftest import ROOT

SOURCE = ROOT / "src" / "derivable"
SOURCES = [
    *sorted((SOURCE / "examiner").rglob("*.py")),
    *sorted((SOURCE / "cli").glob("check*.py")),
    *sorted((SOURCE / "pytest_plugin").rglob("*.py")),
]
# Errors with a literal text: (file, how many, why no user reads them).
LITERAL = {
    "examiner/targets/target.py": (5, "methods of a base class that a subclass replaces; a "
                                      "complex step is then not taken"),
    "examiner/capture/by_hand.py": (1, "ends the second order of a class that is run by hand"),
    "examiner/capture/calls.py": (1, "caught by the recording, which then keeps no inputs"),
    "examiner/inputs/found_literals.py": (6, "caught where a literal is read from source code"),
}  # fmt: skip


def literals(tree: ast.AST) -> Iterator[int]:
    """The lines at which an error, or an outcome of pytest, is made with a text of its own."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        if name.endswith("Error") or name in ("pytest.fail", "pytest.skip", "pytest.xfail"):
            texts = [
                part.value
                for argument in node.args
                for part in ast.walk(argument)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
                if isinstance(argument, ast.Constant | ast.JoinedStr | ast.BinOp)
            ]
            if any(letter.isalpha() for text in texts for letter in text):
                yield node.lineno


def test_the_search_for_literal_texts_finds_them() -> None:
    text = "raise InputError(f'{x} is wrong')\nraise SettingError(say(m))\npytest.skip('no')\n"
    assert list(literals(ast.parse(text + "TargetError(f'{a}: {b}')\nerror_of(E, 'error.x')"))) == [
        1,
        3,
    ]


def test_no_error_has_a_text_outside_of_the_messages() -> None:
    found = {
        str(path.relative_to(SOURCE)): lines
        for path in SOURCES
        if (lines := list(literals(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert {name: len(lines) for name, lines in found.items()} == {
        name: count for name, (count, _) in LITERAL.items()
    }, found


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def given(tree: ast.AST) -> Iterator[tuple[int, str, set[str]]]:
    """The line, the key and the fields of each error and each Message with a literal key."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name, fields = ast.unparse(node.func), {k.arg for k in node.keywords if k.arg}
        if name not in ("error_of", "_text", "Message"):
            continue
        key, *more = node.args[name == "error_of" :]
        if not isinstance(key, ast.Constant):
            continue
        if name == "Message" and more:
            if not isinstance(more[0], ast.Dict) or None in more[0].keys:
                continue
            fields = {ast.literal_eval(k) for k in more[0].keys if k}
        yield node.lineno, f"{'plugin.' * (name == '_text')}{key.value!s}", fields


def test_each_message_is_given_the_fields_of_its_text() -> None:
    keys = set()
    for path in SOURCES:
        for line, key, fields in given(ast.parse(path.read_text(encoding="utf-8"))):
            assert gaps(MESSAGES[key].en) <= fields, f"{path.name}:{line}"
            keys.add(key)
    errors = {key for key in MESSAGES if key.partition(".")[0] in ("error", "plugin")}
    unseen = {key for key in errors - keys if not key.endswith("_one")}
    assert unseen == {"error.the_reference", "error.surrogate_of"}, "their keys are variables"


# In French: through Python, by DERIVABLE_LANG.


def ordinary(text: str) -> str:
    """A French text with ordinary spaces in the place of those that do not break."""
    return text.replace("\u00a0", " ")


def of_a_sparse_output(x: torch.Tensor) -> torch.Tensor:
    return x.to_sparse()


def refuses(x: torch.Tensor) -> torch.Tensor:
    raise ValueError("never")


X = torch.ones(3, dtype=torch.float64)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: derivable.check(abs, 3), "abs : aucune entrée n'est un tenseur à virgule"),
        (lambda: derivable.check(3), "check examine une Function, un objet appelable ou un module"),
        (lambda: derivable.check(refuses, X), "refuses.forward lève ValueError pour les entrées"),
        (lambda: derivable.check(refuses), "aucune entrée trouvée pour laquelle refuses s'exécute"),
        (lambda: derivable.check(of_a_sparse_output, X), "renvoie un tenseur au format sparse_coo"),
        (
            lambda: derivable.check(torch.sin, X, surrogate_of=refuses),
            "surrogate_of lève ValueError pour les entrées de sin : never ; les entrées doivent",
        ),
        (
            lambda: derivable.check(refuses, X, contracts={"x": "crooked"}),
            "contrat de x : 'crooked' ; valeurs possibles : ",
        ),
        (lambda: level_of("high"), "level doit être l'une des valeurs lab, "),
        (lambda: Settings(budget=0), "budget doit être un nombre d'appels positif"),
        (lambda: derivable.declare(abs), "declare demande au moins un argument parmi examples="),
        (lambda: parse_surrogate("=why"), "un substitut s'écrit MOTIF=RAISON"),
        (lambda: bind(Linear, parse_inputs("v:3"), 0), "il n'y a pas d'entrée 'v' ; les entrées"),
    ],
)
def test_errors_in_french_through_python(
    call: Callable[[], object], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERIVABLE_LANG", "fr")
    with pytest.raises(DerivableError) as caught:
        call()
    assert text in ordinary(str(caught.value))


# In French: through the command, by --lang.


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "L'argument 'TARGET...' manque."),
        (["nothing.py"], "le fichier nothing.py n'existe pas"),
        (["nothing.here"], "le module nothing.here est introuvable depuis ce dossier"),
        (["cube.py:Cub"], "cube.py n'a pas de Function Cub ; vouliez-vous dire Cube ?"),
        (["cube.py", "--input", "x:3:half"], "'half' dans 'x:3:half' n'est pas un dtype"),
        (["cube.py", "--input", ""], "--input est vide ; formes attendues : nom:forme"),
        (["cube.py", "--contract", "x"], "un contrat s'écrit ARGUMENT=CONTRAT"),
        (["cube.py", "--reference", "none.py"], "--reference : le fichier none.py n'existe pas"),
        (["cube.py", "--examples", "none.py"], "le fichier de déclarations none.py n'existe pas"),
        (["table.csv"], "table.csv n'est pas un fichier Python ; son nom doit finir par .py"),
    ],
)
def test_errors_in_french_through_the_command(
    words: list[str],
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "cube.py").write_text(
        "import torch\n\n\nclass Cube(torch.autograd.Function):\n"
        "    @staticmethod\n    def forward(ctx, x):\n        return x**3\n\n"
        "    @staticmethod\n    def backward(ctx, grad_output):\n        return grad_output\n"
    )
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DERIVABLE_LANG", raising=False)
    with pytest.raises(SystemExit) as left:
        main(["check", *words, "--lang", "fr"])
    assert left.value.code == 2
    assert text in ordinary(capsys.readouterr().err)
    assert language() == "en", "the language is that of the command alone"


def test_a_reason_in_french_is_in_the_results_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.ipynb").write_text("no notebook")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main(["check", "broken.ipynb", "--lang", "fr"])
    assert left.value.code == 3
    assert "non examiné" in (out := capsys.readouterr().out)
    assert "broken.ipynb n'est pas un notebook lisible" in out


# The mechanism.


def test_an_error_is_made_in_the_language_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIVABLE_LANG", "en")
    with speaking("fr"):
        french = error_of(InputError, "error.input_missing", function="f", argument="x")
        with speaking(None):
            assert language() == "fr", "None changes nothing"
        assert language("en") == "en", "what is asked for comes first"
    english = error_of(InputError, "error.input_missing", function="f", argument="x")
    assert (ordinary(str(french)), str(english)) == (
        "f : l'entrée x manque",
        "f: the input x is missing",
    )
    with pytest.raises(SettingError, match="got 'de'"), speaking("de"):
        pass
    assert language() == "en"
