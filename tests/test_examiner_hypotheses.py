"""The table of hypotheses: in the order of its tiers, and decided by data alone."""

from __future__ import annotations

import ast
import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from string import Formatter

import pytest

from derivable.examiner.diagnose import consequences
from derivable.examiner.diagnose.conclusions import FoundAt
from derivable.examiner.diagnose.evidence import EvidenceWithFields, listed, number
from derivable.examiner.diagnose.hypotheses import CAUSES, DETAILS, GUESSES, HYPOTHESES
from derivable.examiner.diagnose.regions import Part
from derivable.examiner.diagnose.scalars import Ratio
from derivable.examiner.diagnose.thresholds import Threshold
from derivable.examiner.message import Message
from derivable.examiner.messages import MESSAGES, say
from derivable.examiner.points import Kind, Point
from tests.conftest import ROOT

TABLE = (*HYPOTHESES, *GUESSES)
SOURCES = sorted((ROOT / "src/derivable/examiner/diagnose").glob("*.py"))


def test_the_table_is_in_the_order_of_its_tiers() -> None:
    tiers = [hypothesis.tier for hypothesis in TABLE]
    assert tiers == sorted(tiers)


def test_every_cause_of_the_tables_is_known_and_can_be_said() -> None:
    for hypothesis in (*TABLE, *DETAILS):
        assert hypothesis.cause in CAUSES
    for cause in CAUSES:
        assert f"cause.{cause}" in MESSAGES
    known = {*CAUSES, consequences.VALUES}
    for cause, following in consequences.FOLLOWS.items():
        assert {cause, *following} <= known


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.name)
def test_nothing_is_decided_on_the_key_of_a_sentence(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    compared = [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    parts = [part for node in compared for part in ast.walk(node)]
    words = [n.value for n in parts if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    assert not [word for word in words if word.startswith(("point.", "evidence.", "note."))]


def kinds_of_evidence() -> list[type[EvidenceWithFields]]:
    waiting: list[type[EvidenceWithFields]] = [EvidenceWithFields]
    found: list[type[EvidenceWithFields]] = []
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if is_dataclass(kind):
            found.append(kind)
    return found


@pytest.mark.parametrize("kind", kinds_of_evidence(), ids=lambda k: k.__name__)
def test_every_gap_of_a_sentence_is_a_field_of_its_evidence(kind: type[EvidenceWithFields]) -> None:
    pattern = re.sub(r"\\{\w+\\}", r"\\w+", re.escape(kind.key))  # a field may choose among several
    texts = [text.en for key, text in MESSAGES.items() if re.fullmatch(pattern, key)]
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    assert texts
    if "{" not in kind.key:
        gaps = {name for text in texts for _, name, _, _ in Formatter().parse(text) if name}
        assert gaps <= known


def test_evidence_becomes_words() -> None:
    assert number(1 / 3) == "1/3"
    assert listed(()) == Message("evidence.no_axis")
    stated = {
        Ratio(0.5, 6): "returned / measured = 1/2 in all 6 entries",
        Ratio(2.0, 1): "returned / measured = 2 in the one entry that is wrong",
        Threshold("x", 0.25, "above"): "wrong where x > 0.25, right below",
        Part("first", "x.shape[0]"): "wrong only at index 0 of x.shape[0]",
        FoundAt(Point(Kind.BATCH_OF_ONE)): "found for a batch of one",
    }
    for one, words in stated.items():
        assert say(one.message, "en") == words
