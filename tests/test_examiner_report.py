"""The report: in words, in colours, as JSON, as HTML, and as a script that shows the mistake."""

from __future__ import annotations

import io
import json
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from derivable.errors import WrongGradientError
from derivable.examiner.finding import Finding, Section, Severity, Source, Verdict, Worst
from derivable.examiner.message import Message
from derivable.examiner.render.notebook import COLOURS, LOST, cells
from derivable.examiner.report import Gradient, Report
from derivable.examiner.settings import Settings

CUBE = '''
import torch


class Cube(torch.autograd.Function):
    """The factor is 2 where it must be 3."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return 2 * x**2 * grad_output
'''


def finding(cause: str = "factor", argument: str | None = "x", **changes: Any) -> Finding:
    fields: dict[str, Any] = {
        "function": "Cube",
        "cause": cause,
        "argument": argument,
        "point": Message("point.example"),
        "evidence": (Message("cause.sign"), Message("cause.power")),
        "worst": Worst((3, 1), 2.0, 3.0, 2e-12),
        "rivals": ("power", "constant"),
        "source": Source(str(Path.cwd() / "cube.py"), 14, "        return 2 * x**2 * grad_output"),
    }
    return Finding(**{**fields, **changes})


def report(*findings: Finding, verdict: str = "wrong", **changes: Any) -> Report:
    x = torch.randn(13, 5, dtype=torch.float64, requires_grad=True)
    fields: dict[str, Any] = {
        "function": "Cube",
        "verdict": Verdict(verdict),
        "sections": {Section.FIRST_ORDER: Verdict(verdict), Section.WAYS: Verdict.NOT_APPLICABLE},
        "findings": findings,
        "notes": (),
        "checks": {"values": 65, "edges": 0},
        "inputs": {"x": "float64 (13, 5)"},
        "seconds": 0.0512,
        "example": [x],
        "settings": Settings(seed=changes.pop("seed", 0)),
    }
    return Report(**{**fields, **changes})


def lines(shown: Report) -> list[str]:
    return str(shown).splitlines()


def test_a_finding_says_what_where_and_what_to_do() -> None:
    assert lines(report(finding())) == [
        "Cube: wrong (1 finding, 0.05 s)",
        "  x: a constant factor is wrong",
        "    the sign is wrong",
        "    another power than that of the derivative",
        "    worst entry x[3, 1]: returned 2, measured 3 ± 2e-12",
        "    cube.py:14: return 2 * x**2 * grad_output",
        "    to try: Compare by which numbers forward and backward multiply and divide: the "
        "exponent of a power, 1/2, the number of entries of a mean.",
        "    fits as well: another power than that of the derivative · "
        "another constant or formula than forward used",
        "  first order: wrong",
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 9, 10, 40])
def test_a_report_is_a_dozen_lines_at_most(count: int) -> None:
    stated = [Message("evidence.ratio", {"factor": i, "count": 1, "all": 1}) for i in range(count)]
    found = [finding(argument=f"x{i}", evidence=(stated[i],)) for i in range(count)]
    shown = lines(report(*found))
    assert len(shown) <= 12
    assert all(f"  x{i}: a constant factor is wrong" in shown for i in range(min(count, 9)))
    if count > 9:
        assert shown[-1] == f"  {count - 9} more findings: print(report.details())"
    elif count > 1:
        assert shown[-1] == "  there is more: print(report.details())"
    assert str(report(*[finding()] * count).details()).count("worst entry") == count


def test_the_same_finding_for_several_arguments_is_said_once() -> None:
    shown = lines(report(*[finding(argument=name) for name in ("x", "w", "b")]))
    assert shown[1] == "  x, w, b: a constant factor is wrong"
    assert len([line for line in shown if "factor is wrong" in line]) == 1


def test_a_finding_without_an_argument_or_elsewhere_says_so() -> None:
    bare = finding("raises", None, evidence=(), worst=None, source=None, rivals=())
    assert lines(report(bare))[1:] == [
        "  backward raises an error",
        "    to try: Run backward by hand with a Context to see the whole traceback.",
        "  first order: wrong",
    ]
    elsewhere = finding(point=Message("point.empty"))
    assert lines(report(elsewhere))[1] == "  x: a constant factor is wrong, for an empty batch"


