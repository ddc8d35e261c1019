"""Losses in the compiled pass: each against by hand, and by hand against autograd."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from derivable import MSE, DescentClassifier, Function, Network, descend, functions
from derivable.descent import Checkpoint, GradientDescent, State, descend_many
from derivable.errors import DataError, NotATensorError, SettingError, ShapeError
from derivable.functions import CrossEntropy
from derivable.objective import ByHand, FeaturesMajor, Fused
from derivable.problem import Problem
from derivable.stepper import FusedSteps, choose_stepper
from derivable.stepper.ahead import Demand
from tests.problems import Length, problem

TOLERANCE = {torch.float32: 5e-5, torch.float64: 1e-12}
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
WEIGHTED = pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])


class Quartic(Function):
    """A user's own, with ctx: half of the fourth power, one mean over rows for each column."""

    @staticmethod
    def forward(ctx: Any, yhat: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(yhat, y)
        return 0.5 * ((yhat - y) ** 4).mean(0)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        yhat, y = ctx.saved_tensors
        return 2 * (yhat - y) ** 3 / len(y) * grad_output, None


class Pinball(Function):
    """A user's own sum over all entries, with a mask that is written into."""

    @staticmethod
    def forward(ctx: Any, yhat: Tensor, y: Tensor) -> Tensor:
        d = y - yhat
        ctx.save_for_backward(d)
        losses = 0.9 * d
        losses[d < 0] = -0.1 * d[d < 0]
        return losses.sum()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        (d,) = ctx.saved_tensors
        grad = torch.full_like(d, -0.9)
        grad[d < 0] = 0.1
        return grad * grad_output, None


class PerRow(Function):
    """A user's own, one loss for each row."""

    @staticmethod
    def forward(ctx: Any, yhat: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(yhat, y)
        return (yhat - y).cosh().mean(1)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        yhat, y = ctx.saved_tensors
        return (yhat - y).sinh() / y.size(1) * grad_output.unsqueeze(1), None


PAIRS = [
    MSE,
    functions.L1,
    functions.Huber,
    functions.LogCosh,
    functions.PoissonNLL,
    functions.BinaryCrossEntropyWithLogits,
    functions.Hinge,
    Quartic,
    Pinball,
    PerRow,
]
SUMS = (Pinball, PerRow)
KINDS = ["labels", "probabilities", "one-hot", "ignored"]


def named(loss: type[Function]) -> str:
    return loss.__name__


def weights(rows: int) -> Tensor:
    """How often each row is there: 0 to 4 times."""
    return torch.randint(0, 5, (rows,), generator=torch.Generator().manual_seed(1))


def pairs(loss: type[Function], *sizes: int, rows: int, weighted: bool, dtype: Any) -> Problem:
    """A problem whose targets the loss can have."""
    network, x, y = problem(*sizes, rows=rows, dtype=dtype)
    if loss in (functions.PoissonNLL, functions.BinaryCrossEntropyWithLogits):
        y = y.sigmoid()
    if loss is functions.Hinge:
        y = y.sign()
    weight = weights(rows).to(dtype) if weighted else None
    return Problem(network, loss, x, y, weight)


def classes(kind: str, *sizes: int, rows: int, weighted: bool, dtype: Any) -> Problem:
    """A problem of cross-entropy."""
    network, x, y = problem(*sizes, rows=rows, dtype=dtype)
    target = y.argmax(1)
    if kind == "ignored":
        target[::3] = -100
    elif kind == "probabilities":
        target = (3 * y).softmax(1)
    elif kind == "one-hot":
        target = F.one_hot(target, sizes[-1]).to(dtype)
    weight = weights(rows).to(dtype) if weighted else None
    return Problem(network, CrossEntropy, x, target, weight)


def close(one: Tensor, other: Tensor, tolerance: float) -> None:
    """Equal up to a part of the largest entry."""
    scale = max(float(other.abs().max()), 1e-30)
    torch.testing.assert_close(one.double(), other.double(), rtol=0, atol=tolerance * scale)


def agree(given: Problem, kind: Any = Fused) -> None:
    """One objective against that by hand in float64: value, gradient, second derivative, steps."""
    tolerance, exact = TOLERANCE[given.dtype], given.in_float64()
    stepper, plain = choose_stepper(given, kind, steps=0), choose_stepper(exact, ByHand, steps=0)
    one, other, theta, start = stepper.objective, plain.objective, given.theta, exact.theta
    loss, gradient = one.value_and_gradient(theta)
    expected, expected_gradient = other.value_and_gradient(start)
    close(loss, expected, tolerance)
    close(gradient, expected_gradient, tolerance)
    close(one.value(theta), other.value(start), tolerance)
    direction = torch.linspace(-1, 1, len(theta), dtype=torch.float64).cos()
    product, expected_product = (
        one.hvp(theta, direction.to(given.dtype)),
        other.hvp(start, direction),
    )
    close(product, expected_product, tolerance)
    losses, expected_losses = torch.empty(2, 3, dtype=torch.float64)
    lr = 0.05 / max(1.0, float(expected_gradient.norm()))
    stepper.take_steps(theta, lr, losses)
    plain.take_steps(start, lr, expected_losses)
    close(losses, expected_losses, tolerance)
    close(theta, start, tolerance)


@WEIGHTED
@DTYPES
@pytest.mark.parametrize("rows", [1, 251, 256, 523])
@pytest.mark.parametrize("sizes", [(7, 5, 1), (5, 7, 3), (3, 2)], ids=str)
@pytest.mark.parametrize("loss", PAIRS, ids=named)
def test_losses_of_pairs_are_those_by_hand(
    loss: type[Function], sizes: tuple[int, ...], rows: int, dtype: torch.dtype, weighted: bool
) -> None:
    agree(pairs(loss, *sizes, rows=rows, weighted=weighted and rows > 1, dtype=dtype))


@WEIGHTED
@DTYPES
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [2, 251, 256, 523])
@pytest.mark.parametrize("sizes", [(7, 5, 2), (5, 13, 11), (3, 7)], ids=str)
@pytest.mark.parametrize("objective", [Fused, FeaturesMajor], ids=lambda kind: kind.name)
def test_cross_entropy_is_that_by_hand(
    objective: Any, sizes: tuple[int, ...], rows: int, kind: str, dtype: torch.dtype, weighted: bool
) -> None:
    given = classes(kind, *sizes, rows=rows, weighted=weighted and rows > 2, dtype=dtype)
    agree(given, objective)


@pytest.mark.parametrize("loss", [*PAIRS, CrossEntropy], ids=named)
def test_weights_are_repeated_rows(loss: type[Function]) -> None:
    """By hand, with which the compiled pass is compared."""
    count = weights(29)
    if loss is CrossEntropy:
        network, x, y = problem(5, 7, 3, rows=29)
        y = y.argmax(1)
        y[::3] = -100
    else:
        plain = pairs(loss, 5, 7, 3, rows=29, weighted=False, dtype=torch.float64)
        network, x, y = plain.network, plain.x, plain.y
    repeated = Problem(network, loss, x.repeat_interleave(count, 0), y.repeat_interleave(count, 0))
    weighted = Problem(network, loss, x, y, count.double())
    one, other = ByHand(weighted), ByHand(repeated)
    theta = network.theta
    torch.testing.assert_close(one.value_and_gradient(theta), other.value_and_gradient(theta))
    torch.testing.assert_close(one.value(theta), other.value(theta))
    torch.testing.assert_close(one.hvp(theta, theta.cos()), other.hvp(theta, theta.cos()))


@pytest.mark.parametrize("loss", PAIRS, ids=named)
def test_by_hand_is_autograd(loss: type[Function]) -> None:
    given = pairs(loss, 5, 7, 3, rows=13, weighted=False, dtype=torch.float64)
    value, gradient = ByHand(given).value_and_gradient(given.theta)
    recorded = loss.apply(given.network(given.x), given.y).sum()
    expected = torch.autograd.grad(recorded, list(given.network.parameters()))
    torch.testing.assert_close(value, recorded.detach())
    torch.testing.assert_close(gradient, torch.cat([g.flatten() for g in expected]))


@pytest.mark.parametrize("kind", KINDS)
def test_cross_entropy_is_that_of_pytorch(kind: str) -> None:
    given = classes(kind, 5, 7, 3, rows=29, weighted=False, dtype=torch.float64)
    y = given.y
    if kind == "ignored":
        network, x, table = problem(5, 7, 3, rows=29)
        y = table.argmax(1)
        y[::3] = -100
        given = Problem(network, CrossEntropy, x, y)
        assert given.rows == 19
    else:
        network, x = given.network, given.x
    value, gradient = Fused(given).value_and_gradient(given.theta)
    recorded = F.cross_entropy(network(x), y)
    expected = torch.autograd.grad(recorded, list(network.parameters()))
    torch.testing.assert_close(value, recorded.detach())
    torch.testing.assert_close(gradient, torch.cat([g.flatten() for g in expected]))


def test_scores_of_any_size_do_not_overflow() -> None:
    given = classes("labels", 5, 7, 3, rows=29, weighted=False, dtype=torch.float64)
    theta = 3000 * given.theta
    loss, gradient = Fused(given).value_and_gradient(theta)
    expected, expected_gradient = ByHand(given).value_and_gradient(theta)
    assert expected > 709  # whose exponential overflows
    close(loss, expected, 1e-12)
    close(gradient, expected_gradient, 1e-12)


@pytest.mark.parametrize("value", [torch.inf, torch.nan])
@pytest.mark.parametrize("kind", ["labels", "probabilities"])
def test_not_finite_parameters_give_a_loss_that_is_not_finite(kind: str, value: float) -> None:
    given = classes(kind, 5, 7, 3, rows=29, weighted=False, dtype=torch.float32)
    theta = given.theta
    theta[-1] = value
    assert not torch.isfinite(Fused(given).value(theta))


@DTYPES
@pytest.mark.parametrize("loss", [functions.Huber, CrossEntropy], ids=named)
def test_any_number_of_threads_gives_the_same_bits(
    loss: type[Function], dtype: torch.dtype
) -> None:
    if loss is CrossEntropy:
        given = classes("labels", 17, 31, 11, rows=2003, weighted=True, dtype=dtype)
    else:
        given = pairs(loss, 17, 31, 3, rows=2003, weighted=True, dtype=dtype)
    stepper, results = FusedSteps(given), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for _ in range(3):
            stepper.objective._team._next_trial = 0.0  # the team is chosen anew
            theta, losses = given.theta, torch.empty(4, dtype=torch.float64)
            stepper.take_steps(theta, 0.01, losses)
            product = stepper.objective.hvp(given.theta, given.theta)
            results.append(torch.cat([theta.double(), losses, product.double()]))
    assert all(torch.equal(result, results[0]) for result in results)


@pytest.mark.parametrize("inputs", [9, 10, 11, 31, 32, 33, 67])
@pytest.mark.parametrize("units", [3, 4, 5, 31, 32])
@DTYPES
def test_wide_layers(inputs: int, units: int, dtype: torch.dtype) -> None:
    agree(classes("labels", inputs, units, units - 1, 11, rows=307, weighted=False, dtype=dtype))


@pytest.mark.parametrize("method", ["steps", "flow", "adam", "lbfgs", "auto"])
@pytest.mark.parametrize("loss", [functions.LogCosh, Quartic, CrossEntropy], ids=named)
def test_every_method_descends_compiled_losses(loss: type[Function], method: str) -> None:
    if loss is CrossEntropy:
        given = classes("labels", 5, 7, 3, rows=43, weighted=False, dtype=torch.float64)
    else:
        given = pairs(loss, 5, 7, 3, rows=43, weighted=False, dtype=torch.float64)
    table = given.network, loss, given.x, given.y
    settings: dict[str, Any] = {"method": method, "lr": 0.01, "steps": 15, "penalty": 0.03}
    settings["weight"] = weights(43).double()
    run = descend(*table, **settings)
    if method == "steps":
        plain = descend(*table, **settings, objective="by hand")
        torch.testing.assert_close(run.losses, plain.losses)
    assert run.objective == "fused"
    assert run.losses[-1] < run.losses[0]


def test_the_flow_of_cross_entropy_has_an_error_estimate() -> None:
    given = classes("labels", 5, 7, 3, rows=43, weighted=False, dtype=torch.float64)
    table = given.network, CrossEntropy, given.x, given.y
    flow = descend(*table, lr=0.05, steps=3000, method="flow")
    exact = descend(*table, lr=0.05, steps=3000, method="steps")
    assert flow.method == "flow"
    assert 0 < flow.error_estimate.deviation < 1e-4
    torch.testing.assert_close(flow.losses, exact.losses, rtol=1e-4, atol=0)


def test_a_checkpoint_goes_on_with_the_same_bits() -> None:
    given = classes("labels", 5, 7, 3, rows=43, weighted=False, dtype=torch.float32)
    table = given.network, CrossEntropy, given.x, given.y
    found: list[Checkpoint] = []

    def keep(state: State) -> None:
        found.append(state.checkpoint())

    whole = descend(*table, lr=0.05, steps=1200, method=GradientDescent(), on_block=keep)
    again = descend(*table, lr=0.05, steps=1200, start=found[0])
    assert 0 < found[0].step < 1200
    assert torch.equal(whole.network.theta, again.network.theta)


def test_many_seeds_descend_labels() -> None:
    _, x, y = problem(5, 7, 3, rows=43, dtype=torch.float32)
    networks = [Network.mlp(5, 7, 3, seed=seed) for seed in range(3)]
    runs = descend_many(networks, CrossEntropy, x, y.argmax(1), lr=0.1, steps=50, method="steps")
    one = descend(networks[1], CrossEntropy, x, y.argmax(1), lr=0.1, steps=50, method="steps")
    assert torch.equal(runs[1].network.theta, one.network.theta)


def test_the_classifier_is_compiled_and_its_labels_are_the_classes() -> None:
    _, x, y = problem(5, 7, 3, rows=143)
    names = [("b", "a", "c")[k] for k in y.argmax(1)]
    fitted = DescentClassifier(max_iter=400, method="steps", folds=1).fit(x.numpy(), names)
    assert fitted.objective_ == "fused"
    assert fitted.score(x.numpy(), names) > 0.6
    assert list(fitted.classes_) == ["a", "b", "c"]


def test_a_loss_that_is_not_pointwise_is_refused_with_its_reason() -> None:
    network, x, y = problem(3, 5, 2, rows=13)
    given = Problem(network, Length, x, y)
    reason = "cannot compile the loss: Length.forward, .*`linalg_vector_norm` is not pointwise"
    with pytest.raises(SettingError, match=reason):
        Fused(given)
    run = descend(network, Length, x, y, lr=0.01, steps=2, method="steps")
    assert run.objective == "by hand"
    assert "cannot compile the loss: Length" in run.not_compiled


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (
            torch.arange(13),
            DataError,
            "labels from 0 to 2, one for each of the 3 outputs.*got 3 in",
        ),
        (torch.arange(13) - 7, DataError, "indices from 0 to 2, one for each of the 3.*got -7"),
        (torch.zeros(13), DataError, r"y has dtype torch.float32 and the network torch.float64"),
        (torch.zeros(13).double(), ShapeError, r"must be integers: target.long\(\)"),
        (torch.zeros(13, dtype=torch.bool), SettingError, r"must hold class indices.*torch.bool"),
        (torch.zeros(11, dtype=torch.long), ShapeError, r"one row for each other.*\(11,\)"),
        (torch.zeros(13, 3, dtype=torch.long), ShapeError, "one class index per row"),
        (torch.full((13,), -100), DataError, "no row counts"),
        ([0] * 13, NotATensorError, "y must be a tensor, got list"),
    ],
)
def test_labels_without_a_meaning(labels: Any, error: type[Exception], message: str) -> None:
    network, x, _ = problem(5, 3, rows=13)
    with pytest.raises(error, match=message):
        descend(network, CrossEntropy, x, labels, lr=0.1, steps=1)


