"""The messages of the package: one mechanism, both languages, nothing beside the catalogues."""

from __future__ import annotations

import ast
import copy
import importlib
import pickle
import re
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from string import Formatter
from typing import Any, cast

import click
import pytest

from derivable import Layer, Loss, Network, Tanh, Training, compare
from derivable.cli.help_in_french import CLICK, HELP
from derivable.cli.main import cli, main
from derivable.errors import DataError, SettingError
from derivable.language import LANGUAGES, speaking
from derivable.messages import Catalogue, Message, Text, in_language, joined, packed, unpacked
from derivable.run.messages import say as RUNS
from tests.conftest import ROOT

SOURCE = ROOT / "src" / "derivable"


def catalogues() -> dict[str, Catalogue]:
    """Every catalogue of the package, by where it is defined."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        if " Catalogue(" not in path.read_text(encoding="utf-8"):
            continue
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        module = importlib.import_module(name)
        for attribute, value in vars(module).items():
            if isinstance(value, Catalogue):
                found[f"{name}.{attribute}"] = value
    return found


CATALOGUES = catalogues()


# The mechanism.

NUMBERS = Catalogue(
    {
        "rows": (
            "{n:,} rows of {name!r}: {share:g}, lr={lr!r}",
            "{n:,} lignes de {name!r} : {share:g}, lr={lr!r}",
        ),
        "rows_one": ("one row", "une ligne"),
        "quoted": ("“{text}”; {names}", "« {text} » ; {names}"),
    }
)
GAPS = {"name": "a", "share": 0.25, "lr": 0.5}


def test_a_message_is_a_string_in_the_language_of_messages_and_knows_the_other() -> None:
    message = NUMBERS("rows", n=2000, **GAPS)
    assert message == "2,000 rows of 'a': 0.25, lr=0.5"
    french = "2\u202f000 lignes de 'a'\u00a0: 0,25, lr=0.5"
    assert message.to("fr") == french
    with speaking("fr"):
        assert NUMBERS("rows", n=2000, **GAPS) == french
        assert message.to() == french
        assert in_language(message) == french
    assert in_language("any text", "fr") == "any text"


def test_one_has_a_singular_of_its_own() -> None:
    assert NUMBERS("rows", n=1, **GAPS) == "one row"
    assert NUMBERS.text("rows", "fr", n="1", **GAPS) == "une ligne"


def test_messages_in_gaps_and_in_lists_are_in_the_same_language() -> None:
    inner = NUMBERS("rows", n=1, **GAPS)
    message = NUMBERS("quoted", text=inner, names=[inner, "b", 3])
    assert message == "“one row”; one row, b, 3"
    assert message.to("fr") == "«\u00a0une ligne\u00a0»\u00a0; une ligne, b, 3"
    assert joined([inner, "b"], ", ").to("fr") == "une ligne, b"


def test_messages_are_pickled_copied_and_kept_with_both_texts() -> None:
    message = NUMBERS("rows", n=1, **GAPS)
    for other in (pickle.loads(pickle.dumps(message)), copy.deepcopy(message)):
        assert isinstance(other, Message)
        assert other.texts == message.texts == Text("one row", "une ligne")
    kept = unpacked(packed(message))
    assert isinstance(kept, Message)
    assert kept.texts == message.texts
    assert unpacked(packed("any text")) == "any text"
    error = pickle.loads(pickle.dumps(DataError(message)))
    assert isinstance(error, DataError)
    assert str(error) == "one row"


def test_each_thread_has_its_own_language() -> None:
    def say(lang: str) -> str:
        with speaking(lang):
            return str(NUMBERS("rows", n=1, **GAPS))

    with ThreadPoolExecutor(4) as pool:
        stated = list(pool.map(say, LANGUAGES * 20))
    assert stated == ["one row", "une ligne"] * 20


def test_a_message_can_be_made_in_a_language_that_there_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DERIVABLE_LANG", "de")  # commands report it; modules must load
    assert NUMBERS("rows", n=1, **GAPS) == "one row"


# The catalogues.


def gaps(template: str) -> list[str]:
    return sorted({name for _, name, _, _ in Formatter().parse(template) if name is not None})


@pytest.mark.parametrize("name", CATALOGUES)
def test_both_languages_have_the_same_gaps(name: str) -> None:
    for key, text in CATALOGUES[name].items():
        assert gaps(text.en) == gaps(text.fr), key
        assert len(text.en) < 30 or text.en != text.fr, f"{key} is not translated"


# What lies outside of the catalogues.

OUTSIDE = {
    "language.py",  # refuses a language that has no messages
    "help_in_french.py",  # click keeps the English beside each option
}
RAISED = {
    *(node.name for node in ast.parse((SOURCE / "errors.py").read_text("utf-8")).body
      if isinstance(node, ast.ClassDef)),
    "BadParameter", "NotPointwiseError", "ProblemError", "Refusal", "UsageError",
}  # fmt: skip
PROSE = re.compile(r"(?:\b[a-z]{2,}\b[ ,;:]+){2}[a-z]{2,}\b")  # three words of a sentence


def sources() -> Iterator[tuple[Path, ast.Module]]:
    """The modules that take their messages from catalogues: all but lab sheets, and two."""
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).parts
        if "sheets" not in parts and path.name not in OUTSIDE:
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def literal(node: ast.AST) -> str:
    """The text that is written in an expression itself, without what is filled in."""
    if isinstance(node, ast.BinOp):
        return literal(node.left) + literal(node.right)
    if isinstance(node, ast.JoinedStr):
        return "".join(literal(part) for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def test_every_error_has_its_text_from_a_catalogue() -> None:
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) in RAISED:
                words = [text for text in map(literal, node.args) if re.search("[a-z]{2}", text)]
                assert not words, f"{path.relative_to(SOURCE)}:{node.lineno}: {words}"


# Packages that keep texts in other places: help beside each option, authors' texts, messages of the
# examiner in a file for each language, the catalogue of charts and pages in two files.
BESIDE = {"cli", "display", "examiner", "labs", "pytest_plugin", "report"}
NO_MESSAGES = {
    "data/california.py",  # the code that downloads
    "data/cells.py",  # words for true and false
    "data/date_spellings.py",  # names of months and days in four languages
    "data/columns.py", "data/kinds.py",  # what is wrong with a document that no person writes
    "comparison/tables.py",  # a pattern of Python's own error
    "run/export.py", "run/spelling.py",  # a page of Python, and its words
    "lazy.py",  # Python's own message for any module
    "doctor.py", "run/settings.py",  # a command of pip; a comment in a file
}  # fmt: skip


def documentation(tree: ast.Module) -> set[int]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr):
                found.add(id(first.value))
    return found


def test_no_sentence_stands_beside_the_catalogues() -> None:
    for path, tree in sources():
        parts = path.relative_to(SOURCE).parts
        if parts[0] in BESIDE or path.name.endswith("messages.py"):
            continue
        if "/".join(parts) in NO_MESSAGES:
            continue
        documented = documentation(tree)
        for node in ast.walk(tree):
            text = literal(node) if isinstance(node, ast.Constant) else ""
            if id(node) not in documented:
                assert not PROSE.search(text), f"{path.relative_to(SOURCE)}:{node.lineno}: {text}"  # type: ignore[attr-defined]


# The catalogues whose keys are made of parts, or which have a test of their own.
OTHER_TESTS = {"derivable.display.messages.MESSAGES", "derivable.examiner.messages.MESSAGES"}


def keys_in(path: Path) -> Iterator[str]:
    """Every string of a module as a pattern of a key; what is filled in matches anything."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = (re.escape(literal(part)) if literal(part) else r"\w*" for part in node.values)
            yield "".join(parts)
        elif literal(node):
            yield re.escape(literal(node)) + "s?"  # line, lines


