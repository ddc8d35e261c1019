"""The piecewise objective: exact steps, whatever the rows and the weights do."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from derivable import MSE, Function, Network, ReLU, descend
from derivable.functions import LeakyReLU
from derivable.problem import Problem
from derivable.stepper import FusedSteps, PiecewiseSteps, piecewise
from tests.problems import problem

PASS = piecewise.PASS
BOTH = pytest.mark.parametrize("activation", [ReLU, LeakyReLU])


def follow(network: Network, x: Tensor, y: Tensor, lr: float, steps: int) -> tuple[float, float]:
    """The largest deviation from plain steps: of any loss, and of the parameters at the end."""
    ours, plain = network.theta.double(), network.theta.double()
    losses, expected = torch.empty(2, steps, dtype=torch.float64)
    stepper = PiecewiseSteps(Problem(network, MSE, x, y))
    stepper.take_steps(ours, lr, losses)
    stepper.plain.take_steps(plain, lr, expected)
    assert torch.isfinite(expected).all()
    moved = float((plain - network.theta).norm()) or 1.0
    return float(((losses - expected) / expected).abs().max()), float((ours - plain).norm()) / moved


@pytest.fixture
def fallbacks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many steps were taken from the table instead, each time."""
    seen: list[int] = []
    plain_steps = FusedSteps.take_steps

    def counted(self: FusedSteps, theta: Tensor, lr: float, losses: Tensor) -> None:
        seen.append(len(losses))
        plain_steps(self, theta, lr, losses)

    monkeypatch.setattr(FusedSteps, "take_steps", counted)
    return seen


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps go on without the table for a while, also where that does not pay."""
    monkeypatch.setattr(piecewise, "PASS", 1.0)


@BOTH
@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 5, 1), (8, 10, 1), (4, 3, 3)], ids=str)
def test_every_one_of_some_hundred_steps(
    sizes: tuple[int, ...], activation: type[Function], fallbacks: list[int]
) -> None:
    network, x, y = problem(*sizes, rows=701, activation=activation)
    loss, theta = follow(network, x, y, 0.01, 400)
    assert loss < 1e-10
    assert theta < 1e-8
    assert fallbacks == [400]  # the plain steps that it is compared with, and no other


@BOTH
def test_more_rows_near_the_edge_than_a_list_holds(activation: type[Function]) -> None:
    from derivable.stepper.piecewise_kernels import CAPACITY

    network, x, y = problem(2, 3, 1, rows=2 * CAPACITY, activation=activation)
    x = torch.cat([x[:CAPACITY], 1e-3 * x[CAPACITY:]])
    theta = network.theta
    theta[6:9] = 1e-4  # biases: half of the rows lie within their first moves
    loss, moved = follow(network.with_theta(theta), x, y, 0.01, 60)
    assert loss < 1e-10
    assert moved < 1e-8


def test_after_too_many_rows_for_a_list_there_is_one_in_a_smaller_radius() -> None:
    from derivable.stepper.piecewise_kernels import CAPACITY, COUNT, RADIUS

    network, x, y = problem(2, 3, 1, rows=2 * CAPACITY, activation=ReLU)
    theta = network.theta
    theta[:9] *= 1e-3  # every row is near
    stepper = PiecewiseSteps(Problem(network, MSE, x, y))
    stepper.take_steps(theta, 1e-6, torch.empty(4, dtype=torch.float64))
    assert stepper._state is not None
    paths = stepper._state.lists[-1]
    assert (paths[:, RADIUS] < 1e-3).all()
    assert (paths[:, COUNT] <= CAPACITY).all()


@BOTH
def test_weights_of_exactly_zero(activation: type[Function]) -> None:
    network, x, y = problem(3, 5, 1, rows=701, activation=activation)
    theta = network.theta
    theta[:20] = 0  # all of the first layer; the second moves it off
    assert max(follow(network.with_theta(theta), x, y, 0.01, 300)) < 1e-8
    assert max(follow(network.with_theta(0 * theta), x, y, 0.01, 300)) < 1e-8


@BOTH
@pytest.mark.parametrize("side", [-5.0, 5.0])
def test_all_rows_on_one_side(side: float, activation: type[Function]) -> None:
    network, x, y = problem(3, 4, 1, rows=701, activation=activation)
    theta = network.theta
    theta[:16] = 0.1
    theta[12:16] = side
    assert max(follow(network.with_theta(theta), x, y, 0.001, 300)) < 1e-8


@BOTH
def test_duplicate_rows_change_sides_together(activation: type[Function]) -> None:
    network, x, y = problem(2, 4, 1, rows=31, activation=activation)
    loss, theta = follow(network, x.repeat(40, 1), y.repeat(40, 1), 0.02, 400)
    assert loss < 1e-10
    assert theta < 1e-8


def test_rows_of_zeros_lie_on_the_edge() -> None:
    network, x, y = problem(3, 5, 1, rows=701, activation=ReLU)
    theta = network.theta
    theta[15:20] = 0  # biases: rows of zeros are exactly on every edge
    x = x.clone()
    x[::3] = 0
    assert max(follow(network.with_theta(theta), x, y, 0.01, 300)) < 1e-8


def test_large_weights_and_rows_that_float32_cannot_place() -> None:
    network, _, y = problem(2, 3, 1, rows=2003, activation=ReLU)
    theta = network.theta
    theta[:6] = 1e6 * torch.tensor([1, 2, -1, -1, -2, 1], dtype=torch.float64)
    theta[6:9] = 0
    theta[9:12] *= 1e-6
    first = torch.rand(2003, 1, dtype=torch.float64) + 1
    x = torch.cat([first, first + 1e-7 * torch.randn(2003, 1, dtype=torch.float64)], 1)
    stepper = PiecewiseSteps(Problem(network, MSE, x, y))
    ours, losses = theta.clone(), torch.empty(1, dtype=torch.float64)
    stepper.take_steps(ours, 1e-6, losses)
    _, gradient = stepper.objective.value_and_gradient(theta)
    torch.testing.assert_close((theta - ours)[9:] / 1e-6, gradient[9:], rtol=1e-5, atol=1e-6)


def test_a_large_step_is_taken_from_the_table(fallbacks: list[int]) -> None:
    network, x, y = problem(30, 10, 1, rows=2003, activation=ReLU)
    network = network.with_theta(0.1 * network.theta)
    loss, theta = follow(network, x, y, 0.4, 200)  # so large that rows change sides all the time
    assert loss < 1e-6
    assert theta < 1e-6
    assert len(fallbacks) == 2
    assert fallbacks[0] < 200


def much_to_do(monkeypatch: pytest.MonkeyPatch, rows: int = 2003) -> PiecewiseSteps:
    """Steps that do not pay, and short pauses before they are tried again."""
    monkeypatch.setattr(piecewise, "PASS", 1e-9)
    monkeypatch.setattr(piecewise, "CALL", 1e-9)
    monkeypatch.setattr(piecewise, "PAUSE", 70)
    network, x, y = problem(3, 5, 1, rows=rows, activation=ReLU, dtype=torch.float32)
    return PiecewiseSteps(Problem(network, MSE, x, y))


def test_what_does_not_pay_is_left_to_the_fused_loop_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, fallbacks: list[int]
) -> None:
    stepper = much_to_do(monkeypatch)
    theta, losses = torch.randn(26, dtype=torch.float64), torch.empty(500, dtype=torch.float64)
    exact, expected = theta.clone(), torch.empty(500, dtype=torch.float64)
    stepper.take_steps(theta, 0.01, losses)
    assert fallbacks[:2] == [70, 140], "twice as many each time"
    assert sum(fallbacks) <= 500
    stepper.plain.take_steps(exact, 0.01, expected)
    torch.testing.assert_close(losses, expected, rtol=1e-5, atol=0)
    torch.testing.assert_close(theta, exact, rtol=1e-3, atol=1e-5)


def test_pauses_depend_on_the_steps_and_not_on_how_they_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(PiecewiseSteps, "block", 300)
    start, whole = torch.randn(26, dtype=torch.float64), torch.empty(600, dtype=torch.float64)
    theta = start.clone()
    much_to_do(monkeypatch).take_steps(theta, 0.01, whole)
    stepper, other, parts = much_to_do(monkeypatch), start.clone(), torch.empty_like(whole)
    for first, end in ((0, 1), (1, 69), (69, 200), (200, 211), (211, 600)):
        stepper.take_steps(other, 0.01, parts[first:end])
    assert torch.equal(parts, whole)
    assert torch.equal(other, theta)


@pytest.mark.parametrize(("lr", "pays"), [(1e-4, True), (0.1, False)])
def test_a_step_is_a_pass_only_where_it_does_not_pay(
    lr: float, pays: bool, fallbacks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piecewise, "PASS", PASS)
    network, x, y = problem(8, 10, 1, rows=5003, activation=ReLU, dtype=torch.float32)
    stepper = PiecewiseSteps(Problem(network, MSE, x, y))
    stepper.take_steps(network.theta.double(), lr, torch.empty(2500, dtype=torch.float64))
    assert (not fallbacks) == pays
    assert fallbacks == [] or sum(fallbacks) > 1250


def test_blocks_go_on_with_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PiecewiseSteps, "block", 100)
    network, x, y = problem(3, 5, 1, rows=701, activation=ReLU, dtype=torch.float32)
    whole = descend(network, MSE, x, y, lr=0.01, steps=350, objective="piecewise")
    for stop in (100, 130, 349):
        part = descend(network, MSE, x, y, lr=0.01, steps=stop, objective="piecewise")
        rest = descend(network, MSE, x, y, lr=0.01, steps=350, start=part.checkpoint)
        if stop % 100 == 0:
            assert torch.equal(rest.losses, whole.losses)
            assert torch.equal(rest.checkpoint.theta, whole.checkpoint.theta)
        torch.testing.assert_close(rest.losses, whole.losses, rtol=1e-12, atol=0)


def test_a_table_in_float32_is_descended_in_float64() -> None:
    network, x, y = problem(3, 5, 1, rows=701, activation=ReLU, dtype=torch.float32)
    run = descend(network, MSE, x, y, lr=0.01, steps=300, objective="piecewise")
    twin = problem(3, 5, 1, rows=701, activation=ReLU)[0].with_theta(network.theta)
    exact = descend(twin, MSE, x.double(), y.double(), lr=0.01, steps=300, objective="fused")
    torch.testing.assert_close(run.losses, exact.losses, rtol=1e-10, atol=0)
    assert run.checkpoint.theta.dtype == torch.float64
    assert run.parameters[0].dtype == torch.float32
