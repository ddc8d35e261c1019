"""LayerNorm in the compiled pass: beside by hand and autograd, anywhere between Linear layers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from derivable import MSE, Network, ReLU, Tanh, descend, descend_many
from derivable.functions import CrossEntropy, LayerNorm, Linear
from derivable.layer import Layer
from derivable.objective import ByHand, Fused, fastest
from derivable.problem import Problem
from derivable.stepper import FusedSteps
from tests.test_fused_losses import agree

DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)

# Widths of Linear layers; eps of LayerNorms, as floats; activations.
CHAINS: dict[str, list[Any]] = {
    "before the activation": [7, 1e-5, Tanh, 3],
    "after the activation": [7, Tanh, 1e-2, 3],
    "before one output": [7, 1e-5, Tanh, 1],
    "after the activation, before one output": [7, Tanh, 1e-5, 1],
    "on x": [1e-5, 7, Tanh, 3],
    "on x, before an activation": [1e-5, ReLU, 13, ReLU, 2],
    "at the end": [7, ReLU, 3, 0.1],
    "between two Linear layers": [7, 1e-5, 3],
    "twice in a row": [7, 1e-3, 0.1, Tanh, 3],
    "everywhere": [1e-5, Tanh, 13, Tanh, 1e-5, Tanh, 11, 0.1, 1e-5, 5, 1e-3, 3, 1e-5],
}
EVERYWHERE = pytest.mark.parametrize("layers", CHAINS.values(), ids=CHAINS)


def chain(layers: list[Any], dtype: torch.dtype, inputs: int = 5) -> tuple[Network, int]:
    """A network on `inputs` columns, with random parameters, and the number of its outputs."""
    generator, width, made = torch.Generator().manual_seed(2), inputs, []

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    for one in layers:
        if isinstance(one, int):
            made.append(Layer(Linear, w=0.6 * normal(width, one), b=normal(one)))
            width = one
        elif isinstance(one, float):
            weight, bias = 1 + 0.3 * normal(width), normal(width)
            made.append(
                Layer(LayerNorm, normalized_shape=(width,), weight=weight, bias=bias, eps=one)
            )
        else:
            made.append(Layer(one))
    return Network(made), width


def problem_of(layers: list[Any], dtype: torch.dtype, rows: int = 257, **settings: Any) -> Problem:
    """A problem of MSE, or of the labels of CrossEntropy, on random numbers."""
    network, outputs = chain(layers, dtype)
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(rows, 5, generator=generator, dtype=torch.float64).to(dtype)
    y = torch.randn(rows, outputs, generator=generator, dtype=torch.float64).to(dtype)
    loss = settings.pop("loss", MSE)
    return Problem(network, loss, x, y.argmax(1) if loss is CrossEntropy else y, **settings)


@DTYPES
@EVERYWHERE
@pytest.mark.parametrize("rows", [3, 256, 700])
def test_it_is_that_by_hand(layers: list[Any], rows: int, dtype: torch.dtype) -> None:
    given = problem_of(layers, dtype, rows)
    assert fastest(given) is Fused
    agree(given)


@DTYPES
@EVERYWHERE
def test_with_weights_a_penalty_and_labels(layers: list[Any], dtype: torch.dtype) -> None:
    weight = torch.linspace(0.1, 2, 257).to(dtype)
    loss = MSE if layers[-1] == 1 or layers[-2:-1] == [1] else CrossEntropy
    agree(problem_of(layers, dtype, loss=loss, weight=weight, penalty=0.3))


@EVERYWHERE
def test_it_is_that_of_autograd(layers: list[Any]) -> None:
    given = problem_of(layers, torch.float64)
    theta = given.theta.requires_grad_()
    names = [name for name, _ in given.network.named_parameters()]

    def loss_at(theta: Tensor) -> Tensor:
        parameters = dict(zip(names, given.network.unflatten(theta), strict=True))
        x, parts = given.x, iter(parameters.values())
        for one in layers:
            if isinstance(one, int):
                x = x @ next(parts) + next(parts)
            elif isinstance(one, float):
                x = torch.nn.functional.layer_norm(x, x.shape[1:], next(parts), next(parts), one)
            else:
                x = torch.tanh(x) if one is Tanh else torch.relu(x)
        return ((x - given.y) ** 2).mean(0).sum()

    direction = torch.linspace(-1, 1, len(theta), dtype=torch.float64)
    loss, expected = loss_at(theta), torch.func.grad(loss_at)
    objective = Fused(given)
    ours, gradient = objective.value_and_gradient(theta.detach())
    torch.testing.assert_close(ours, loss.detach())
    torch.testing.assert_close(gradient, expected(theta.detach()))
    product = torch.func.jvp(expected, (theta.detach(),), (direction,))[1]
    torch.testing.assert_close(objective.hvp(theta.detach(), direction), product)


@DTYPES
def test_any_number_of_threads_gives_the_same_bits(dtype: torch.dtype) -> None:
    given = problem_of(CHAINS["everywhere"], dtype, 3000)
    stepper, results = FusedSteps(given), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        stepper.objective._team._next_trial = 0.0  # the team is chosen anew
        theta, losses = given.theta, torch.empty(4, dtype=torch.float64)
        stepper.take_steps(theta, 0.01, losses)
        product = stepper.objective.hvp(given.theta, given.theta)
        results.append(torch.cat([theta.double(), losses, product.double()]))
    assert torch.equal(*results)


def test_many_descents_and_one_that_goes_on_have_the_same_bits() -> None:
    given = problem_of(CHAINS["before the activation"], torch.float32, 300)
    asked: dict[str, Any] = {"lr": 0.05, "steps": 1000, "method": "steps"}
    alone = descend(given.network, MSE, given.x, given.y, **asked)
    assert alone.objective == "fused"
    (one, _) = descend_many([given.network, given.network], MSE, given.x, given.y, **asked)
    assert torch.equal(one.losses, alone.losses)
    assert torch.equal(one.network.theta, alone.network.theta)


REFUSED: dict[str, list[Layer]] = {
    "no bias": [Layer(LayerNorm, normalized_shape=(5,), weight=torch.ones(5))],
    "an activation first": [Layer(Tanh)],
    "two activations": [
        Layer(Linear, w=torch.ones(5, 5), b=torch.ones(5)),
        Layer(Tanh),
        Layer(Tanh),
    ],
}


@pytest.mark.parametrize("layers", REFUSED.values(), ids=REFUSED)
def test_what_the_pass_does_not_know_runs_by_hand(layers: list[Layer]) -> None:
    network = Network([*layers, Layer(Linear, w=torch.ones(5, 2), b=torch.zeros(2))])
    given = Problem(network, MSE, torch.randn(11, 5), torch.randn(11, 2))
    assert "LayerNorms with weight and bias" in Fused.refusal(given)
    assert fastest(given) is ByHand