def test_every_message_is_used() -> None:
    patterns = {pattern for path, _ in sources() for pattern in keys_in(path)
                if not path.name.endswith("messages.py")}  # fmt: skip
    # A pattern that is filled in must have enough of its own, or it would match every key.
    own = {pattern: pattern.replace(r"\w*", "") for pattern in patterns}
    known = re.compile("|".join(p for p in own if len(own[p]) > 1 and re.search("[a-z]", own[p])))
    for name in sorted(set(CATALOGUES) - OTHER_TESTS):
        keys = set(CATALOGUES[name])
        singular = {key for key in keys if key.removesuffix("_one") in keys - {key}}
        unused = {key for key in keys - singular if not known.fullmatch(key)}
        assert not unused, f"{name}: {unused}"


# The command line in French.


def helped() -> Iterator[tuple[str, click.Command]]:
    waiting: list[tuple[str, click.Command]] = [("derivable", cli)]
    while waiting:
        name, command = waiting.pop()
        yield name, command
        below: dict[str, click.Command] = getattr(command, "commands", {})
        waiting += [(f"{name} {one}".removeprefix("derivable "), c) for one, c in below.items()]


def test_every_command_and_option_has_help_in_french() -> None:
    used = {"--help", "--version"}
    for name, command in helped():
        assert name in HELP
        used |= {name, f"{name} short"}
        assert not command.short_help or f"{name} short" in HELP
        for param in command.params:
            if isinstance(param, click.Option):
                option = next(word for word in param.opts if word.startswith("--"))
                assert f"{name} {option}" in HELP or option in HELP, (name, option)
                used |= {option, f"{name} {option}"}
    assert set(HELP) <= used
    for english, french in CLICK.items():
        assert set(gaps(french)) <= set(gaps(english)), english


ENGLISH = re.compile(
    r"\b(?:the|is|of|with|not|and|has|have|are|which|must|cannot|but|from|that|this|be|to|in)\b"
)
ROWS = "".join(f"{i};{i * i % 7};{'abc'[i % 3]};{(i * 37 % 11) / 10}\n".replace(".", ",")
               for i in range(40))  # fmt: skip
