"""Inputs at which forward overflows: no false positive there, and no wrong backward is lost."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from derivable import Function
from derivable.examiner import Report, check
from derivable.examiner.finding import Section, Verdict
from derivable.examiner.messages import say
from derivable.examiner.targets.callables import CallableAdapter
from derivable.examiner.targets.extent import extent, extreme
from tests.corpus import engineering_extremes as wrong
from tests.corpus.draw import draw, positive
from tests.corpus.engineering_layout import pointwise
from tests.corpus.right_scales import Matern, RadialBasis, Tempered, WeibullLogLikelihood


def scalar(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def noted(report: Report) -> dict[str, str]:
    return {note.key: say(note, "en") for note in report.notes}


class ByItsScale(RadialBasis):
    """The chain rule as it is written: 0 / s**3 * s is nan where s is infinite."""

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        x, y, log_s = ctx.saved_tensors
        s = torch.exp(log_s)
        apart = x[:, None] - y
        squares = (apart**2).sum(-1)
        weight = g * torch.exp(-squares / (2 * s**2))
        moved = (weight / s**2)[..., None] * apart
        return -moved.sum(1), moved.sum(0), (weight * squares / s**3).sum() * s


class ByTheInverse(RadialBasis):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, log_s: Tensor) -> Tensor:
        ctx.save_for_backward(x, y, log_s)
        return torch.exp(-0.5 * torch.exp(-2 * log_s) * torch.cdist(x, y) ** 2)


class Quotients(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, log_s: Tensor) -> Tensor:
        ctx.save_for_backward(x, y, log_s)
        return torch.exp(-0.5 * ((x - y) / torch.exp(log_s)) ** 2)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        x, y, log_s = ctx.saved_tensors
        s = torch.exp(log_s)
        u = (x - y) / s
        k = g * torch.exp(-0.5 * u**2)
        return -k * u / s, k * u / s, (k * u**2).sum()


class KumaraswamyProbability(Function):
    """Where log_a is -40, x**a rounds to 1, and 0**(b - 1) is infinite, for autograd as well."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, log_a: Tensor, log_b: Tensor) -> Tensor:
        ctx.save_for_backward(x, log_a, log_b)
        return 1 - (1 - x ** torch.exp(log_a)) ** torch.exp(log_b)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        x, log_a, log_b = ctx.saved_tensors
        a, b = torch.exp(log_a), torch.exp(log_b)
        power = x**a
        outer = g * b * (1 - power) ** (b - 1)
        of_b = -g * b * torch.xlogy((1 - power) ** b, 1 - power)
        return outer * a * x ** (a - 1), outer * a * torch.xlogy(power, x), of_b


# A right backward at the inputs of a user --------------------------------------------------------


@pytest.mark.parametrize("target", [RadialBasis, ByItsScale, ByTheInverse, Quotients])
def test_a_right_kernel_is_not_wrong_where_forward_overflows(target: type[Function]) -> None:
    shapes = [(2, 3), (2, 3)] if target is Quotients else [(2, 3), (4, 3)]
    x, y = (draw(*shape, seed=seed) for seed, shape in enumerate(shapes))
    report = check(target, x, y, scalar(-720))
    assert report.verdict == "inconclusive", report.details("en")
    assert report.sections[Section.FIRST_ORDER] is Verdict.INCONCLUSIVE
    notes = noted(report)
    assert "it was examined at log_s of moderate size" in notes["note.moderate_inputs"]
    assert "x, y, log_s: it is not finite where the derivative is" in notes["note.not_counted"]
    report.raise_if_wrong()
    assert not report.findings


def test_the_reasons_are_shown_in_french_too() -> None:
    text = check(RadialBasis, draw(2, 3), draw(2, 3, seed=1), scalar(-720)).details("fr")
    assert "l'examen a donc porté aussi sur log_s de taille modérée" in text
    assert "rien n'est faux pour les entrées modérées" in text


@pytest.mark.parametrize(
    ("target", "inputs"),
    [
        (RadialBasis, lambda v: (draw(2, 3), draw(4, 3, seed=1), scalar(v))),
        (Matern, lambda v: (positive(3), torch.full((3,), v, dtype=torch.float64))),
        (Tempered, lambda v: (draw(2, 3), scalar(v))),
        (WeibullLogLikelihood, lambda v: (positive(3), torch.full((3,), v, dtype=torch.float64))),
    ],
)
@pytest.mark.parametrize("value", [-720.0, 720.0, 1e-200, -1e200])
def test_no_right_one_is_wrong_at_an_extreme_parameter(
    target: type[Function], inputs: Callable[[float], Any], value: float
) -> None:
    report = check(target, *inputs(value))
    assert report.verdict != "wrong", report.details("en")


# A right backward at ordinary inputs, of which the examiner makes extreme ones -------------------


@pytest.mark.parametrize("log_s", [-0.3, 0.3])
@pytest.mark.parametrize("target", [RadialBasis, ByItsScale])
def test_a_right_kernel_is_right_at_an_ordinary_scale(target: type[Function], log_s: float) -> None:
    report = check(target, draw(2, 3), draw(4, 3, seed=1), scalar(log_s))
    assert report.verdict == "right", report.details("en")


def test_an_underflow_is_recognised_by_the_other_sign() -> None:
    """Forward of log_k = -720 has no infinity, and that of 720 has one."""
    report = check(WeibullLogLikelihood, positive(3), draw(3))
    assert report.verdict == "right", report.details("en")
    assert noted(report)["note.overflow"].startswith("where log_k is about -720")


