"""Numerical differentiation: its error bounds hold, against derivatives to 50 digits."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import mpmath
import pytest
import torch
from torch import Tensor

from derivable.examiner import measure
from derivable.examiner.measure import (
    Budget,
    BudgetSpent,
    Differentiator,
    Settings,
    numerical_derivative,
    numerical_jacobian,
)
from derivable.examiner.measure.space import real, unreal
from tests.conftest import ROOT
from tests.measured_coverage import Coverage, coverage
from tests.measured_functions import FAMILIES, Case, cases, float64
from tests.measured_functions import smooth as smooth_case

COUNT = 25  # functions per family; benchmarks/measure.py has more


@pytest.fixture(scope="module")
def covered() -> dict[str, Coverage]:
    return {family: coverage(cases(family, COUNT)) for family in FAMILIES}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_derivative_lies_within_five_errors(family: str, covered: dict[str, Coverage]) -> None:
    assert covered[family].outside == 0


def test_the_bounds_are_small_where_functions_are_smooth(covered: dict[str, Coverage]) -> None:
    for family in ("smooth", "offset", "scales", "near_pole"):
        assert covered[family].relative < 1e-9, family
        assert covered[family].settled >= 0.98 * covered[family].entries, family
    assert covered["smooth"].kinks == 0


def test_kinks_jumps_and_infinite_slopes_are_recognised(covered: dict[str, Coverage]) -> None:
    assert sum(found.settled for found in covered.values()) > 16 * COUNT
    at_kink = covered["at_kink"]
    assert at_kink.kinks >= 0.99 * at_kink.functions
    assert covered["at_jump"].nowhere >= 0.99 * covered["at_jump"].entries
    assert covered["infinite_slope"].nowhere >= 0.99 * covered["infinite_slope"].entries


@pytest.mark.parametrize("name", ["exp", "sin", "square", "conj", "abs2"])
def test_complex_functions_are_real_ones_of_twice_as_many_numbers(name: str) -> None:
    functions = {
        "exp": (torch.exp, mpmath.exp), "sin": (torch.sin, mpmath.sin),
        "square": (torch.square, lambda z: z * z), "conj": (torch.conj, mpmath.conj),
        "abs2": (lambda z: z * z.conj(), lambda z: z * mpmath.conj(z)),
    }  # fmt: skip
    function, exact = functions[name]
    generator = torch.Generator().manual_seed(3)
    z = torch.randn(3, dtype=torch.complex128, generator=generator)

    measured = numerical_jacobian(lambda x: real(function(unreal(x, z))), real(z))
    h = mpmath.mpf(10) ** -20
    for k, entry in enumerate(z.tolist()):
        for part, step in enumerate((h, h * 1j)):
            point = mpmath.mpc(entry)
            slope = (exact(point + step) - exact(point - step)) / (2 * h)
            for row, true in ((2 * k, slope.real), (2 * k + 1, slope.imag)):
                column = 2 * k + part
                off = abs(float(true) - float(measured.value[row, column]))
                assert off <= 5 * float(measured.error[row, column])
    assert float((measured.error / measured.value.abs().amax()).max()) < 1e-9


def test_a_derivative_along_a_direction() -> None:
    x, direction = float64([0.3, -1.2, 0.7]), float64([1.0, 2.0, -1.0])
    measured = numerical_derivative(lambda v: (v.sin() * v.exp()).cumsum(0), x, direction)
    true = ((x.sin() + x.cos()) * x.exp() * direction).cumsum(0)
    assert bool(((measured.value - true).abs() <= 5 * measured.error).all())
    at_kink = numerical_derivative(torch.abs, float64([0.0]), float64([2.0]))
    assert at_kink.low.item() == pytest.approx(-2)
    assert at_kink.high.item() == pytest.approx(2)


def test_float32_inputs_need_their_rounding() -> None:
    """A function that rounds its input to float32 is a staircase of that rounding."""
    x = float64([0.7, -0.3])
    settings = Settings(rounding=torch.finfo(torch.float32).eps)
    measured = numerical_jacobian(lambda v: v.float().sin(), x, settings=settings)
    off = (measured.value - x.cos().diag()).abs()
    assert bool((off <= 5 * measured.error).all())
    assert bool(measured.settled.all())


def test_where_it_raises_beside_x_it_is_not_defined() -> None:
    def root(x: Tensor) -> Tensor:
        if bool((x < 0).any()):
            raise ValueError("negative")
        return x**1.5

    measured = numerical_jacobian(root, float64([0.0]))
    assert measured.value.abs().item() <= 5 * measured.error.item()
    with pytest.raises(ValueError, match="negative"):
        numerical_jacobian(root, float64([-1.0]))


class Batched:
    """sin, at many points at once."""

    def __init__(self, consistent: bool = True) -> None:
        self.batchable, self.consistent, self.single = True, consistent, 0

    def __call__(self, point: Tensor) -> Tensor:
        self.single += 1
        return point.sin()

    def evaluate_many(self, points: Tensor) -> Tensor:
        return points.sin() if self.consistent else points.cos()


def test_batches_are_used_and_compared_with_an_evaluation_by_itself() -> None:
    x = torch.linspace(0.1, 3, 40).double()
    consistent, inconsistent = Batched(), Batched(consistent=False)
    one, other = numerical_jacobian(consistent, x), numerical_jacobian(inconsistent, x)
    assert consistent.single < 20
    assert inconsistent.single > 8 * 40
    assert not inconsistent.batchable
    assert bool(((one.value - x.cos().diag()).abs() <= 5 * one.error).all())
    assert bool(((other.value - x.cos().diag()).abs() <= 5 * other.error).all())


def test_evaluations_are_counted_and_a_budget_is_kept() -> None:
    calls = 0

    def f(x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return x.exp()

    x, budget = float64([0.1, 0.2, 0.3]), Budget(1000)
    differentiator = Differentiator(f, x, budget=budget)
    differentiator.jacobian()
    assert differentiator.evaluations.calls == differentiator.evaluations.rows == calls
    assert budget.spent == calls
    before = calls
    differentiator.along(x)
    assert calls == before + 8  # noise and step length are known

    with budget.share(0.01, least=2), pytest.raises(BudgetSpent) as spent:
        numerical_jacobian(f, x, budget=budget)
    assert budget.spent == calls
    assert budget.left == 1000 - calls
    assert not isinstance(spent.value, Exception)  # no `except Exception` takes it for the user's


def test_a_second_direction_costs_eight_evaluations_for_every_smooth_function() -> None:
    import random

    draw = random.Random(4)
    for _ in range(20):
        case: Case = smooth_case(draw)
        differentiator = Differentiator(case.f, case.x)
        differentiator.along(torch.ones_like(case.x))
        before = differentiator.evaluations.rows
        measured = differentiator.along(torch.ones_like(case.x))
        assert differentiator.evaluations.rows == before + 8
        true = case.above.sum(1)
        slack = 5 * measured.error + 1e-12 * case.above.abs().sum(1)
        assert bool(((measured.value - true).abs() <= slack).all())


def test_it_is_the_lowest_package_of_the_examiner() -> None:
    for path in Path(measure.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("derivable"):
                assert (node.module or "").startswith("derivable.examiner.measure"), path


def test_the_examples_in_the_document_run() -> None:
    text = (ROOT / "docs" / "measure.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    exec("\n".join(blocks), {})


def test_by_an_infinite_entry_the_derivative_is_zero() -> None:
    x = torch.tensor([0.5, -torch.inf, 2.0, -torch.inf]).double()
    differentiator = Differentiator(lambda x: x.exp().cumsum(0), x)
    expected = torch.ones(4, 4).double().tril() * x.exp()
    measured = differentiator.jacobian()
    torch.testing.assert_close(measured.value, expected)
    refined = differentiator.refined(measured, [0, 1, 2, 3])
    torch.testing.assert_close(refined.value, expected)
    assert bool((refined.error < 1e-9).all())
