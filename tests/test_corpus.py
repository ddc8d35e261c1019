"""The examiner on the corpus: every wrong backward found and named, no false positive.

`benchmarks/examiner.py` measures the same, and the seconds, beside gradcheck. Here nothing is
timed: a test that fails when the machine is busy is no evidence about the code. A third of the test
cases and a sixth of the operations is examined, which keeps this file at a minute or two; which
ones, or all, is stated by the environment variable DERIVABLE_CORPUS (`tests/corpus/part.py`).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from derivable import functions
from derivable.examiner import Report, check
from tests.corpus.entry import Right, Wrong
from tests.corpus.operations import OPERATIONS
from tests.corpus.part import part
from tests.corpus.right import RIGHT
from tests.corpus.wrong import WRONG

SOME_WRONG = part(WRONG, 3)
SOME_RIGHT = [*part(RIGHT, 3), *part(OPERATIONS, 6)]

# The code of some test cases warns, and a warning made an error would change what that code does.
pytestmark = pytest.mark.filterwarnings("ignore")


def by_name(case: Wrong | Right) -> str:
    return case.name


def examined(case: Wrong | Right) -> Report:
    return check(case.target, *case.inputs(), level="strict", **case.options)


@pytest.mark.parametrize("case", SOME_WRONG, ids=by_name)
def test_a_wrong_backward_is_found_and_its_cause_named(case: Wrong) -> None:
    report = examined(case)
    assert report.verdict == "wrong", report.details("en")
    expected = f"expected {' or '.join(case.causes)}\n{report.details('en')}"
    assert report.findings[0].cause in case.causes, expected
    named = {finding.argument for finding in report.findings if finding.cause in case.causes}
    assert case.argument is None or named & {case.argument, None}, expected


@pytest.mark.parametrize("case", SOME_RIGHT, ids=by_name)
def test_a_right_one_gives_no_false_positive(case: Right) -> None:
    report = examined(case)
    assert report.verdict == "right", report.details("en")
    assert not report.findings


@pytest.mark.parametrize("name", functions.__all__)
def test_the_library_gives_no_false_positive(name: str) -> None:
    report = check(getattr(functions, name))
    assert report.verdict == "right", report.details("en")
    assert not report.findings


@pytest.mark.parametrize("kind", [WRONG, RIGHT, OPERATIONS], ids=["wrong", "right", "operations"])
def test_each_name_is_that_of_one_case(kind: list[Any]) -> None:
    assert [name for name, count in Counter(a.name for a in kind).items() if count > 1] == []


def test_the_corpus_is_as_large_as_the_docs_state() -> None:
    page = (Path(__file__).parents[1] / "docs" / "examiner.md").read_text()
    assert f"holds {len(WRONG)} wrong backwards" in page
    assert f"and {len(RIGHT)} Functions and {len(OPERATIONS)} operations" in page