def test_what_autograd_returns_through_forward_is_no_mistake() -> None:
    x = 0.1 + 0.8 * torch.rand(3, generator=torch.Generator().manual_seed(0)).double()
    report = check(KumaraswamyProbability, x, draw(3), draw(3, seed=1))
    assert report.verdict == "right", report.details("en")
    assert {"note.overflow", "note.overflow_of_autograd"} & {*noted(report)}


# A wrong backward --------------------------------------------------------------------------------


@pytest.mark.parametrize("log_s", [-720.0, 720.0, -1e200, -0.3])
def test_a_wrong_kernel_is_found_at_moderate_inputs(log_s: float) -> None:
    inputs = draw(2, 3), draw(4, 3, seed=1), scalar(log_s)
    report = check(wrong.KernelByItsScale, *inputs)
    assert report.verdict == "wrong"
    assert (report.findings[0].cause, report.findings[0].argument) == ("chain_rule", "log_s")


def test_a_finding_at_moderate_inputs_holds_these() -> None:
    inputs = draw(2, 3), draw(4, 3, seed=1), scalar(-720)
    report = check(wrong.KernelByItsScale, *inputs)
    assert report.example[2] is inputs[2]
    x, _, log_s = report.findings[0].inputs
    assert torch.equal(x, inputs[0])
    assert -math.sqrt(10) <= float(log_s) < -1
    assert "note.moderate_inputs" in noted(report)


@pytest.mark.parametrize("given", [None, -800.0])
def test_nan_beside_a_moderate_forward_is_found(given: float | None) -> None:
    x = draw(5) if given is None else torch.full((5,), given).double()
    report = check(wrong.sigmoid, x)
    assert (report.verdict, report.findings[0].cause) == ("wrong", "not_finite")


@pytest.mark.parametrize("given", [None, 800.0])
def test_nan_beside_an_underflow_in_forward_is_found(given: float | None) -> None:
    """exp(-|x|) underflows, but forward takes no exponential that overflows."""
    target = pointwise(
        "SoftplusByHand",
        lambda x: torch.relu(x) + torch.log1p(torch.exp(-x.abs())),
        lambda g, x, y: g * torch.exp(x) / (1 + torch.exp(x)),
    )
    x = draw(5) if given is None else torch.full((5,), given).double()
    report = check(target, x)
    assert (report.verdict, report.findings[0].cause) == ("wrong", "not_finite")


def test_nan_of_a_branch_that_is_not_taken_is_found() -> None:
    """Forward has nan on the way, and infinity at a pole: neither is an overflow."""
    target = pointwise(
        "RootOrZero",
        lambda x: torch.where(x > 0, torch.sqrt(x) * x, 0.0),
        lambda g, x, y: g * 1.5 * (x > 0) * torch.sqrt(x),
    )
    report = check(target, draw(8))
    assert (report.verdict, report.findings[0].cause) == ("wrong", "not_finite")


# What forward computes on the way ----------------------------------------------------------------


def reached(forward: Any, *values: float) -> tuple[bool, bool]:
    found = extent(CallableAdapter(forward), [torch.tensor(values, dtype=torch.float64)])
    return found.large, found.small


def test_overflow_and_underflow_are_seen() -> None:
    assert reached(torch.exp, 1.0, 720.0) == (True, False)
    assert reached(torch.exp, 0.0, -720.0) == (False, True)
    assert reached(lambda x: 1 / torch.exp(x), -800.0) == (True, True)
    assert reached(lambda x: x**400, 3.0) == (True, False)
    assert reached(lambda x: torch.exp(x).exp_().log(), 6.0) == (True, False)


def test_poles_masks_and_nan_are_no_overflow() -> None:
    assert reached(torch.log, 0.0, 1.0) == (False, False)
    assert reached(lambda x: x / x, 0.0, 1.0) == (False, False)
    assert reached(torch.lgamma, -1.0, 2.0) == (False, False)
    assert reached(torch.sqrt, -1.0) == (False, False)
    least = torch.finfo(torch.float64).min
    assert reached(lambda x: x.masked_fill(x > 0, least), -1.0, 1.0) == (False, False)
    assert reached(lambda x: x.masked_fill(x > 0, -math.inf).exp(), -1.0, 1.0) == (False, False)


def test_extreme_inputs_are_those_whose_third_power_is_not_finite() -> None:
    assert extreme([torch.tensor([1.0, 1e200], dtype=torch.float64)])
    assert extreme([torch.full((1,), 1e-200, dtype=torch.float64)])
    assert not extreme([torch.tensor([0.0, math.inf, 1e100], dtype=torch.float64)])
    assert not extreme([torch.tensor([2**40])])


# Rounding at large inputs ------------------------------------------------------------------------


def test_a_sum_of_terms_that_cancel_is_linear_to_rounding() -> None:
    report = check(Tempered, torch.full((4, 3), 720.0).double(), scalar(0.3))
    assert report.verdict == "right", report.details("en")


def test_units_are_not_changed_to_infinite_ones() -> None:
    """1e200 times 2**532 is infinite, and infinity over infinity nan."""
    modulus = pointwise(
        "Modulus",
        torch.abs,
        lambda g, x, y: g * torch.where(y > 0, x / torch.where(y > 0, y, 1.0), 0.0),
    )
    report = check(modulus, torch.full((3,), 1e200, dtype=torch.float64))
    assert report.verdict == "right", report.details("en")


def test_half_precision_below_its_smallest_number_is_no_mistake() -> None:
    """720**2 overflows in float16, and a slope of 1e-6 becomes 0."""
    target = pointwise(
        "Decay", lambda x: torch.exp(-1 / x), lambda g, x, y: g * torch.exp(-1 / x) / x**2
    )
    report = check(target, torch.full((3,), 720.0, dtype=torch.float64))
    assert report.verdict == "right", report.details("en")