FILES = {
    "bon.csv": "x;z;ville;prix\n" + ROWS,
    "vide.csv": "",
    "texte.csv": "a,b\n" + "".join(f"{i},{i if i != 7 else 'x7'}\n" for i in range(30)),
    "trous.csv": "a,b\n" + "".join(f"{i * i},{i % 4 or ''}\n" for i in range(30)),
    "inegal.csv": "a,b\n1,2\n1,2,3\n",
    "double.csv": "a,a,b\n1,2,3\n2,3,4\n",
    "total.csv": "a,b\n" + "".join(f"{i},{i * i % 5}\n" for i in range(9)) + "Total,9\n",
    "peu.csv": "a,b\n1,2\n2,3\n",
}


@pytest.mark.parametrize(
    "words",
    [
        "--help", "compare --help", "fit --help", "predict --help", "data --help", "report --help",
        "doctor", "data where", "data fetc", "comparer", "fit --stepz 3", "fit bon.csv --steps x",
        "fit bon.csv --split autre", "fit a b c", "predict m.safetensors", "fit --model",
        "fit bon.csv", "fit bon.csv --target pri", "fit bon.csv --target prix",
        "fit bon.csv --target prix --target prix", "fit vide.csv --target a",
        "fit texte.csv --target a", "fit trous.csv --target a", "fit inegal.csv --target a",
        "fit double.csv --target b", "fit total.csv --target b", "fit peu.csv --target b",
        "fit absent.csv --target b", "fit bon.csv --target prix --one-hot --model tahn:3",
        "fit bon.csv --target prix --loss hubre", "fit bon.csv --target prix --patience 3",
        "compare bon.csv --target prix --models linear,linear", "fit --resume absent",
        "fit bon.csv --target prix --config absent.toml", "predict absent.safetensors bon.csv",
        "report absent", "data export t.txt --data diabetes", "fit --target prix",
        "fit bon.csv --lr -1",
        "fit bon.csv --target prix --one-hot --model tanh:3 --steps 50 --lr 1e9 --method steps",
        "compare bon.csv --target prix --one-hot --models linear,tanh:3 --steps 50 --out run",
        "compare bon.csv --target z --one-hot --models auto,tanh:2 --steps 50",
    ],
)  # fmt: skip
def test_the_command_line_is_in_french(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("DERIVABLE_LANG", raising=False)
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit):
        main([*words.split(), "--lang", "fr"])
    out, err = capsys.readouterr()
    shown = re.sub(r"--\S+|'[^']*'|\S*/\S*|\S*\.\S+|\[[^\]]*\]", " ", out + err)
    assert (out + err).strip()
    assert not ENGLISH.search(shown), out + err


def test_what_was_found_in_english_is_reported_in_french(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DERIVABLE_LANG", raising=False)
    Path("bon.csv").write_text(FILES["bon.csv"], encoding="utf-8")
    options = "--target prix --one-hot --models linear,tanh:2 --steps 50 --out run"
    for words in (["compare", "bon.csv", *options.split()], ["report", "run", "--lang", "fr"]):
        with pytest.raises(SystemExit):
            main(words)
    page = Path("run/report.html").read_text(encoding="utf-8")
    assert '<html lang="fr"' in page
    assert 'lang="en"' not in page, "nothing is left in English"
    assert "la moitié du plus grand avec lequel" in page
    metrics = Path("run/metrics.json").read_text(encoding="utf-8")
    assert "mean squared error of prix" in metrics, "files for programs are in English"
    assert "erreur quadratique moyenne de prix" in capsys.readouterr().out


def test_an_object_in_place_of_a_class_is_named_as_one() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # PyTorch's, of the mistake itself
        one: Any = cast("Any", Tanh)()
    meant = "an object of Tanh; the class itself is meant, without brackets: Tanh"
    for call in (
        lambda: Layer(one),
        lambda: Loss(one),
        lambda: Network.mlp(3, 2, 1, activation=one),
    ):
        with pytest.raises(SettingError, match=meant):
            call()


def test_french_of_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    """An article that goes with each gap, a decimal comma, and no plural of 0."""
    monkeypatch.setenv("DERIVABLE_LANG", "fr")
    with pytest.raises(SettingError, match="'cosinus' ne désigne aucune évolution du pas"):
        Training(schedule="cosinus")
    with pytest.raises(SettingError, match="'mes' ne désigne aucune perte"):
        Training(loss="mes")
    shown = repr(compare("diabetes", "linear", steps=3, lr=0.01))
    assert re.search(r"la plus basse \d+,?\d*, de linear", shown), shown
    kept = RUNS("finished", n=0, all=2, command="c")
    assert kept == "nombre de modèles terminés\u00a0: 0 sur 2\u00a0; pour continuer\u00a0: c"
