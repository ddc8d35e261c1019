"""The examiner before the zoo: every wrong backward found and named, no alarm at a right one.

`benchmarks/examiner.py` measures the same, and the seconds, beside gradcheck. Here nothing is
timed: a test that fails when the machine is busy says nothing about the code.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from derivable import functions
from derivable.examiner import Report, check
from tests.zoo.entry import Right, Wrong
from tests.zoo.operations import OPERATIONS
from tests.zoo.right import RIGHT
from tests.zoo.wrong import WRONG

# Every third operation, which keeps this file at a few minutes; the benchmark runs them all.
SOME_OPERATIONS = OPERATIONS[::3]

# Found, but under another name than their own: why. Strict: a name that is right may not be here.
NOT_NAMED: dict[str, str] = {}


# Some animals' own code warns, and a warning made an error would change what that code does.
pytestmark = pytest.mark.filterwarnings("ignore")


def by_name(animal: Wrong | Right) -> str:
    return animal.name


def examined(animal: Wrong | Right) -> Report:
    return check(animal.target, *animal.inputs(), **animal.options)


@pytest.mark.parametrize("animal", WRONG, ids=by_name)
def test_a_wrong_backward_is_found_and_its_cause_named(animal: Wrong) -> None:
    report = examined(animal)
    assert report.verdict == "wrong", report.details("en")
    first = report.findings[0]
    is_named = first.cause in animal.causes
    if animal.name in NOT_NAMED:
        assert not is_named, f"{animal.name} is named now: take it out of NOT_NAMED"
    else:
        assert is_named, f"expected {' or '.join(animal.causes)}\n{report.details('en')}"
        named = {finding.argument for finding in report.findings if finding.cause in animal.causes}
        assert animal.argument is None or named & {animal.argument, None}, report.details("en")


@pytest.mark.parametrize("animal", [*RIGHT, *SOME_OPERATIONS], ids=by_name)
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


def test_the_zoo_is_as_large_as_it_says() -> None:
    assert len(WRONG) >= 200
    assert len(RIGHT) >= 140
    assert len(OPERATIONS) >= 370


def test_what_is_not_named_is_few_and_in_the_zoo() -> None:
    assert set(NOT_NAMED) <= {animal.name for animal in WRONG}
    assert len(NOT_NAMED) <= len(WRONG) // 20