def test_the_headline_speaks_of_first_order() -> None:
    second = {Section.FIRST_ORDER: Verdict.RIGHT, Section.SECOND_ORDER: Verdict.WRONG}
    shown = lines(report(finding("second_order"), verdict="right", sections=second))
    assert shown[0] == "Cube: right to first order, wrong in second order (0.05 s)"
    assert shown[1].startswith("  warning: x: ")
    assert shown[-1] == "  first order: right · second order: wrong"
    sizes = {Section.FIRST_ORDER: Verdict.RIGHT, Section.SIZES: Verdict.WRONG}
    elsewhere = finding(point=Message("point.sizes", {"shapes": "x (4, 3)"}))
    shown = lines(report(elsewhere, sections=sizes))
    assert shown[0] == (
        "Cube: right at inputs like yours, wrong in sizes and special values (0.05 s)"
    )
    rounded = {Section.FIRST_ORDER: Verdict.RIGHT, Section.PRECISION: Verdict.WRONG}
    smaller = finding("precision", point=Message("point.dtype", {"dtype": "float32"}))
    exact = Message("evidence.representable", {"count": 2, "dtype": "float32"})
    for found, stated in (
        (smaller, "right in float64, wrong in smaller dtypes"),
        (
            finding("precision", evidence=(exact,)),
            "wrong: a number is rounded to float32 on the way",
        ),
        (finding("precision", evidence=()), "wrong: precision is lost on the way"),
    ):
        shown = lines(report(found, sections=rounded))
        assert shown[0] == f"Cube: {stated} (0.05 s)"
    warned = finding(severity=Severity.WARNING)
    right = {Section.FIRST_ORDER: Verdict.RIGHT}
    shown = lines(report(warned, verdict="right", sections=right))
    assert shown[0] == "Cube: right, with a warning (0.05 s)"


@pytest.mark.parametrize(
    ("worst", "text"),
    [
        (Worst((), 2.0, 2.0000001, 0.0), "x: returned 2, measured 2.0000001 ± 0"),
        (Worst((7,), math.nan, 2.5, 3.2e-9), "x[7]: returned nan, measured 2.5 ± 3e-09"),
        (Worst((0,), 1 + 2j, 1 - 2j, 1e-9), "x[0]: returned 1+2j, measured 1-2j ± 1e-09"),
        (Worst((0,), 0.0, 123456789.0, 0.1), "x[0]: returned 0, measured 1.23457e+08 ± 1e-01"),
    ],
)
def test_numbers_have_the_digits_that_tell_them_apart(worst: Worst, text: str) -> None:
    assert f"    worst entry {text}" in lines(report(finding(worst=worst)))


def test_what_is_right_says_in_what() -> None:
    right = report(verdict="right")
    assert right.ok
    assert lines(right)[0] == "Cube: right (0.05 s)"
    assert len(lines(right)) == 2
    assert lines(right)[1] == "  first order: right"
    assert "checks: values 65 (65 comparisons, 0 calls of forward and backward)" in right.details()


def test_what_is_inconclusive_says_why() -> None:
    unsure = report(verdict="inconclusive", notes=(Message("cause.precision"),))
    assert not unsure.ok
    assert lines(unsure)[:2] == [
        "Cube: inconclusive (0.05 s)",
        "  note: precision is lost on the way",
    ]


def test_the_details_hold_everything() -> None:
    wrong = report(finding(), finding("sign"), notes=(Message("cause.state"),), seed=5)
    text = wrong.details()
    for word in ("note: state is shared", "inputs: x float64 (13, 5)", "seed: 5", "to try:"):
        assert word in text
    assert text.count("torch.manual_seed(5)") == 1, "the same script is not written twice"
    assert "Cube\u00a0: faux (2 erreurs, 0,05 s)" in wrong.details("fr")


def test_an_interactive_session_shows_the_report() -> None:
    assert repr(report(finding())) == str(report(finding()))


