"""The flow and its error estimate against exact steps in float64, all the way."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from derivable import MSE, Descent, Elementwise, Flow, Function, ReLU, Tanh, descend, functions
from derivable.descent import Checkpoint, State
from derivable.descent.flow import _largest_difference
from derivable.descent.integration import Integration, _stride
from derivable.descent.sharpness import extreme_eigenvalues
from derivable.descent.snapshots import Snapshots
from derivable.objective import ByHand, Fused
from derivable.problem import Problem
from tests.problems import Given, doubled, problem


def deviation(run: Descent, problem: Given) -> float:
    """The largest of all losses, relative to that of exact steps in float64."""
    network, x, y = doubled(*problem)
    exact = descend(network, MSE, x, y, lr=run.lr, steps=run.steps, method="steps")
    return float(((run.losses - exact.losses) / exact.losses).abs().max())


def lab(*sizes: int, activation: type[Function] = Tanh, **settings: Any) -> Given:
    """A problem that begins as the lab does, with small weights."""
    network, x, y = problem(*sizes, rows=61, activation=activation, **settings)
    return network.with_theta(0.3 * network.theta), x, y


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("sizes", [(3, 5, 1), (4, 3, 2), (3, 4, 3, 1)], ids=str)
@pytest.mark.parametrize("activation", [Tanh, functions.Sigmoid, functions.SiLU])
def test_it_is_no_further_from_exact_steps_than_it_estimates(
    activation: type[Function], sizes: tuple[int, ...], dtype: torch.dtype
) -> None:
    given = lab(*sizes, activation=activation, dtype=dtype)
    run = descend(*given[:1], MSE, *given[1:], lr=1e-3, steps=8000, method="flow")
    estimate = run.error_estimate
    assert estimate.deviation <= 1e-4
    assert deviation(run, given) <= estimate.deviation
    if estimate.exact:
        assert "all steps were taken one by one, without the flow" in estimate.note
    else:
        assert run.gradient_evaluations < 8000
        assert estimate.windows[0].step == 0
        assert estimate.windows[-1].step == 8000
        assert f"within {estimate.deviation:.0e} of exact steps" in repr(run)


@pytest.mark.parametrize("seed", range(6))
def test_the_error_estimate_holds_where_the_tolerance_is_wide(seed: int) -> None:
    given = lab(3, 5, 1, seed=seed)
    run = descend(*given[:1], MSE, *given[1:], lr=3e-3, steps=6000, method=Flow(0.05))
    assert not run.error_estimate.exact
    assert deviation(run, given) <= run.error_estimate.deviation <= 0.05


@pytest.mark.parametrize(
    ("sizes", "activation", "rows", "seed"),
    [
        ((2, 5, 2, 2), Tanh, 7, 392598),
        ((5, 1, 2), functions.Sigmoid, 45, 254298),
        ((5, 5, 1), functions.SiLU, 33, 780550),
    ],
)
def test_the_error_estimate_knows_how_float32_rounds(
    sizes: tuple[int, ...], activation: type[Function], rows: int, seed: int
) -> None:
    network, x, y = problem(
        *sizes, rows=rows, activation=activation, seed=seed, dtype=torch.float32
    )
    given = network.with_theta(0.03 * network.theta), x, y
    run = descend(*given[:1], MSE, x, y, lr=1e-4, steps=3000, method="flow")
    assert not run.error_estimate.exact
    assert deviation(run, given) <= run.error_estimate.deviation < 1e-5


def test_a_flow_that_overflows_is_left_in_silence() -> None:
    network, x, y = problem(2, 3, 1, rows=9, activation=functions.Square)
    given = network.with_theta(40 * network.theta), x, y
    with pytest.raises(ArithmeticError, match="the descent diverged"):
        descend(*given[:1], MSE, x, y, lr=1e-3, steps=3000, method="flow")


def test_it_is_taken_by_auto_and_has_a_few_evaluations() -> None:
    given = lab(3, 5, 1)
    run = descend(*given[:1], MSE, *given[1:], lr=1e-5, steps=100_000)
    assert run.method == "flow"
    assert not run.error_estimate.exact
    assert run.gradient_evaluations < 2000
    assert len(run.losses) == 100_001
    assert deviation(run, given) <= run.error_estimate.deviation <= 1e-4
    yhat, _ = run.network.forward_by_hand(given[1])
    assert run.train_loss == pytest.approx(((yhat - given[2]) ** 2).mean().item(), rel=1e-10)


@pytest.mark.parametrize(
    ("settings", "note"),
    [
        ({"lr": 0.5, "steps": 300}, r"lr \* lambda_max is .*, which is not small"),
        ({"lr": 0.1, "steps": 4000}, r"lr \* lambda_max is .*|costs more than the steps"),
        (
            {"lr": 1e-3, "steps": 3000, "method": Flow(1e-14)},
            r"would deviate by .* 1e-14 was asked",
        ),
    ],
)
def test_it_hands_over_to_exact_steps_and_says_why(settings: dict[str, Any], note: str) -> None:
    given = lab(3, 5, 1)
    run = descend(*given[:1], MSE, *given[1:], **{"method": "flow", **settings})
    assert run.error_estimate.exact
    assert run.error_estimate.deviation == 0
    pattern = re.compile(note)
    assert pattern.search(str(run.error_estimate))
    assert str(run.error_estimate).startswith(
        "exact; all steps were taken one by one, without the flow: "
    )
    assert run.gradient_evaluations > settings["steps"]
    assert deviation(run, given) < 1e-12


def test_divergence_is_that_of_exact_steps() -> None:
    network, x, y = lab(3, 5, 1)
    with pytest.raises(ArithmeticError, match=r"the loss is (inf|nan) at step \d+ with lr=30"):
        descend(network, MSE, x, y, lr=30.0, steps=3000, method="flow")


@pytest.mark.parametrize("activation", [ReLU, functions.LeakyReLU, functions.Hardtanh])
def test_kinks(activation: type[Function]) -> None:
    given = lab(3, 5, 1, activation=activation)
    run = descend(*given[:1], MSE, *given[1:], lr=1e-4, steps=6000, method=Flow(1e-3))
    assert deviation(run, given) <= max(run.error_estimate.deviation, 1e-12)


class InverseSinh(Elementwise):
    """An activation that cannot be compiled."""

    @staticmethod
    def function(input: Tensor) -> Tensor:
        return torch.asinh(input)

    @staticmethod
    def slope(input: Tensor) -> Tensor:
        return (1 + input**2).rsqrt()


def test_without_compiled_loops() -> None:
    given = lab(3, 4, 1, activation=InverseSinh)
    run = descend(*given[:1], MSE, *given[1:], lr=1e-3, steps=3000, method="flow")
    assert run.objective == "by hand"
    exact = descend(*given[:1], MSE, *given[1:], lr=1e-3, steps=3000, method="steps")
    apart = float(((run.losses - exact.losses) / exact.losses).abs().max())
    assert apart <= run.error_estimate.deviation <= 1e-4


def test_interrupted_in_progress_and_resumed() -> None:
    network, x, y = given = lab(3, 5, 1)

    def stop(state: State) -> None:
        if state.step > 1000:
            raise KeyboardInterrupt

    part = descend(network, MSE, x, y, lr=1e-3, steps=8000, method="flow", on_block=stop)
    assert part.interrupted
    assert 1000 < part.steps < 8000
    assert torch.isfinite(part.losses).all()
    assert part.error_estimate.deviation == math.inf
    assert "interrupted before it was measured" in str(part.error_estimate)
    assert deviation(part, given) < 1e-4
    rest = descend(network, MSE, x, y, lr=1e-3, steps=8000, start=part.checkpoint)
    assert (rest.method, rest.steps) == ("flow", 8000)
    assert torch.equal(rest.losses[: part.steps], part.losses[:-1])
    assert deviation(rest, given) < 2e-4
    assert rest.error_estimate.deviation == math.inf
    assert f"the first {part.steps:,} steps were interrupted" in str(rest.error_estimate)


def test_what_goes_on_from_a_flow_is_as_far_off_as_both_parts(tmp_path: Path) -> None:
    network, x, y = given = lab(3, 5, 1)
    part = descend(network, MSE, x, y, lr=1e-3, steps=4000, method="flow")
    part.checkpoint.save(tmp_path / "descent")
    start = Checkpoint.load(tmp_path / "descent")
    rest = descend(network, MSE, x, y, lr=1e-3, steps=8000, start=start)
    assert 0 < part.error_estimate.deviation < rest.error_estimate.deviation < 2e-4
    assert deviation(rest, given) <= rest.error_estimate.deviation
    steps = [window.step for window in rest.error_estimate.windows]
    assert (steps[0], steps[-1]) == (4000, 8000)
    strict = descend(network, MSE, x, y, lr=1e-3, steps=8000, start=start, method=Flow(1e-15))
    assert "all steps were taken one by one, without the flow" in strict.error_estimate.note
    assert not strict.error_estimate.exact
    assert strict.error_estimate.deviation == part.error_estimate.deviation


def test_interrupted_at_any_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    network, x, y = lab(3, 5, 1)
    plain, left = Fused.hvp, [10**9]

    def hvp(self: Fused, theta: Tensor, direction: Tensor) -> Tensor:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return plain(self, theta, direction)

    monkeypatch.setattr(Fused, "hvp", hvp)
    settings: dict[str, Any] = {"lr": 1e-4, "steps": 8000, "method": "flow"}
    whole = descend(network, MSE, x, y, **settings)
    assert not whole.error_estimate.exact
    calls = 10**9 - left[0]
    for call in (1, 9, 20, calls // 2, calls - 50, calls - 1):  # the last: the second crossing
        left[0] = call
        run = descend(network, MSE, x, y, **settings)
        assert run.interrupted
        assert torch.equal(run.losses, whole.losses[: len(run.losses)])


def one_by_one(function: Callable[[Tensor], Tensor], size: int) -> Tensor:
    return torch.stack([function(e) for e in torch.eye(size, dtype=torch.float64)])


@pytest.mark.parametrize("activation", [Tanh, ReLU])
def test_the_extreme_eigenvalues_are_those_of_the_hessian(activation: type[Function]) -> None:
    network, x, y = problem(3, 5, 1, rows=43, activation=activation)
    objective, theta = ByHand(Problem(network, MSE, x, y)), network.theta
    hessian = one_by_one(lambda e: objective.hvp(theta, e), len(theta))
    expected = torch.linalg.eigvalsh(hessian)
    smallest, largest = extreme_eigenvalues(objective, theta)
    assert largest == pytest.approx(float(expected[-1]), rel=1e-3)
    assert float(expected[0]) - 1e-9 <= smallest <= float(expected[0]) + 0.05 * largest
    theta[0] = torch.nan
    assert extreme_eigenvalues(objective, theta) == (-math.inf, math.inf)


@pytest.mark.parametrize(("status", "y"), [("failed", 1.0), ("running", math.inf)])
def test_a_flow_that_does_not_stay_finite_is_given_up(status: str, y: float) -> None:
    solver: Any = SimpleNamespace(status="running", y=np.zeros(2))

    def step() -> None:
        solver.status, solver.y = status, np.array([y, 1.0])

    solver.step, unused = step, None
    losses, theta = torch.full((5,), torch.nan).double(), torch.zeros(1).double()
    found = Integration(losses, theta, 0, Snapshots(1))
    _stride(found, unused, solver, unused, None)  # type: ignore[arg-type]
    assert str(found.trouble) == "its loss or parameters are not finite"
    assert _largest_difference(found, found) == math.inf
