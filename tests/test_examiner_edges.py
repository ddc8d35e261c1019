"""The check of edges: nan where an entry is 0, 1 or -1, counted only where forward has a slope."""

from __future__ import annotations

import pytest
import torch

from derivable.examiner import Report, check
from tests.corpus import engineering_extremes as wrong
from tests.corpus import right_numbers as right
from tests.corpus.draw import positive


def noted(report: Report) -> list[str]:
    return [note.key for note in report.notes]


def test_a_nan_where_the_slope_is_finite_is_found_with_its_entry_and_the_side() -> None:
    report = check(wrong.three_halves, positive(5, 3))
    (finding,) = report.findings
    assert (finding.cause, finding.argument, finding.point.key) == ("not_finite", "x", "point.edge")
    assert finding.evidence[0].key == "evidence.edge_above"
    assert finding.worst is not None
    assert finding.worst.index == (0, 0)
    assert finding.worst.measured == pytest.approx(0, abs=1e-6)


def test_the_slope_at_the_edge_is_measured_from_inside() -> None:
    report = check(wrong.squared_angle, 0.5 * positive(5, 3) - 0.1)
    assert report.findings[0].worst is not None
    assert report.findings[0].worst.measured == pytest.approx(-2, rel=1e-5)
    assert "(run(x) - run(x - step))" in report.details("en")


def test_a_nan_where_the_slope_is_infinite_is_a_note() -> None:
    report = check(right.SqrtOverItsInput, positive(5, 3))
    assert report.verdict == "right"
    assert noted(report) == ["note.edge"]


@pytest.mark.parametrize("target", [right.SqrtFromOutput, right.Entropy, right.XLogXOf0IsFlat])
def test_infinity_of_its_sign_or_a_number_of_choice_says_nothing(target: type) -> None:
    report = check(target, positive(5, 3))
    assert report.verdict == "right"
    assert "note.edge" not in noted(report)


def test_the_gradient_of_another_argument_is_looked_at_too() -> None:
    report = check(wrong.Power, positive(5, 3), 1 + positive(5, 3, seed=1))
    assert [finding.argument for finding in report.findings] == ["p"]
    assert report.findings[0].point.fields == {"argument": "x", "value": "0"}


def test_zero_times_an_infinite_slope_is_no_mistake() -> None:
    x, y = positive(5, 3), positive(5, 3, seed=1)
    assert check(right.GeometricMean, x, y).verdict == "right"


def test_nan_at_ordinary_inputs_is_said_as_such() -> None:
    x = torch.tensor([-1.5, 0.7, 2.0, -0.3], dtype=torch.float64)
    assert check(wrong.spring, x).findings[0].cause == "not_finite"
