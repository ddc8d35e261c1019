"""The examiner before the zoo: every wrong backward found and named, no alarm at a right one.

`benchmarks/examiner.py` measures the same, and the seconds, beside gradcheck. Here nothing is
timed: a test that fails when the machine is busy says nothing about the code. Every third animal
and every sixth operation is examined, which keeps this file at a minute or two; the environment
variable DERIVABLE_ZOO=all asks for all of them, as the benchmark does.
"""

from __future__ import annotations

import os
from collections import Counter
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

# Not found, and why. Strict: what is found may not be here.
NOT_FOUND = {
    "hypot by squares": "overflows beyond 1e150 only, where PyTorch's own backwards do, too",
    "logsigmoid that cancels": "what is lost is less than one rounding of the largest entry",
}
# Found, but under another name than their own, and why. Strict: what is named may not be here.
NOT_NAMED = {
    "gelu-mixed": "nearly right everywhere, which a constant would also explain",
    "exp-power-rule": "the ratio is a power of x, but the derivative is none",
    "log-cosh": "both slopes are written out, and a term differs",
    "gaussian-nll": "right at the example; beyond it, a power inside of a sum",
    "prod": "the ratio is x, which the chain rule would also lose",
    "conv1d-unflipped": "right at the example; elsewhere less than the whole is transposed",
    "attention-axis": "an axis inside, which neither input nor output has",
    "dropout": "the factor is what another p would give",
    "dropout after jitter, replayed": "the second of two draws is replayed as the first",
    "tanh in float16": "the float16 is computed with again in float64",
    "weight decay left out": "1e-7 of the derivative: many causes leave as little",
    "sign of the smallest unit": "one entry of little size, which a factor explains",
    "exp kept by name, shifted by the caller": "the caller, not the Function, changes it",
    "residual added into the input": "the caller, not the Function, changes it",
    "max reads the positions' gradient": "that is zero, and zero is what is seen",
    "scale summed along the wrong way": "a reshape mixes two axes",
}


# Some animals' own code warns, and a warning made an error would change what that code does.
pytestmark = pytest.mark.filterwarnings("ignore")


def by_name(animal: Wrong | Right) -> str:
    return animal.name


def examined(animal: Wrong | Right) -> Report:
    return check(animal.target, *animal.inputs(), **animal.options)


@pytest.mark.parametrize("animal", SOME_WRONG, ids=by_name)
def test_a_wrong_backward_is_found_and_its_cause_named(animal: Wrong) -> None:
    report = examined(animal)
    if animal.name in NOT_FOUND:
        assert report.verdict != "wrong", f"{animal.name} is found now: take it out of NOT_FOUND"
        return
    assert report.verdict == "wrong", report.details("en")
    first = report.findings[0]
    is_named = first.cause in animal.causes
    if animal.name in NOT_NAMED:
        assert not is_named, f"{animal.name} is named now: take it out of NOT_NAMED"
    else:
        assert is_named, f"expected {' or '.join(animal.causes)}\n{report.details('en')}"
        named = {finding.argument for finding in report.findings if finding.cause in animal.causes}
        assert animal.argument is None or named & {animal.argument, None}, report.details("en")


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


def test_the_zoo_is_as_large_as_it_says() -> None:
    assert len(WRONG) >= 200
    assert len(RIGHT) >= 140
    assert len(OPERATIONS) >= 360


def test_what_is_not_found_or_not_named_is_few_and_in_the_zoo() -> None:
    assert set(NOT_NAMED) | set(NOT_FOUND) <= {animal.name for animal in WRONG}
    assert len(NOT_FOUND) <= 2
    assert len(NOT_NAMED) <= len(WRONG) // 12