@pytest.mark.parametrize("width", [80, 140])
def test_rich_colours_it_and_continues_long_lines_below_their_beginning(width: int) -> None:
    file = io.StringIO()
    Console(file=file, width=width, force_terminal=True, color_system="standard").print(
        report(finding("not_finite"))
    )
    coloured = file.getvalue()
    assert "\x1b[1;31mCube: wrong" in coloured
    plain = [line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", coloured).splitlines()]
    assert max(map(len, plain)) <= width
    assert all(line.startswith("    ") for line in plain[2:-1])
    assert " ".join(" ".join(plain).split()) == " ".join(str(report(finding("not_finite"))).split())


def test_json_is_one_document_without_the_arrays() -> None:
    gradients = {"x": Gradient(torch.tensor([math.nan]), torch.ones(1), torch.zeros(1))}
    wrong = report(finding(worst=Worst((0,), math.nan, 1j, 0.0)), gradients=gradients)
    document = json.loads(wrong.to_json(), parse_constant=pytest.fail)
    assert document["verdict"] == "wrong"
    assert "gradients" not in document
    (found,) = document["findings"]
    assert found["cause"] == "factor"
    assert found["message"] == "a constant factor is wrong"
    assert found["argument"] == "x"
    assert found["evidence"] == ["the sign is wrong", "another power than that of the derivative"]
    assert found["worst"]["returned"] == "nan"
    assert found["worst"]["measured"] == {"real": 0.0, "imag": 1.0}
    assert found["source"]["line"] == 14
    assert found["reproduction"].startswith("# Cube: a constant factor is wrong\n")
    whole = json.loads(wrong.to_json(arrays=True))
    assert whole["gradients"]["x"] == {"returned": ["nan"], "measured": [1.0], "error": [0.0]}


def test_only_what_is_wrong_is_raised() -> None:
    report(verdict="right").raise_if_wrong()
    report(verdict="inconclusive").raise_if_wrong()
    with pytest.raises(WrongGradientError, match=r"Cube: wrong \(1 finding") as caught:
        report(finding()).raise_if_wrong()
    assert isinstance(caught.value, AssertionError)
    assert str(caught.value) == str(report(finding()))


def test_the_map_has_a_cell_where_the_gradient_is_off() -> None:
    measured = torch.arange(1.0, 36.0).double().reshape(7, 5)
    returned = measured.clone()
    returned[3, 1] *= 1 + 1e-5
    returned[6, 4] = math.inf
    returned[0, 0] += 1e-14
    gradient = Gradient(returned, measured, torch.full_like(measured, 1e-15))
    page = report(finding(), gradients={"x<": gradient})._repr_html_()
    assert "x&lt;" in page
    assert "<script" not in page
    assert "http" not in page
    tree = ET.fromstring(page)
    (picture,) = tree.iter("svg")
    titles = [title.text for title in picture.iter("title")]
    assert titles == [
        "x<[3, 1]: returned 17.00017, measured 17 ± 1e-15",
        "x<[6, 4]: returned inf, measured 35 ± 1e-15",
    ]
    assert "Cube: wrong" in page


@pytest.mark.parametrize("shape", [(), (3,), (7, 5), (2, 50, 41), (200, 130), (0, 3)])
def test_a_map_of_any_shape_is_small_and_keeps_the_worst(shape: Sequence[int]) -> None:
    measured = torch.randn(shape, dtype=torch.float64)
    returned = measured.clone()
    if measured.numel():
        returned.view(-1)[-1] *= 2
    grid = cells(Gradient(returned, measured, torch.zeros_like(measured)))
    if not measured.numel():
        assert grid is None
        return
    assert grid is not None
    assert max(grid.level.shape) <= 40
    assert (grid.level > 0).sum() == 1
    assert grid.level[-1, -1] == len(COLOURS) < LOST
    assert grid.spot[-1, -1] == measured.numel() - 1


def test_no_map_where_there_is_no_gradient() -> None:
    page = report(
        finding(), gradients={"w": Gradient(None, torch.ones(3), torch.zeros(3))}
    )._repr_html_()
    assert "w: no gradient was returned" in page
    assert "<svg" not in page
