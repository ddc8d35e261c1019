"""Reports of the examiner on Functions as students write them: cause, line, evidence, advice."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import Function

from derivable.examiner import Report, check
from derivable.examiner.finding import Finding
from derivable.examiner.render.reproduction import reproduction
from tests.corpus import right_students, students_formulas, students_tensors
from tests.corpus.draw import draw
from tests.corpus.entry import Right, Wrong

WRONG: dict[str, Wrong | Right] = {
    a.name: a for a in (*students_formulas.CASES, *students_tensors.CASES)
}
RIGHT: dict[str, Wrong | Right] = {a.name: a for a in right_students.STUDENTS}


@functools.cache
def examined(name: str) -> Report:
    entry = {**WRONG, **RIGHT}[name]
    return check(entry.target, *entry.inputs(), **entry.options)


def first(name: str) -> Finding:
    return examined(name).findings[0]


def evidence_of(finding: Finding) -> dict[str, dict[str, Any]]:
    return {one.key: dict(one.fields) for one in finding.evidence}


def line(finding: Finding) -> str:
    assert finding.source is not None
    return finding.source.text


# The line ---------------------------------------------------------------------------------------


class Branches(Function):
    """Several returns, of which one runs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, way: str) -> Tensor:
        ctx.save_for_backward(x)
        ctx.way = way
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        if ctx.way == "first":
            return 3 * x * g, None
        for power in (1, 2):
            if ctx.way == "loop":
                return (
                    2 * x**power * g,
                    None,
                )
        try:
            if ctx.way == "try":
                return x**2 * g, None
        finally:
            ctx.way = ""
        return 3 * x**2 * g, None


@pytest.mark.parametrize(
    ("way", "expected"),
    [("first", "return 3 * x * g, None"), ("loop", "return ("), ("try", "return x**2 * g, None")],
)
def test_the_line_is_the_return_that_ran(way: str, expected: str) -> None:
    report = check(Branches, draw(4, 3), way)
    assert line(report.findings[0]) == expected


def test_a_tracer_that_was_there_is_put_back() -> None:
    before = sys.gettrace()

    def tracer(*_: Any) -> None:
        return None

    sys.settrace(tracer)
    try:
        check(Branches, draw(4, 3), "first")
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)


def helper(g: Tensor, w: Tensor) -> Tensor:
    return torch.mm(g, w)  # raises: w is not transposed


class RaisesInHelper(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        x, w = ctx.saved_tensors
        grad_x = helper(g, w)
        return grad_x, x.T @ g


def test_the_line_is_the_one_that_raised() -> None:
    (finding,) = check(RaisesInHelper, draw(13, 5), draw(5, 7)).findings
    assert line(finding) == "return torch.mm(g, w)  # raises: w is not transposed"
    assert line(first("weights first")) == "grad_w = inner @ x"


def test_the_line_of_an_error_in_float32_is_that_of_float32() -> None:
    finding = first("bias by double ones")
    assert finding.point.fields == {"dtype": "float32"}
    assert line(finding) == "return g, torch.ones(len(g), dtype=torch.float64) @ g"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("exponential in place", "e.exp_()"),
        ("clamped in place", "return x.float().clamp_(min=0).to(x.dtype)"),
    ],
)
def test_the_line_of_an_overwritten_input_is_that_of_forward(name: str, expected: str) -> None:
    finding = first(name)
    assert line(finding) == expected
    assert "evidence.no_copy" in evidence_of(finding)


# Products ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "written", "right"),
    [
        ("weights first", "inner @ x", "x.T @ inner"),
        ("weights not transposed", "g @ w", "g @ w.T"),
        ("square weights not transposed", "g @ w", "g @ w.T"),
    ],
)
def test_a_product_is_named_as_it_is_written_and_as_it_is_right(
    name: str, written: str, right: str
) -> None:
    found = evidence_of(first(name))["evidence.rearranged"]
    assert (found["written"], found["right"]) == (written, right)


def test_exchanged_factors_are_named_with_the_right_formulas() -> None:
    for name, x, w in (
        ("product in the other order", "grad_output @ w.T", "x.T @ grad_output"),
        ("one of two transposed", "grad_output @ w", "grad_output.T @ x"),
    ):
        report = examined(name)
        assert [f.argument for f in report.findings] == ["x", "w"], name
        for finding in report.findings:
            formulas = {
                one.fields["name"]: one.fields["formula"]
                for one in finding.evidence
                if one.key == "evidence.is_product"
            }
            assert formulas == {"x": x, "w": w}, name
        assert f"the gradient of w is {w}" in str(report)


