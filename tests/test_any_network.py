"""Any network, any loss: each Function of the library as a layer, each loss, by the same rules."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

from derivable import Adam, GradientDescent, Layer, Problem, descend, functions
from derivable.descent import Checkpoint, Momentum
from derivable.errors import SettingError
from derivable.functions import losses
from derivable.network import flatten
from derivable.objective import ByHand
from tests.networks import BY_LAYER, BY_LOSS, NO_LAYER, ROWS, Example

EXAMPLES = [*BY_LAYER, *BY_LOSS]
every_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.name)


def run(problem: Problem, **settings: Any) -> Any:
    return descend(problem.network, problem.loss, problem.x, problem.y, **settings)


def test_each_function_of_the_library_has_an_example_or_a_reason() -> None:
    assert sorted([one.name for one in BY_LAYER] + [*NO_LAYER, *losses.__all__]) == sorted(
        functions.__all__
    )
    assert {one.name for one in BY_LOSS} == set(losses.__all__)


@every_example
def test_the_gradient_by_hand_is_that_of_autograd_through_the_module(example: Example) -> None:
    problem = example.problem()
    module = copy.deepcopy(problem.network)
    recorded = problem.loss.apply(module(problem.x), problem.y).sum()
    expected = torch.autograd.grad(recorded, list(module.parameters()))
    loss, gradient = ByHand(problem).value_and_gradient(problem.theta)
    torch.testing.assert_close(loss, recorded.detach())
    torch.testing.assert_close(gradient, flatten(expected))
    assert gradient.any()
    for name, buffer in module.named_buffers():  # both have come equally far
        torch.testing.assert_close(problem.network.get_buffer(name), buffer)


@every_example
def test_the_hessian_is_the_slope_of_the_gradient(example: Example) -> None:
    theta = example.problem().theta
    direction = torch.randn(theta.shape, dtype=torch.float64)
    step = 1e-5

    def gradient(at: float) -> torch.Tensor:
        return ByHand(example.problem()).value_and_gradient(theta + at * direction)[1]

    expected = (gradient(step) - gradient(-step)) / (2 * step)
    product = ByHand(example.problem()).hvp(theta, direction)
    torch.testing.assert_close(product, expected, rtol=1e-5, atol=1e-6)


@every_example
def test_it_descends_by_hand(example: Example) -> None:
    problem = example.problem()
    trained = run(problem, lr=3e-3, steps=40, method="steps")
    assert trained.objective in ("by hand", "fused", "features-major", "piecewise")
    before, after = (
        ByHand(problem.with_network(network.eval())).value(network.theta)
        for network in (copy.deepcopy(problem.network), trained.network)
    )
    assert after < before
    if not example.draws:
        assert (trained.losses.diff() < 0).all()


@every_example
@pytest.mark.parametrize(
    "method", [GradientDescent(), Momentum(0.9), Adam(batch_size=4)], ids=lambda m: m.name
)
def test_a_descent_resumed_in_the_middle_has_the_same_bits(
    example: Example, method: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("derivable.stepper.plain.steps_per_block", lambda rows: 7)
    kept: list[Checkpoint] = []
    settings: dict[str, Any] = {
        "lr": 1e-3,
        "objective": "fastest" if method.batch_size else "by hand",
    }
    whole = run(
        example.problem(),
        steps=19,
        method=method,
        on_block=lambda state: kept.append(state.checkpoint()),
        **settings,
    )
    assert [checkpoint.step for checkpoint in kept] == [7, 14, 19]
    kept.append(run(example.problem(), steps=7, method=method, **settings).checkpoint)
    for checkpoint in kept:
        checkpoint.save(tmp_path / "middle")
        start = Checkpoint.load(tmp_path / "middle")
        again = run(example.problem(), steps=19, start=start, lr=1e-3)
        assert torch.equal(again.losses, whole.losses)
        assert torch.equal(again.checkpoint.theta, whole.checkpoint.theta)
        assert again.checkpoint.buffers.keys() == whole.checkpoint.buffers.keys()
        for name, value in again.network.state_dict().items():
            assert torch.equal(value, whole.network.state_dict()[name]), name


@every_example
def test_a_trained_network_predicts_the_same_again_and_again(example: Example) -> None:
    problem = example.problem()
    network = run(problem, lr=1e-3, steps=3, method="steps", objective="by hand").network
    assert not network.training
    before = copy.deepcopy(network.state_dict())
    first = network(problem.x)
    assert torch.equal(first, network(problem.x))
    torch.testing.assert_close(network.forward_by_hand(problem.x)[0], first.detach())
    for row in (0, ROWS - 1):  # alone as among others
        torch.testing.assert_close(network(problem.x[row : row + 1])[0], first[row])
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@every_example
def test_a_descent_leaves_the_network_as_it_was(example: Example) -> None:
    problem = example.problem()
    before = copy.deepcopy(problem.network.state_dict())
    run(problem, lr=1e-3, steps=3, method="steps")
    assert problem.network.training
    for name, value in problem.network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_a_function_of_two_outputs_is_no_layer() -> None:
    weights = {"w_ih": torch.ones(12, 3), "w_hh": torch.ones(12, 3)}
    cell = Layer(functions.LSTMCell, ("input", "hx", "cx"), **weights)
    with pytest.raises(SettingError, match="LSTMCell returns 2 outputs, and a layer hands one"):
        cell(torch.ones(5, 3))
