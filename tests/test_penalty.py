"""The L2 penalty: by hand against autograd and PyTorch, every fast way against the one by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from sklearn.linear_model import Ridge
from torch import Tensor

from derivable import MSE, Adam, Flow, Function, GradientDescent, Network, ReLU, Tanh, descend
from derivable.errors import SettingError
from derivable.functions import CrossEntropy, LeakyReLU
from derivable.objective import ByHand
from derivable.objective.batches import Batches
from derivable.problem import Problem
from derivable.stepper import PiecewiseSteps, choose_stepper
from tests.problems import doubled, problem

PENALTY = 0.3


def penalised(theta: Tensor, network: Network, x: Tensor, y: Tensor) -> Tensor:
    """The loss of a perceptron of one hidden layer of tanh, with the penalty, in plain PyTorch."""
    w1, b1, w2, b2 = network.unflatten(theta)
    loss = ((torch.tanh(x @ w1 + b1) @ w2 + b2 - y) ** 2).mean(0).sum()
    return loss + PENALTY / 2 * ((w1**2).sum() + (w2**2).sum())


@pytest.mark.parametrize("way", ["by hand", "features-major", "fused"])
def test_loss_gradient_and_hvp_are_those_of_autograd(way: str) -> None:
    network, x, y = problem(5, 7, 3, rows=301)
    theta = network.theta.requires_grad_()
    loss = penalised(theta, network, x, y)
    (gradient,) = torch.autograd.grad(loss, theta)
    direction = torch.linspace(-1, 1, len(theta), dtype=torch.float64).cos()
    _, product = torch.autograd.functional.hvp(
        lambda point: penalised(point, network, x, y), theta, direction
    )
    objective = choose_stepper(Problem(network, MSE, x, y, penalty=PENALTY), way, steps=0).objective
    ours = [one.clone() for one in objective.value_and_gradient(theta.detach())]
    torch.testing.assert_close(ours, [loss.detach(), gradient])
    torch.testing.assert_close(objective.value(theta.detach()), loss.detach())
    torch.testing.assert_close(objective.hvp(theta.detach(), direction), product)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("way", "activation"),
    [
        ("features-major", ReLU),
        *((way, kind) for way in ("fused", "piecewise") for kind in (ReLU, LeakyReLU)),
    ],
)
def test_steps_are_those_by_hand(way: str, activation: type[Function], weighted: bool) -> None:
    network, x, y = problem(5, 7, 3, rows=701, activation=activation)
    weight = torch.rand(701, dtype=torch.float64) + 0.5 if weighted else None
    settings: dict[str, Any] = {"weight": weight, "penalty": PENALTY, "lr": 0.02, "steps": 700}
    ours = descend(network, MSE, x, y, objective=way, **settings)
    plain = descend(network, MSE, x, y, objective="by hand", **settings)
    torch.testing.assert_close(ours.losses, plain.losses, rtol=1e-9, atol=0)
    torch.testing.assert_close(ours.network.theta, plain.network.theta, rtol=1e-8, atol=1e-10)
    w1, _, w2, _ = ours.parameters
    yhat, _ = ours.network.forward_by_hand(x)
    scale = 1 if weight is None else (weight / weight.mean()).view(-1, 1)
    loss = (scale * (yhat - y) ** 2).mean(0).sum() + PENALTY / 2 * ((w1**2).sum() + (w2**2).sum())
    assert ours.train_loss == pytest.approx(loss.item(), rel=1e-10)


def test_piecewise_steps_know_how_far_the_penalty_moves_a_unit() -> None:
    network, x, y = problem(3, 5, 1, rows=701, activation=ReLU)
    given = Problem(network, MSE, x, 0 * y, penalty=20.0)  # the penalty moves most
    stepper = PiecewiseSteps(given)
    ours, plain = given.theta, given.theta
    losses, expected = torch.empty(2, 300, dtype=torch.float64)
    stepper.take_steps(ours, 0.003, losses)
    stepper.plain.take_steps(plain, 0.003, expected)
    assert (given.theta - plain).norm() > 0.5 * given.theta.norm()
    torch.testing.assert_close(losses, expected, rtol=1e-9, atol=0)
    torch.testing.assert_close(ours, plain, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("outputs", [1, 3])
def test_spectral_is_exact_steps_of_ridge_regression(outputs: int) -> None:
    network, x, y = problem(5, outputs, rows=43)
    weight = torch.rand(43, dtype=torch.float64) + 0.5
    settings: dict[str, Any] = {"weight": weight, "penalty": PENALTY, "lr": 0.03}
    solved = descend(network, MSE, x, y, steps=701, **settings)
    plain = descend(network, MSE, x, y, steps=701, method="steps", objective="by hand", **settings)
    assert (solved.method, plain.method) == ("spectral", "steps")
    torch.testing.assert_close(solved.losses, plain.losses, rtol=1e-10, atol=0)
    torch.testing.assert_close(solved.network.theta, plain.network.theta, rtol=1e-9, atol=1e-10)
    end = descend(network, MSE, x, y, steps=50_000, **settings)
    scale = weight / weight.mean()
    ridge = Ridge(alpha=PENALTY * 43 / 2, tol=1e-12).fit(x, y, sample_weight=scale)
    coefficients = torch.tensor(ridge.coef_).view(outputs, 5).t()
    torch.testing.assert_close(end.parameters[0], coefficients, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("objective", ["by hand", "fused"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_the_flow_has_it(dtype: torch.dtype, objective: str) -> None:
    given = problem(3, 5, 1, rows=61, dtype=dtype)
    network, x, y = given
    settings: dict[str, Any] = {"penalty": 0.05, "lr": 1e-3, "steps": 5000, "objective": objective}
    flow = descend(network, MSE, x, y, method=Flow(), **settings)
    network, x, y = doubled(*given)
    steps = descend(network, MSE, x, y, method="steps", **settings)
    assert not flow.error_estimate.exact
    apart = ((flow.losses - steps.losses) / steps.losses).abs().max().item()
    assert apart <= flow.error_estimate.deviation


@pytest.mark.parametrize("loss", [MSE, CrossEntropy])
@pytest.mark.parametrize("method", ["momentum", "adam", "lbfgs"])
def test_optimisers_descend_the_penalised_loss(loss: type[Function], method: str) -> None:
    network, x, y = problem(3, 5, 2, rows=61)
    y = y.softmax(1) if loss is CrossEntropy else y
    settings: dict[str, Any] = {"penalty": PENALTY, "lr": 0.01, "steps": 60, "method": method}
    ours = descend(network, loss, x, y, **settings)
    plain = descend(network, loss, x, y, objective="by hand", **settings)
    both = min(ours.steps, plain.steps)  # L-BFGS ends where it finds nothing lower
    torch.testing.assert_close(ours.losses[:both], plain.losses[:both])
    assert ours.train_loss == pytest.approx(plain.train_loss)
    free = descend(network, loss, x, y, **{**settings, "penalty": 0.0})
    w, v = ours.parameters[::2]
    assert (w**2).sum() + (v**2).sum() < sum((p**2).sum() for p in free.parameters[::2])


def test_a_batch_has_all_of_the_penalty() -> None:
    network, x, y = problem(3, 5, 2, rows=23)
    given = Problem(network, MSE, x, y, penalty=PENALTY)
    batches = Batches(given, size=5, seed=3, done=7)
    rows = batches._rows(7)
    part = ByHand(Problem(network, MSE, x[rows], y[rows], penalty=PENALTY))
    torch.testing.assert_close(
        batches.value_and_gradient(network.theta), part.value_and_gradient(network.theta)
    )
    torch.testing.assert_close(
        batches.hvp(network.theta, network.theta), ByHand(given).hvp(network.theta, network.theta)
    )


def by_pytorch(kind: Any, network: Network, x: Tensor, y: Tensor, **settings: Any) -> Tensor:
    """The parameters after 70 steps of an optimiser of PyTorch that decays the weights alone."""
    w1, b1, w2, b2 = parameters = [
        p.detach().clone().requires_grad_() for p in network.parameters()
    ]
    groups = [
        {"params": [w1, w2], "weight_decay": PENALTY},
        {"params": [b1, b2], "weight_decay": 0},
    ]
    optimiser = kind(groups, lr=0.01, **settings)
    for _ in range(70):
        optimiser.zero_grad()
        ((torch.tanh(x @ w1 + b1) @ w2 + b2 - y) ** 2).mean(0).sum().backward()
        optimiser.step()
    return torch.cat([p.detach().flatten() for p in parameters])


def test_it_is_pytorchs_weight_decay_of_the_weights() -> None:
    network, x, y = problem(3, 5, 2, rows=43)
    ours = descend(network, MSE, x, y, lr=0.01, steps=70, penalty=PENALTY, method="steps")
    theirs = by_pytorch(torch.optim.SGD, network, x, y)
    torch.testing.assert_close(ours.network.theta, theirs, rtol=1e-9, atol=1e-11)


def test_decoupled_weight_decay_is_that_of_adamw_on_the_weights() -> None:
    network, x, y = problem(3, 5, 2, rows=43)
    method = Adam((0.8, 0.99), weight_decay=PENALTY)
    ours = descend(network, MSE, x, y, lr=0.01, steps=70, method=method)
    theirs = by_pytorch(torch.optim.AdamW, network, x, y, betas=(0.8, 0.99))
    torch.testing.assert_close(ours.network.theta, theirs, rtol=1e-9, atol=1e-11)
    yhat, _ = ours.network.forward_by_hand(x)
    assert ours.train_loss == pytest.approx(((yhat - y) ** 2).mean(0).sum().item())
    part = descend(network, MSE, x, y, lr=0.01, steps=20, method=method)
    again = descend(network, MSE, x, y, lr=0.01, steps=70, start=part.checkpoint)
    torch.testing.assert_close(again.network.theta, ours.network.theta)


@pytest.mark.parametrize("penalty", [-1.0, float("nan"), float("inf"), "much"])
def test_a_penalty_without_a_meaning(penalty: Any) -> None:
    network, x, y = problem(3, 1, rows=5)
    with pytest.raises(SettingError, match="penalty must be a number, 0 or more, got"):
        descend(network, MSE, x, y, lr=0.1, steps=3, penalty=penalty)
    with pytest.raises(SettingError, match="weight_decay must be a number, 0 or more, got -1"):
        Adam(weight_decay=-1)


def test_a_smaller_problem_keeps_its_penalty_and_gradient_descent_goes_on_with_it() -> None:
    network, x, y = problem(3, 5, 1, rows=61, activation=Tanh, dtype=torch.float32)
    given = Problem(network, MSE, x, y, penalty=PENALTY)
    assert given.in_float64().penalty == given.part(slice(7)).penalty == PENALTY
    assert given.in_float64().decay.dtype == torch.float64
    settings: dict[str, Any] = {"penalty": PENALTY, "lr": 0.02, "method": GradientDescent()}
    whole = descend(network, MSE, x, y, steps=900, **settings)
    part = descend(network, MSE, x, y, steps=500, **settings)
    rest = descend(network, MSE, x, y, steps=900, start=part.checkpoint, **settings)
    assert torch.equal(whole.network.theta, rest.network.theta)
