"""Momentum, Nesterov and Adam against PyTorch, mini-batches, and L-BFGS."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from derivable import MSE, Adam, GradientDescent, Momentum, Nesterov, Network, ReLU, descend
from derivable.descent import State, StepByStep
from derivable.errors import DivergedError
from derivable.objective import OBJECTIVES
from derivable.objective.batches import Batches
from derivable.problem import Problem
from tests.problems import problem

PYTORCH: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "momentum": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9),
    "nesterov": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9, nesterov=True),
    "adam": lambda p, lr: torch.optim.Adam(p, lr=lr),
    "steps": lambda p, lr: torch.optim.SGD(p, lr=lr),
}


def by_pytorch(
    name: str, network: Network, batches: Iterator[tuple[Tensor, Tensor]], lr: float
) -> tuple[Tensor, Tensor]:
    """The loss of each batch before its step, and the parameters at the end."""
    w1, b1, w2, b2 = parameters = [
        p.detach().clone().requires_grad_() for p in network.parameters()
    ]
    optimiser, losses = PYTORCH[name](parameters, lr), []
    for x, y in batches:
        loss = ((torch.tanh(x @ w1 + b1) @ w2 + b2 - y) ** 2).mean(0).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return torch.tensor(losses, dtype=torch.float64), torch.cat(
        [p.detach().flatten() for p in parameters]
    )


@pytest.mark.parametrize("objective", ["by hand", "features-major", "fused"])
@pytest.mark.parametrize("name", PYTORCH)
def test_they_are_those_of_pytorch(name: str, objective: str) -> None:
    network, x, y = problem(3, 5, 2, rows=43)
    run = descend(network, MSE, x, y, lr=0.01, steps=150, method=name, objective=objective)
    losses, theta = by_pytorch(name, network, iter([(x, y)] * 150), 0.01)
    torch.testing.assert_close(run.losses[:-1], losses, rtol=1e-9, atol=0)
    torch.testing.assert_close(run.network.theta, theta, rtol=1e-8, atol=1e-9)
    assert (run.method, run.objective, run.gradient_evaluations) == (name, objective, 151)


@pytest.mark.parametrize("kind", [Momentum, Nesterov, Adam, GradientDescent])
def test_mini_batches_are_those_of_pytorch(kind: type[StepByStep]) -> None:
    network, x, y = problem(3, 5, 2, rows=23)
    rows = Batches(Problem(network, MSE, x, y), size=5, seed=11, done=0)
    batches = ((x[rows._rows(k)], y[rows._rows(k)]) for k in range(60))
    run = descend(network, MSE, x, y, lr=0.01, steps=60, method=kind(batch_size=5, seed=11))
    losses, theta = by_pytorch(kind.name, network, batches, 0.01)
    torch.testing.assert_close(run.losses[:-1], losses, rtol=1e-9, atol=0)
    torch.testing.assert_close(run.network.theta, theta, rtol=1e-8, atol=1e-9)
    assert run.objective == "mini-batches"


def test_mini_batches_are_reproducible() -> None:
    network, x, y = problem(3, 5, 2, rows=23)

    def losses(**settings: Any) -> Tensor:
        method = GradientDescent(batch_size=5, **settings)
        return descend(network, MSE, x, y, lr=0.01, steps=40, method=method).losses

    assert torch.equal(losses(seed=4), losses(seed=4))
    assert not torch.equal(losses(seed=4), losses(seed=5))
    torch.manual_seed(99)
    assert torch.equal(losses(), losses(seed=0))


def test_a_batch_as_large_as_the_table() -> None:
    network, x, y = problem(3, 5, 2, rows=23)
    whole = descend(network, MSE, x, y, lr=0.01, steps=40)
    batched = descend(network, MSE, x, y, lr=0.01, steps=40, method=GradientDescent(batch_size=100))
    torch.testing.assert_close(batched.losses, whole.losses, rtol=1e-10, atol=0)


def test_an_optimiser_diverges_as_steps_do() -> None:
    network, x, y = problem(3, 5, 2, rows=23)
    with pytest.raises(ArithmeticError, match=r"diverged: the loss is (inf|nan) at step \d+ with"):
        descend(network, MSE, x, y, lr=50.0, steps=900, method="nesterov")


@pytest.mark.parametrize("outputs", [1, 3])
def test_lbfgs_finds_the_minimum_of_the_linear_model(outputs: int) -> None:
    network, x, y = problem(5, outputs, rows=43)
    run = descend(network, MSE, x, y, steps=200, method="lbfgs")
    table = torch.cat([x, torch.ones(43, 1, dtype=torch.float64)], 1)
    best = torch.linalg.lstsq(table, y).solution
    torch.testing.assert_close(run.network.theta.view(6, outputs), best, rtol=1e-6, atol=1e-7)
    least = ((table @ best - y) ** 2).mean(0).sum().item()
    assert run.train_loss == pytest.approx(least, rel=1e-10)
    assert (run.lr, run.steps) == (None, len(run.losses) - 1)
    assert run.steps < 60
    assert run.gradient_evaluations > run.steps
    assert "of lr" not in repr(run)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_lbfgs_goes_down_and_at_most_so_many_times(objective: str) -> None:
    network, x, y = problem(3, 5, 2, rows=43, activation=ReLU, dtype=torch.float32)
    run = descend(network, MSE, x, y, steps=7, method="lbfgs", objective=objective)
    assert run.steps == 7
    assert (run.losses.diff() < 0).all()
    yhat, _ = run.network.forward_by_hand(x)
    assert ((yhat - y) ** 2).mean(0).sum().item() == pytest.approx(run.train_loss, rel=1e-5)


def test_lbfgs_is_interrupted_and_goes_on() -> None:
    network, x, y = problem(3, 5, 2, rows=43)

    def stop(state: State) -> None:
        if state.step == 5:
            raise KeyboardInterrupt

    part = descend(network, MSE, x, y, steps=50, method="lbfgs", on_block=stop)
    assert part.interrupted
    assert part.steps == 5
    assert part.gradient_evaluations > 5
    rest = descend(network, MSE, x, y, steps=50, start=part.checkpoint)
    assert rest.method == "lbfgs"
    assert torch.equal(rest.losses[:6], part.losses)
    assert rest.train_loss < part.train_loss


@pytest.mark.parametrize("method", ["momentum", "nesterov"])
def test_divergence_names_the_learning_rate_at_which_it_begins(method: str) -> None:
    network, x, y = problem(3, 1, rows=101)
    with pytest.raises(DivergedError) as caught:
        descend(network, MSE, x, y, lr=20.0, steps=5000, method=method)
    found = re.search(r"a stable lr is below .* = ([\d.e-]+)", str(caught.value))
    assert found
    bound = float(found[1])
    settled = descend(network, MSE, x, y, lr=0.9 * bound, steps=5000, method=method)
    assert settled.train_loss < settled.losses[0]
    with pytest.raises(DivergedError):
        descend(network, MSE, x, y, lr=1.1 * bound, steps=20_000, method=method)


def test_divergence_of_adam_claims_no_bound() -> None:
    network, x, y = problem(3, 5, 1, rows=101)
    with pytest.raises(DivergedError, match="try a smaller lr, for example 1e\\+159"):
        descend(network, MSE, x, y, lr=1e160, steps=5000, method="adam")
