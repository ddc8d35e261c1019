"""The sentences of the examiner: the same in every language, all used, none missing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from derivable.errors import SettingError
from derivable.examiner.message import Message
from derivable.examiner.messages import MESSAGES, say
from derivable.language import language
from tests.conftest import ROOT

ENGLISH = {key: text.en for key, text in MESSAGES.items()}
SOURCES = [
    path
    for folder in ("src/derivable/examiner", "src/derivable/cli", "src/derivable/pytest_plugin")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path.parent.name != "messages"
]


def strings() -> Iterator[str]:
    """Every string of the sources as a pattern; what is filled in at run time matches anything."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(
                    re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[\w ]*"
                    for part in node.values
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                ending = r"[\w ]+" if node.value.endswith(".") else ""  # "cause." + finding.cause
                # The key of a kind of evidence may hold its own fields: "evidence.side_{side}".
                yield re.sub(r"\\{\w+\\}", r"\\w+", re.escape(node.value)) + ending


def test_every_sentence_is_used() -> None:
    patterns = [re.compile(p) for p in set(strings()) if re.match(r"[a-z]+\\\.|\[", p)]
    # `say` takes the singular where it is due.
    keys = [k for k in ENGLISH if not (k.endswith("_one") and k.removesuffix("_one") in ENGLISH)]
    unused = [key for key in keys if not any(p.fullmatch(key) for p in patterns)]
    assert not unused


def test_every_sentence_that_is_said_exists() -> None:
    kinds = {key.partition(".")[0] for key in ENGLISH}
    for path in SOURCES:
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        beginnings = {id(part) for n in nodes if isinstance(n, ast.JoinedStr) for part in n.values}
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if id(node) in beginnings:
                    continue
                kind, dot, name = node.value.partition(".")
                if dot and kind in kinds and re.fullmatch(r"\w+", name):
                    assert node.value in ENGLISH, f"{path.name}:{node.lineno}"


def test_every_cause_comes_with_advice() -> None:
    causes = {key.partition(".")[2] for key in ENGLISH if key.startswith("cause.")}
    advice = {key.partition(".")[2] for key in ENGLISH if key.startswith("advice.")}
    assert causes == advice


def test_the_language_is_chosen_by_the_caller_then_by_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DERIVABLE_LANG", raising=False)
    assert say(Message("cause.sign")) == "the sign is wrong"
    monkeypatch.setenv("DERIVABLE_LANG", "fr")
    assert say(Message("cause.sign")) == "le signe est faux"
    assert say(Message("show.advice", {"advice": Message("cause.sign")}), "en") == (
        "to try: the sign is wrong"
    )
    monkeypatch.setenv("DERIVABLE_LANG", "de")
    with pytest.raises(SettingError, match="must be en or fr, got 'de'; set --lang or DERIVABLE"):
        language()
