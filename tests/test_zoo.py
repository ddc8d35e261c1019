"""The examiner before the zoo: every wrong backward found and named, no alarm at a right one.

`benchmarks/examiner.py` measures the same, and the seconds, beside gradcheck. Here nothing is
timed: a test that fails when the machine is busy says nothing about the code. Every third animal
and every sixth operation is examined, which keeps this file at a minute or two; the environment
variable DERIVABLE_ZOO=all asks for all of them, as the benchmark does.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from derivable import functions
from derivable.examiner import Report, check
from tests.zoo.entry import Right, Wrong
from tests.zoo.operations import OPERATIONS
from tests.zoo.right import RIGHT
from tests.zoo.wrong import WRONG

ALL = os.environ.get("DERIVABLE_ZOO") == "all"
SOME_WRONG = WRONG if ALL else WRONG[::3]
SOME_RIGHT = [*RIGHT, *OPERATIONS] if ALL else [*RIGHT[::3], *OPERATIONS[::6]]

# Some animals' own code warns, and a warning made an error would change what that code does.
pytestmark = pytest.mark.filterwarnings("ignore")


def by_name(animal: Wrong | Right) -> str:
    return animal.name


def examined(animal: Wrong | Right) -> Report:
    return check(animal.target, *animal.inputs(), level="strict", **animal.options)


@pytest.mark.parametrize("animal", SOME_WRONG, ids=by_name)
def test_a_wrong_backward_is_found_and_its_cause_named(animal: Wrong) -> None:
    report = examined(animal)
    assert report.verdict == "wrong", report.details("en")
    expected = f"expected {' or '.join(animal.causes)}\n{report.details('en')}"
    assert report.findings[0].cause in animal.causes, expected
    named = {finding.argument for finding in report.findings if finding.cause in animal.causes}
    assert animal.argument is None or named & {animal.argument, None}, expected


@pytest.mark.parametrize("animal", SOME_RIGHT, ids=by_name)
def test_a_right_one_raises_no_alarm(animal: Right) -> None:
    report = examined(animal)
    assert report.verdict == "right", report.details("en")
    assert not report.findings


@pytest.mark.parametrize("name", functions.__all__)
def test_the_library_raises_no_alarm(name: str) -> None:
    report = check(getattr(functions, name))
    assert report.verdict == "right", report.details("en")
    assert not report.findings


@pytest.mark.parametrize("kind", [WRONG, RIGHT, OPERATIONS], ids=["wrong", "right", "operations"])
def test_each_name_is_one_animals(kind: list[Any]) -> None:
    assert [name for name, count in Counter(a.name for a in kind).items() if count > 1] == []


def test_the_zoo_is_as_large_as_the_docs_say() -> None:
    said = (Path(__file__).parents[1] / "docs" / "examiner.md").read_text()
    assert f"holds {len(WRONG)} wrong backwards" in said
    assert f"and {len(RIGHT)} Functions and {len(OPERATIONS)} operations" in said
