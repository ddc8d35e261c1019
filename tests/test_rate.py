"""A learning rate that suits the table."""

from __future__ import annotations

import pytest
import torch

from derivable import MSE, Loss, Network, ReLU, Tanh, descend
from derivable.descent import choose_rate, rate
from derivable.descent.rate import TRIAL_STEPS, linear_lambda_max
from derivable.functions import Huber
from derivable.problem import Problem

X = torch.randn(211, 5, generator=torch.Generator().manual_seed(3))
Y = torch.sin(X[:, :1]) + X[:, 1:2]


def test_the_eigenvalue_is_that_of_the_linear_models_hessian() -> None:
    def loss(theta: torch.Tensor) -> torch.Tensor:
        return ((X.double() @ theta[:5] + theta[5] - Y[:, 0].double()) ** 2).mean()

    hessian = torch.func.hessian(loss)(torch.zeros(6, dtype=torch.float64))
    largest = torch.linalg.eigvalsh(hessian)[-1].item()
    assert linear_lambda_max(Problem(Network.linear(5), MSE, X, Y)) == pytest.approx(
        largest, rel=1e-12
    )


@pytest.mark.parametrize("scale", [1e-3, 1.0, 50.0])
@pytest.mark.parametrize("sizes", [(5, 1), (5, 7, 1)])
def test_the_loss_falls_at_it_and_no_longer_at_many_times_as_much(
    sizes: tuple[int, ...], scale: float
) -> None:
    network = Network.mlp(*sizes, activation=ReLU, seed=1)
    x = scale * X
    rate = choose_rate(Problem(network, MSE, x, Y))
    losses = descend(network, MSE, x, Y, lr=rate.lr, steps=TRIAL_STEPS, method="steps").losses
    assert bool((losses.diff() <= 1e-3 * losses[:-1]).all())
    assert losses[-1] < losses[0]
    with pytest.raises(ArithmeticError):
        descend(Network.linear(5), MSE, x, Y, lr=5 * rate.lr * 2**10, steps=20_000)


def test_it_says_why() -> None:
    given = Problem(Network.mlp(5, 3, 1, activation=Tanh), MSE, X, Y)
    rate = choose_rate(given)
    assert f"lr {rate.lr:g}: half of the largest" in rate.reason
    assert f"{linear_lambda_max(given):.3g}" in rate.reason


@pytest.mark.parametrize("sizes", [(5, 1), (5, 7, 1)])
def test_a_row_of_weight_three_is_three_rows(sizes: tuple[int, ...]) -> None:
    count = torch.randint(0, 4, (211,), generator=torch.Generator().manual_seed(2))
    x, y = (table.repeat_interleave(count, 0) for table in (X, Y))
    network = Network.mlp(*sizes)
    weighted, repeated = Problem(network, MSE, X, Y, count), Problem(network, MSE, x, y)
    expected = linear_lambda_max(repeated)
    assert linear_lambda_max(weighted) == pytest.approx(expected, rel=1e-6)
    assert choose_rate(weighted).lr == choose_rate(repeated).lr


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_loss_that_has_come_down_to_rounding_does_not_rise(dtype: torch.dtype) -> None:
    x = X.to(dtype)
    network = Network.linear(5, dtype=dtype)
    exact = x.sum(1, keepdim=True)
    rate = choose_rate(Problem(network, MSE, x, exact))
    run = descend(network, MSE, x, exact, lr=rate.lr, steps=TRIAL_STEPS, method="steps")
    assert run.losses[-1] < 1e-10 * run.losses[0]
    assert rate.lr > 0.4 / linear_lambda_max(Problem(network, MSE, x, exact))


def test_an_interruption_ends_the_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*rest: object, **settings: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("derivable.stepper.FusedSteps.take_steps", interrupted)
    with pytest.raises(KeyboardInterrupt):
        choose_rate(Problem(Network.linear(5), MSE, X, Y))


def test_a_long_table_is_tried_on_some_of_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "TRIAL_ROWS", 53)
    tried = []
    falls = rate._falls

    def recorded(problem: Problem, lr: float) -> bool:
        tried.append(problem)
        return falls(problem, lr)

    monkeypatch.setattr(rate, "_falls", recorded)
    network = Network.mlp(5, 3, 1, activation=Tanh)
    found = choose_rate(Problem(network, MSE, X, Y))
    assert {problem.rows for problem in tried} == {53}
    assert torch.equal(tried[0].x[-1], X[52 * 211 // 53])  # spread over the table
    assert "in 500 steps on 53 rows" in found.reason
    # the same rows summed would curve the loss less than all of them
    choose_rate(Problem(network, Loss(Huber, reduction="sum"), X / 15, Y / 15))
    assert tried[-1].rows == 211


def test_where_the_loss_never_falls_it_is_the_least_that_was_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[float] = []
    monkeypatch.setattr(rate, "_falls", lambda trial, lr: tried.append(lr))
    given = Problem(Network.linear(5), MSE, X, Y)
    least = 1 / linear_lambda_max(given) / 2**rate.HALVINGS
    assert choose_rate(given).lr == pytest.approx(least / rate.MARGIN, rel=0.05)
    assert tried[-1] == pytest.approx(2 * least)
