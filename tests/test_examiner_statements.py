"""What findings state of a kind of Function, a dtype and a sign is true of these."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import derivable
from derivable.errors import GradientError
from derivable.examiner import check
from derivable.examiner.messages import say
from tests.corpus.draw import draw


class Add(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, b: Any) -> Any:
        return x + b

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g, g


class OurAdd(derivable.Function):
    forward, backward = staticmethod(Add.forward), staticmethod(Add.backward)


class KeptRow(derivable.Function):
    forward = staticmethod(Add.forward)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g, g.sum(0, keepdim=True)


class Pinball(derivable.Function):
    """The slope is float32: it is made of two Python numbers."""

    @staticmethod
    def forward(ctx: Any, p: Any, t: Any) -> Any:
        ctx.save_for_backward(p - t)
        return torch.maximum(0.9 * (p - t), -0.1 * (p - t))

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (d,) = ctx.saved_tensors
        slope = torch.where(d >= 0, 0.9, -0.1)
        return g * slope, -g * slope


class CubeWithoutItsThree(derivable.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * x**2


class Bump(derivable.Function):
    """exp(-2 log_s) is infinite where log_s is -720, and forward is 0 there."""

    @staticmethod
    def forward(ctx: Any, x: Any, log_s: Any) -> Any:
        ctx.save_for_backward(x, log_s)
        return torch.exp(-(x**2) * torch.exp(-2 * log_s))

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, log_s = ctx.saved_tensors
        inverse = torch.exp(-2 * log_s)
        y = torch.exp(-(x**2) * inverse)
        return -2 * g * x * inverse * y, 2 * g * y * x**2 * inverse


def keys(finding: Any) -> list[str]:
    return [message.key for message in finding.evidence]


@pytest.mark.parametrize(("function", "cause"), [(OurAdd, "missing_sum"), (KeptRow, "keepdim")])
def test_ours_raises_for_another_shape_and_the_finding_states_it(function: Any, cause: str) -> None:
    (finding,) = (report := check(function, draw(5, 3), draw(3, seed=1))).findings
    assert (finding.cause, report.verdict) == (cause, "wrong")
    assert "evidence.gradient_error" in keys(finding)
    assert not {"evidence.autograd_sums", "evidence.autograd_reshapes"} & {*keys(finding)}
    with pytest.raises(GradientError):
        function.apply(draw(5, 3), draw(3, seed=1)).sum().backward()


def test_autograd_sums_for_a_function_of_pytorch() -> None:
    (finding,) = (report := check(Add, draw(5, 3), draw(3, seed=1))).findings
    assert report.verdict == "right"
    assert "evidence.autograd_sums" in keys(finding)
    apply: Any = Add.apply
    apply(draw(5, 3), draw(3, seed=1)).sum().backward()


def test_a_number_that_is_rounded_in_float64_is_no_matter_of_smaller_dtypes() -> None:
    report = check(Pinball, draw(5, 3), draw(5, 3, seed=1))
    assert [f.cause for f in report.findings] == ["precision", "precision"]
    first, *lines = str(report).splitlines()
    assert first.startswith("Pinball: wrong: a number is rounded to float32 on the way (")
    assert any("torch.where with two Python numbers" in line for line in lines)


def test_the_advice_for_a_factor_fits_where_nothing_is_divided() -> None:
    report = check(CubeWithoutItsThree, draw(4, 3))
    assert [f.cause for f in report.findings] == ["factor"]
    assert "multiply and divide: the exponent of a power" in str(report)


def test_the_sign_of_a_large_value_is_stated() -> None:
    report = check(Bump, draw(4, 3), draw(4, 3, seed=1))
    assert report.verdict == "right"
    (note,) = (note for note in report.notes if note.key == "note.overflow")
    assert say(note, "en").startswith("where log_s is about -720, forward itself overflows")
