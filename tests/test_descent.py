"""Descents: against the closed form, against an optimiser, and the errors before and during."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from derivable import MSE, Descent, Network, Tanh, descend
from derivable.descent.steps import BLOCK
from derivable.errors import DataError, DivergedError, NotATensorError, SettingError, ShapeError
from derivable.objective import OBJECTIVES

X = torch.randn(101, 3, generator=torch.Generator().manual_seed(3))
Y = torch.sin(X[:, :1]) + 0.3 * X[:, 1:2]


def closed_form_losses(x: Tensor, y: Tensor, theta: Tensor, lr: float, steps: int) -> Tensor:
    """All losses of the linear model: the error decays by (1 - lr * eigenvalue) in each direction.

    The loss is quadratic with Hessian 2 A^T A / N, A = [x, 1], so in its eigenvectors
    theta_k - best = (1 - lr * eigenvalue)^k (theta_0 - best).
    """
    a = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)
    eigenvalues, vectors = torch.linalg.eigh(2 * a.t() @ a / len(x))
    best = torch.linalg.lstsq(a, y).solution
    start = vectors.t() @ (theta.view(-1, 1) - best)
    decay = (1 - lr * eigenvalues) ** torch.arange(steps + 1, dtype=x.dtype).view(-1, 1)
    floor = ((a @ best - y) ** 2).mean()
    losses: Tensor = floor + 0.5 * (decay**2 * start.view(1, -1) ** 2) @ eigenvalues
    return losses


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_80_000_steps_of_the_linear_model_follow_the_closed_form(objective: str) -> None:
    x, y = X.double(), Y.double()
    network = Network.linear(3, 1, dtype=torch.float64)
    steps = 80_000 if objective == "fused" else 20_000
    run = descend(network, MSE, x, y, lr=1e-4, steps=steps, objective=objective)
    expected = closed_form_losses(x, y, network.theta, 1e-4, steps)
    torch.testing.assert_close(run.losses, expected, rtol=1e-10, atol=0)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_it_is_plain_sgd(objective: str) -> None:
    network = Network.mlp(3, 7, 1, dtype=torch.float64)
    x, y = X.double(), Y.double()
    run = descend(network, MSE, x, y, lr=0.05, steps=700, objective=objective)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.05)
    losses = []
    for _ in range(701):
        optimiser.zero_grad()
        loss = MSE.apply(network(x), y).sum()
        losses.append(loss.item())
        loss.backward()
        optimiser.step()
    torch.testing.assert_close(run.losses, torch.tensor(losses, dtype=torch.float64))


def test_the_result_tells_what_happened() -> None:
    network = Network.mlp(3, 5, 1)
    before = network.theta
    seen: list[int] = []
    run = descend(
        network, MSE, X, Y, lr=0.1, steps=BLOCK + 7, progress=lambda step, loss: seen.append(step)
    )
    assert isinstance(run, Descent)
    assert run.losses.shape == (BLOCK + 8,)
    assert run.train_loss == run.losses[-1].item()
    assert run.gradient_evaluations == BLOCK + 8
    assert (run.method, run.objective, run.lr) == ("steps", "fused", 0.1)
    assert run.seconds > 0
    assert seen == [BLOCK, BLOCK + 7]
    assert torch.equal(network.theta, before)
    assert [p.shape for p in run.parameters] == [p.shape for p in network.parameters()]
    assert "steps of lr=0.1" in repr(run)
    yhat, _ = run.network.forward_by_hand(X)
    torch.testing.assert_close(((yhat - Y) ** 2).mean().item(), run.train_loss)


def test_no_steps_at_all() -> None:
    run = descend(Network.linear(3), MSE, X, Y, lr=0.1, steps=0)
    assert run.losses.shape == (1,)


def test_several_outputs_descend_the_sum_of_their_losses() -> None:
    y = torch.cat([Y, -2 * Y], 1)
    run = descend(Network.linear(3, 2), MSE, X, y, lr=0.01, steps=5)
    columns = [
        descend(
            Network.linear(3, 1).with_theta(Network.linear(3, 2).theta.view(4, 2)[:, k].clone()),
            MSE, X, y[:, k : k + 1], lr=0.01, steps=5,
        )
        for k in range(2)
    ]  # fmt: skip
    torch.testing.assert_close(run.losses, columns[0].losses + columns[1].losses)


def test_divergence_names_the_step_and_a_way_out() -> None:
    message = r"diverged: the loss is (inf|nan) at step \d+ with lr=5, after .*; try .* 0\.5"
    with pytest.raises(DivergedError, match=message) as error:
        descend(Network.linear(3), MSE, X, Y, lr=5.0, steps=3 * BLOCK)
    step = int(str(error.value).split("at step ")[1].split()[0])
    losses = descend(Network.linear(3), MSE, X, Y, lr=5.0, steps=step - 1).losses
    assert torch.isfinite(losses).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lr": 0.0}, "lr must be a positive number, got 0"),
        ({"lr": float("nan")}, "lr must be a positive number"),
        ({"steps": -1}, "steps must be a whole number, 0 or more, got -1"),
        ({"steps": 2.5}, "steps must be a whole number"),
        ({"method": "leaps"}, "method must be one of steps; got 'leaps'"),
        ({"objective": "quantum"}, "objective must be one of fastest, by hand, .*; got 'quantum'"),
    ],
)
def test_settings_without_a_meaning(change: dict[str, Any], message: str) -> None:
    settings: dict[str, Any] = {"lr": 0.1, "steps": 3, **change}
    with pytest.raises(SettingError, match=message):
        descend(Network.linear(3), MSE, X, Y, **settings)


def _with_nan(table: Tensor, row: int) -> Tensor:
    table = table.clone()
    table[row, 0] = torch.nan
    return table


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (X.numpy(), Y, NotATensorError, r"x must be a tensor, got ndarray"),
        (X, Y.double(), DataError, r"y has dtype torch.float64 and the network torch.float32"),
        (_with_nan(X, 4), Y, DataError, r"x is not finite: .* row 4"),
        (X, _with_nan(Y, 9), DataError, r"y is not finite: .* row 9"),
        (X[:, :2], Y, ShapeError, r"x must have shape \(N, 3\) with N > 0, got \(101, 2\)"),
        (X[:0], Y[:0], ShapeError, r"x must have shape \(N, 3\) with N > 0, got \(0, 3\)"),
        (X, Y[:, 0], ShapeError, r"y must have shape \(101, 1\), .* got \(101,\)"),
        (X, Y[1:], ShapeError, r"y must have shape \(101, 1\), .* got \(100, 1\)"),
    ],
)
def test_tables_that_do_not_fit(x: Any, y: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        descend(Network.mlp(3, 2, 1, activation=Tanh), MSE, x, y, lr=0.1, steps=3)
