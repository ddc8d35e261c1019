"""Weights of rows: a row of weight 3 is three rows, one of weight 0 none, on every way down."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from torch import Tensor

from derivable import MSE, Function, Network, ReLU, Tanh, descend
from derivable.errors import DataError, NotATensorError, SettingError, ShapeError
from derivable.functions import CrossEntropy
from derivable.objective import ByHand, FeaturesMajor, Fused
from derivable.objective.batches import Batches
from derivable.problem import Problem, check_weight
from derivable.stepper import Stepper, choose_stepper
from tests.problems import Given, Length, problem


def repeated(x: Tensor, y: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    return x.repeat_interleave(count, 0), y.repeat_interleave(count, 0)


def counted(rows: int) -> Tensor:
    """How often each row is there: 0 to 4 times."""
    return torch.randint(0, 5, (rows,), generator=torch.Generator().manual_seed(1))


def shares(network: Network, x: Tensor, y: Tensor) -> Given:
    """The same with probabilities for targets."""
    return network, x, (3 * y).softmax(1)


def agree(weighted: Stepper, plain: Stepper, network: Network) -> None:
    """Loss, gradient, second derivative and steps of two steppers."""
    theta, other = network.theta, network.theta
    one, two = weighted.objective, plain.objective
    torch.testing.assert_close(
        [one.clone() for one in one.value_and_gradient(theta)],
        [one.clone() for one in two.value_and_gradient(theta)],
    )
    direction = torch.linspace(-1, 1, len(theta), dtype=torch.float64).cos()
    torch.testing.assert_close(one.hvp(theta, direction), two.hvp(theta, direction))
    losses, expected = torch.empty(2, 50, dtype=torch.float64)
    weighted.take_steps(theta, 0.02, losses)
    plain.take_steps(other, 0.02, expected)
    torch.testing.assert_close((theta, losses), (other, expected), rtol=1e-9, atol=1e-11)


def by_hand(*given: Any) -> Stepper:
    return choose_stepper(Problem(*given), ByHand, steps=0)


@pytest.mark.parametrize("rows", [7, 300])
@pytest.mark.parametrize("sizes", [(5, 7, 1), (3, 5, 2)], ids=str)
@pytest.mark.parametrize("way", ["by hand", "features-major", "fused", "piecewise"])
def test_weights_are_repeated_rows(way: str, sizes: tuple[int, ...], rows: int) -> None:
    network, x, y = problem(*sizes, rows=rows, activation=ReLU)
    count = counted(rows)
    weighted = Problem(network, MSE, x, y, count.double())
    assert weighted.rows < rows
    assert weighted.weight is not None
    assert weighted.weight.mean().item() == pytest.approx(1)
    plain = by_hand(network, MSE, *repeated(x, y, count))
    agree(choose_stepper(weighted, way, steps=0), plain, network)


@pytest.mark.parametrize("kind", [ByHand, FeaturesMajor, Fused])
def test_weights_of_cross_entropy_are_repeated_rows(kind: Any) -> None:
    network, x, y = shares(*problem(5, 7, 3, rows=13))
    count = counted(13)
    weighted = Problem(network, CrossEntropy, x, y, count.double())
    plain = by_hand(network, CrossEntropy, *repeated(x, y, count))
    agree(choose_stepper(weighted, kind, steps=0), plain, network)


@pytest.mark.parametrize("activation", [Tanh, ReLU])
def test_features_major_has_the_cross_entropy_by_hand(activation: type[Function]) -> None:
    network, x, y = shares(*problem(3, 5, 2, 7, rows=257, activation=activation))
    ours = choose_stepper(Problem(network, CrossEntropy, x, y), FeaturesMajor, steps=0)
    agree(ours, by_hand(network, CrossEntropy, x, y), network)


def test_a_problem_in_float64_and_in_parts_has_the_same_weights() -> None:
    network, x, y = problem(5, 7, 3, rows=13, dtype=torch.float32)
    whole = Problem(network, MSE, x, y, counted(13).double())
    assert whole.weight is not None
    double, part = whole.in_float64(), whole.part(slice(3))
    assert double.dtype == double.theta.dtype == torch.float64
    torch.testing.assert_close(double.weight, whole.weight.double(), rtol=0, atol=0)
    torch.testing.assert_close(part.weight, whole.weight[:3], rtol=0, atol=0)
    assert network.theta.dtype == torch.float32


def test_a_batch_has_the_weights_of_its_rows() -> None:
    network, x, y = problem(2, 3, 2, rows=23)
    weight = torch.rand(23, dtype=torch.float64) + 0.5
    whole = Problem(network, MSE, x, y, weight)
    batches = Batches(whole, size=5, seed=3, done=7)
    rows = batches._rows(7)
    torch.testing.assert_close(
        batches.value_and_gradient(network.theta),
        ByHand(whole.part(rows)).value_and_gradient(network.theta),
    )
    torch.testing.assert_close(
        batches.hvp(network.theta, network.theta), ByHand(whole).hvp(network.theta, network.theta)
    )


@pytest.mark.parametrize("method", ["steps", "adam", "lbfgs", "flow", "auto"])
@pytest.mark.parametrize("sizes", [(5, 3), (5, 7, 3)], ids=str)
@pytest.mark.parametrize("loss", [MSE, CrossEntropy])
def test_every_method_descends_the_weighted_loss(
    loss: type[Function], sizes: tuple[int, ...], method: str
) -> None:
    network, x, y = problem(*sizes, rows=43)
    if loss is CrossEntropy:
        network, x, y = shares(network, x, y)
    count = counted(43)
    settings: dict[str, Any] = {"method": method, "lr": 0.01, "steps": 15}
    ours = descend(network, loss, x, y, weight=count.double(), **settings)
    plain = descend(network, loss, *repeated(x, y, count), **settings)
    torch.testing.assert_close(ours.losses, plain.losses)
    torch.testing.assert_close(ours.network.theta, plain.network.theta)
    assert ours.method == plain.method


def test_equal_weights_are_no_weights() -> None:
    network, x, y = problem(5, 7, 3, rows=43)
    settings: dict[str, Any] = {"lr": 0.01, "steps": 25, "weight": torch.full((43,), 0.3)}
    ours = descend(network, MSE, x, y, **settings)
    plain = descend(network, MSE, x, y, lr=0.01, steps=25)
    assert torch.equal(ours.network.theta, plain.network.theta)


@pytest.mark.parametrize(
    ("loss", "weight", "error", "message"),
    [
        (
            Length,
            torch.ones(13),
            SettingError,
            "a sum or mean over rows; repeat.* is not pointwise",
        ),
        (MSE, [1.0] * 13, NotATensorError, "weight must be a tensor, got list"),
        (MSE, torch.ones(13, 1), ShapeError, r"shape \(13,\), one number per row of x, got \(13, "),
        (MSE, torch.arange(13) - 3.0, DataError, "finite and 0 or more, got -3.0 in row 0"),
        (MSE, torch.tensor([1.0] * 12 + [torch.inf]), DataError, "got inf in row 12"),
        (MSE, torch.zeros(13), DataError, "weight is zero in every row"),
    ],
)
def test_weights_without_a_meaning(
    loss: type[Function], weight: Any, error: type[Exception], message: str
) -> None:
    network, x, y = problem(5, 2, rows=13)
    with pytest.raises(error, match=message):
        descend(network, loss, x, y, lr=0.1, steps=1, weight=weight)


class ByColumns(Function):
    """Half the mean over columns of the squared errors, summed over the rows."""

    @staticmethod
    def forward(ctx: Any, yhat: Any, y: Any) -> Any:
        ctx.save_for_backward(yhat, y)
        return ((yhat - y) ** 2).sum() / 2 / yhat.size(-1)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        yhat, y = ctx.saved_tensors
        grad = (yhat - y) / yhat.size(-1) * grad_output
        return grad, -grad


@pytest.mark.parametrize(
    ("loss", "y"),
    [(ByColumns, torch.ones(13, 2, 3)), (CrossEntropy, torch.zeros(13, 2, dtype=torch.int64))],
)
def test_weights_of_rows_that_have_several_losses(loss: type[Function], y: torch.Tensor) -> None:
    message = f"weight goes with {loss.__name__} where each row has one loss, got y of shape "
    with pytest.raises(SettingError, match=re.escape(f"{message}{(*y.shape,)}; repeat the rows")):
        check_weight(loss, y, torch.ones(13))
    check_weight(loss, y[:, 0], torch.ones(13))