def test_two_gradients_that_differ_in_sign_may_be_exchanged_or_both_have_the_wrong_sign() -> None:
    finding = first("squares in the other order")
    assert finding.cause == "swapped"
    assert "evidence.or_signs" in evidence_of(finding)
    assert "sign" in finding.rivals


# Factors and last steps -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "factor", "formula"),
    [
        ("mean squares ignore g", "50", "prediction.numel()"),
        ("row means ignore g", "5", "z.shape[0]"),
        ("half squares ignore g", "1/2", None),
    ],
)
def test_a_factor_beside_an_ignored_grad_output_is_said(
    name: str, factor: str, formula: str | None
) -> None:
    evidence = evidence_of(first(name))
    assert "evidence.ignores" in evidence
    assert evidence["evidence.factor_at_one"]["factor"] == factor
    assert evidence.get("evidence.factor_is", {}).get("formula") == formula


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("norm of squares", "output**2"),
        ("root of mean squares", "output**2"),
        ("sum of exponentials", "log(output)"),
    ],
)
def test_the_step_in_which_forward_and_backward_differ_is_named(name: str, formula: str) -> None:
    finding = first(name)
    assert finding.cause == "last_step"
    assert evidence_of(finding)["evidence.of_step"] == {"formula": formula}


# Shapes, dtypes, numbers of gradients -----------------------------------------------------------


@pytest.mark.parametrize("name", ["bias kept", "channel bias kept", "bias as it comes"])
def test_one_shape_is_one_finding_and_shows_by_hand(name: str) -> None:
    report = examined(name)
    (finding,) = report.findings
    script = reproduction(report, finding, "en")
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    own, its = (shown.split("(", 1)[1] for shown in ran.stdout.splitlines())
    assert own != its
    assert own == f"{finding.evidence[0].fields['expected']}"[1:]
    assert its == f"{finding.evidence[0].fields['returned']}"[1:]


def test_what_autograd_forgives_is_said() -> None:
    for name, exempted in (("bias kept", True), ("channel bias kept", False)):
        assert ("evidence.autograd_reshapes" in evidence_of(first(name))) == exempted, name
    assert "evidence.autograd_sums" in evidence_of(first("bias as it comes"))


@pytest.mark.parametrize("name", ["bias by double ones", "exponential in place"])
def test_what_shows_in_float32_is_reproduced_in_float32(name: str) -> None:
    report = examined(name)
    script = reproduction(report, report.findings[0], "en")
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "float32" in script
    assert "RuntimeError" in ran.stderr or "False" in ran.stdout


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("value", [0.7, -0.7])
def test_a_gradient_missing_at_zero_is_found_whatever_the_sign(
    dtype: torch.dtype, value: float
) -> None:
    scale = torch.tensor(value, dtype=dtype, requires_grad=True)
    (finding,) = check(students_tensors.ScaledUnlessZero, draw(4, 3, dtype=dtype), scale).findings
    assert finding.cause == "count"
    assert line(finding) == "return torch.zeros_like(x)"


@pytest.mark.parametrize("name", ["saved difference", "saved gate", "gate on ctx"])
def test_a_saved_intermediate_is_named_with_the_remedy(name: str) -> None:
    report = examined(name)
    (finding,) = report.findings
    position = {"saved difference": "0", "saved gate": "1", "gate on ctx": "ctx.slope"}[name]
    assert evidence_of(finding)["evidence.saved_intermediate"] == {"positions": position}
    assert "save the inputs" in report.details("en")
    assert "sauvegardez les entrées" in report.details("fr")


class Detached(Function):
    """Saves its input alone, and cuts it off: no intermediate is to blame."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 3 * x.detach() ** 2 * g


def test_no_intermediate_is_named_where_none_was_saved() -> None:
    (finding,) = check(Detached, draw(4, 3)).findings
    assert finding.cause == "second_order"
    assert "evidence.saved_intermediate" not in evidence_of(finding)


@pytest.mark.parametrize("name", ["squares row by row", "softmax row by row"])
def test_an_error_for_an_empty_batch_is_a_note(name: str) -> None:
    report = examined(name)
    assert report.verdict == "right"
    assert "point.empty" in {n.fields["point"].key for n in report.notes}


# Words ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRONG)
def test_a_report_reads_in_both_languages_and_fits_a_dozen_lines(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = examined(name)
    texts: Sequence[str] = []
    for lang in ("en", "fr"):
        monkeypatch.setenv("DERIVABLE_LANG", lang)
        texts = [*texts, str(report)]
        assert len(str(report).splitlines()) <= 12
        assert "{" not in str(report)
    assert texts[0] != texts[1]
