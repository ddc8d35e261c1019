"""The examiner where measuring or concluding is hard: edges, minima, noise, consequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from derivable.examiner import Report, check, check_gradient
from derivable.examiner.checks.linearity import layout
from derivable.examiner.checks.values import ExaminedTarget
from derivable.examiner.targets.adapters import adapter_of
from tests.corpus.draw import draw

Rule = Callable[[Tensor], Tensor]


def function(value: Rule, slope: Rule) -> type[torch.autograd.Function]:
    """An elementwise Function of one input."""

    class Examined(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return value(x)

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Tensor:
            (x,) = ctx.saved_tensors
            return grad_output * slope(x)

    return Examined


def keys(report: Report) -> set[str]:
    return {note.key for note in report.notes}


def evidence(report: Report) -> set[str]:
    return {message.key for finding in report.findings for message in finding.evidence}


EDGES: dict[str, tuple[Rule, Rule, float]] = {
    "log": (torch.log, lambda x: 1 / x, 0.0),
    "sqrt": (torch.sqrt, lambda x: 0.5 / x.sqrt(), 0.0),
    "asin": (torch.asin, lambda x: 1 / ((1 - x) * (1 + x)).sqrt(), 1.0),
}


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("distance", [1e-4, 1e-10])
def test_an_entry_beside_the_edge_of_a_domain_is_measured(name: str, distance: float) -> None:
    value, slope, edge = EDGES[name]
    x = torch.tensor([abs(edge - distance), 0.3, 0.7], dtype=torch.float64)

    def wrong(x: Tensor) -> Tensor:
        return slope(x) * torch.where((x - edge).abs() < 2 * distance, 1.1, 1.0)

    assert check(function(value, slope), x).verdict == "right"
    assert check(function(value, wrong), x).verdict == "wrong"


def test_what_has_no_derivative_is_said_not_to_be_compared() -> None:
    report = check(function(*EDGES["sqrt"][:2]), torch.tensor([0.0, 0.3]).double())
    assert report.verdict == "right"
    assert "note.nowhere" in keys(report)
    assert "note.kinks" not in keys(report)


def test_a_gradient_of_zero_at_a_minimum_is_right_and_any_other_wrong() -> None:
    def value(theta: Any) -> Any:
        return np.sum((theta - 1) ** 4 + (theta - 1) ** 2)

    def gradient(theta: Any) -> Any:
        return 4 * (theta - 1) ** 3 + 2 * (theta - 1)

    assert check_gradient(value, gradient, at=np.ones(3)).verdict == "right"
    assert check_gradient(value, lambda t: gradient(t) + 1e-4, at=np.ones(3)).verdict == "wrong"


def test_an_ill_conditioned_matrix_gives_no_false_positive() -> None:
    class Solve(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
            x = torch.linalg.solve(a, b)
            ctx.save_for_backward(a, x)
            return x

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
            a, x = ctx.saved_tensors
            grad_b = torch.linalg.solve(a.T, grad_output)
            return -torch.outer(grad_b, x), grad_b

    i = torch.arange(6).double()
    report = check(Solve, 1 / (i[:, None] + i + 1), torch.linspace(-1, 2, 6).double())
    assert report.verdict == "right", report.details("en")


def test_an_iteration_that_has_not_arrived_elsewhere_gives_no_false_positive() -> None:
    class FixedPoint(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, w: Tensor, x: Tensor) -> Tensor:
            z = torch.zeros_like(x)
            for _ in range(40):
                z = torch.tanh(w @ z + x)
            ctx.save_for_backward(w, z)
            return z

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
            w, z = ctx.saved_tensors
            slope = 1 - z**2
            matrix = torch.eye(len(z)).to(z) - slope[:, None] * w
            grad_x = slope * torch.linalg.solve(matrix.T, grad_output)
            return torch.outer(grad_x, z), grad_x

    torch.manual_seed(0)
    report = check(FixedPoint, 0.1 * torch.randn(2, 2), torch.randn(2))
    assert report.verdict == "right", report.details("en")
    assert "note.unfinished" in keys(report)


def test_a_threshold_beyond_the_inputs_is_found_where_it_is() -> None:
    wrong = function(torch.tanh, lambda x: torch.where(x.abs() > 2.5, 0.0, 1 - torch.tanh(x) ** 2))
    (finding,) = check(wrong, torch.linspace(-1.4, 1.3, 12)).findings
    assert finding.cause == "one_side"
    assert finding.evidence[0].fields["at"] == "2.5"


def test_steps_with_a_gradient_are_taken_for_a_surrogate() -> None:
    report = check(function(torch.round, torch.ones_like), torch.linspace(-2.2, 2.4, 8))
    assert [finding.cause for finding in report.findings] == ["surrogate"]


def test_a_small_constant_in_backward_only_is_named() -> None:
    wrong = function(torch.log, lambda x: 1 / (x + 1e-4))
    report = check(wrong, torch.tensor([0.2, 0.7, 1.3, 2.1]))
    assert "evidence.offset" in evidence(report)


def test_the_operation_whose_derivative_is_left_out_is_named() -> None:
    class Attention(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, k: Tensor, q: Tensor, v: Tensor) -> Tensor:
            ctx.save_for_backward(k, q, v)
            return torch.softmax(q @ k.T, dim=-1) @ v

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
            _, q, v = ctx.saved_tensors
            return (grad_output @ v.T).T @ q, None, None

    k = torch.randn(3, 2, requires_grad=True)
    (finding,) = check(Attention, k, torch.randn(4, 2), torch.randn(3, 5)).findings
    assert finding.cause == "chain_rule"
    assert ("evidence.skipped", {"name": "softmax"}) in finding.evidence


def test_what_follows_from_shared_state_is_not_said_beside_it() -> None:
    calls = [0]

    def slope(x: Tensor) -> Tensor:
        calls[0] += 1
        return torch.full_like(x, 1.0 + calls[0] % 2)

    report = check(function(lambda x: 1.0 * x, slope), torch.randn(5))
    assert [finding.cause for finding in report.findings] == ["state"]


def test_a_callable_made_of_functions_runs_in_batches() -> None:
    square = function(torch.square, lambda x: 2 * x)
    calls = [0]

    def composed(x: Tensor) -> Any:
        calls[0] += 1
        return square.apply(x.sin())

    assert check(composed, torch.randn(4, 3)).verdict == "right"
    assert calls[0] < 3000, "one forward after the other takes many thousands"
    original = torch.autograd.Function.apply
    assert "apply" in vars(torch.autograd.Function)
    assert original.__qualname__ == "Function.apply", "PyTorch is left as it was"


@pytest.mark.parametrize("seed", [9, 13, 16, 23])
def test_a_saturated_forward_that_is_a_staircase_of_rounding_is_no_finding(seed: int) -> None:
    slope_of_tanh = function(
        lambda x: 1 - torch.tanh(x) ** 2, lambda x: -2 * torch.tanh(x) * (1 - torch.tanh(x) ** 2)
    )
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 7, generator=draw, dtype=torch.float64)
    report = check(slope_of_tanh, x, seed=seed, level="lab", budget=2000)
    assert report.ok
    assert not report.findings


class SumInMemory(torch.autograd.Function):
    """Sums in the order in memory, as matrix products do, and amplifies the rounding of the sum."""

    amplified = 1e10

    @classmethod
    def forward(cls, ctx: Any, x: Tensor) -> Tensor:
        inner = x if x.is_contiguous() else x.mT
        total = inner.reshape(-1).cumsum(0)[-1]
        ctx.save_for_backward(x, total)
        return total

    @classmethod
    def backward(cls, ctx: Any, g: Tensor) -> Tensor:
        x, total = ctx.saved_tensors
        return g * torch.ones_like(x) * (1 + cls.amplified * (total - x.sum(0).sum()))


class TransposedInMemory(SumInMemory):
    @classmethod
    def backward(cls, ctx: Any, g: Tensor) -> Tensor:
        x, _ = ctx.saved_tensors
        return g * (2.0 - torch.ones_like(x) * x.is_contiguous())


class BackwardInMemory(torch.autograd.Function):
    """Its backward amplifies the rounding of a sum of grad_output in the order in memory."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        inner = g if g.is_contiguous() else g.mT
        total = inner.reshape(-1).cumsum(0)[-1]
        return 2 * g * (1 + 1e10 * (total - g.sum(0).sum()))


def test_rounding_of_another_memory_layout_is_no_mistake() -> None:
    x = draw(7, 5).detach() * torch.logspace(0, 3, 5).double()
    for target, found in (
        (SumInMemory, False),
        (BackwardInMemory, False),
        (TransposedInMemory, True),
    ):
        examined = ExaminedTarget(adapter_of(target), [0])
        assert bool(layout(examined, [x])) is found
