"""The examiner at inputs that lie on another device: the verdicts of the CPU."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from derivable import check, check_gradient
from derivable.examiner.render.reproduction import reproduction
from derivable.functions import CrossEntropy, Softmax
from tests.corpus.entry import Right, Wrong
from tests.corpus.part import part
from tests.corpus.right import RIGHT
from tests.corpus.wrong import WRONG
from tests.other_device import other_device

CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no CUDA device here")
# Test cases of a few seconds: the emulated device is some twenty times slower than the CPU.
NAMES = (
    "mean squeezes too much",
    "saved gate",
    "sqrt_over_its_input",
    "square on a global tape",
    "one_of_two",
    "round_straight_through",
    "sqrt(1 + |x|^2) by item",
)
EVERY: list[Wrong | Right] = [*WRONG, *RIGHT]
SOME = [case for case in EVERY if case.name in NAMES]

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(params=["emulated", pytest.param("cuda", marks=CUDA)])
def there(request: pytest.FixtureRequest) -> Any:
    """Another device."""
    if request.param == "cuda":
        yield torch.device("cuda:0")
        return
    with other_device() as where:
        yield where


def moved(inputs: Any, where: torch.device) -> list[Any]:
    return [
        value.detach().to(where).requires_grad_(value.requires_grad)
        if isinstance(value, Tensor)
        else value
        for value in inputs
    ]


@pytest.mark.parametrize("case", part(SOME, 3), ids=lambda case: case.name)
def test_the_verdict_is_that_of_the_cpu(case: Wrong | Right, there: torch.device) -> None:
    found = check(case.target, *moved(case.inputs(), there), **case.options)
    expected = check(case.target, *case.inputs(), **case.options)
    assert found.verdict == expected.verdict, found.details("en")
    assert [(f.cause, f.argument) for f in found.findings] == [
        (f.cause, f.argument) for f in expected.findings
    ]
    assert found.sections == expected.sections


def test_functions_callables_and_modules_of_the_library(there: torch.device) -> None:
    x = torch.randn(2, 3)
    given = moved((x, torch.tensor([0, 2])), there)
    assert check(CrossEntropy, *given, budget=2_000).verdict == "right"
    assert check(lambda x: Softmax.apply(x, 1), x.to(there), budget=2_000).verdict == "right"
    assert check(nn.Linear(3, 2).to(there), x.to(there), budget=2_000).verdict == "right"


def test_a_gradient_beside_a_value(there: torch.device) -> None:
    theta = torch.tensor([0.3, -0.7, 1.1], dtype=torch.float64).to(there)
    seen = []

    def value(theta: Tensor) -> Tensor:
        seen.append(theta.device)
        return (theta**2).sum()

    assert check_gradient(value, lambda t: 2 * t, at=theta).verdict == "right"
    assert check_gradient(value, lambda t: 3 * t, at=theta).verdict == "wrong"
    assert set(seen) == {there}


class Elsewhere(torch.autograd.Function):
    """A backward that makes its gradient on the CPU."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return torch.ones(x.shape, dtype=x.dtype) * 2


def test_a_gradient_on_the_wrong_device_is_found(there: torch.device) -> None:
    report = check(Elsewhere, torch.randn(3, 4).to(there))
    assert report.verdict == "wrong"
    assert "the gradient of input 0 lies on cpu, and the input on" in report.details("en")


class Overwriting(torch.autograd.Function):
    """A forward that changes its input, and a backward that changes grad_output."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.mul_(2).clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad.mul_(2)


def test_what_is_overwritten_there_is_seen_here(there: torch.device) -> None:
    report, expected = (
        check(Overwriting, x) for x in (torch.randn(3, 4).to(there), torch.randn(3, 4))
    )
    assert {f.cause for f in report.findings} == {f.cause for f in expected.findings}
    assert "in_place" in {f.cause for f in report.findings}
    assert [f.source for f in report.findings] == [f.source for f in expected.findings]


def test_findings_and_the_reproduction_name_the_device(there: torch.device) -> None:
    x = torch.randn(3, 4).to(there)
    report = check(Elsewhere, x)
    assert report.example[0] is x
    assert f"device='{there}'" in reproduction(report, report.findings[0])