class Broadcast(Function):
    """A user's own whose targets (N, 1) meet all outputs."""

    @staticmethod
    def forward(ctx: Any, yhat: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(yhat, y)
        return ((yhat - y) ** 2).sum()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        yhat, y = ctx.saved_tensors
        return 2 * (yhat - y) * grad_output, None


@pytest.mark.parametrize("kind", [torch.int64, torch.float64], ids=str)
def test_targets_that_are_not_one_for_each_output_are_not_compiled(kind: torch.dtype) -> None:
    network, x, y = problem(5, 7, 3, rows=13)
    assert Fused.supports(Problem(network, Broadcast, x, y))
    assert not Fused.supports(Problem(network, Broadcast, x, y[:, :1].to(kind)))


@pytest.mark.parametrize("kind", [torch.uint8, torch.int16, torch.int32, torch.int64], ids=str)
def test_labels_have_any_dtype_of_integers(kind: torch.dtype) -> None:
    network, x, y = problem(5, 7, 3, rows=13)
    given = [Problem(network, CrossEntropy, x, y.argmax(1).to(k)) for k in (kind, torch.int64)]
    for objective in (Fused, FeaturesMajor, ByHand):
        one, other = (objective(problem).value(network.theta) for problem in given)
        assert torch.equal(one, other)


def test_what_another_process_compiles_is_what_labels_need() -> None:
    given = classes("labels", 5, 7, 3, rows=13, weighted=False, dtype=torch.float32)
    demand = Demand.of(FusedSteps, given, torch.float32, hvp=True)
    assert demand is not None
    assert demand.routines() == FusedSteps(given).routines(hvp=True)
