"""What is minimised: tables of any shape, and what does not fit, each named in one message."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from torch import Tensor

from derivable import (
    MSE,
    Adam,
    DescentClassifier,
    DescentRegressor,
    EarlyStopping,
    Flow,
    Function,
    GradientDescent,
    Layer,
    Network,
    Problem,
    SavedModel,
    Tanh,
    compare,
    descend,
    functions,
)
from derivable.data.columns import Column, Columns
from derivable.descent import Checkpoint, State, choose_rate
from derivable.errors import DataError, SettingError, ShapeError
from derivable.functions import ELU, CrossEntropy, Dropout, Embedding, Flatten
from derivable.objective import ByHand, FeaturesMajor, Fused
from derivable.protocol import Model
from derivable.stepper import PiecewiseSteps
from tests.cases.case import Make
from tests.networks import BY_LAYER, linear
from tests.problems import problem

MAKE = Make()
X, LABELS = MAKE(23, 5), MAKE.integers(3, 23)


def dropping(p: float = 0.4) -> Network:
    make = Make()
    dropout = Layer(Dropout, p=p, generator=torch.Generator().manual_seed(7))
    return Network([linear(make, 5, 7), Layer(Tanh), dropout, linear(make, 7, 3)])


def example(name: str) -> Problem:
    return next(one for one in BY_LAYER if one.name == name).problem()


def test_class_indices_are_the_same_target_as_their_probabilities() -> None:
    make = Make()
    network = Network([linear(make, 5, 7), Layer(Tanh), linear(make, 7, 3)])
    shares = torch.nn.functional.one_hot(LABELS, 3).double()
    settings: dict[str, Any] = {"lr": 0.1, "steps": 30, "method": "steps", "objective": "by hand"}
    by_index = descend(network, CrossEntropy, X, LABELS, **settings)
    by_share = descend(network, CrossEntropy, X, shares, **settings)
    torch.testing.assert_close(by_index.losses, by_share.losses)


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_of_several_dimensions_are_one_example_each(weighted: bool) -> None:
    """A Linear layer on (N, L, D) has the loss and gradient of N L rows."""
    make = Make()
    network, x, y = Network([linear(make, 5, 2)]), make(11, 3, 5), make(11, 3, 2)
    weight = make.positive(11) if weighted else None
    given = Problem(network, MSE, x, y, weight, penalty=0.3)
    rows = None if weight is None else weight.repeat_interleave(3)
    flat = Problem(network, MSE, x.flatten(0, 1), y.flatten(0, 1), rows, penalty=0.1)
    loss, gradient = ByHand(given).value_and_gradient(network.theta)
    one, other = ByHand(flat).value_and_gradient(network.theta)
    torch.testing.assert_close((loss, gradient), (3 * one, 3 * other))
    for kind in (Fused, FeaturesMajor, PiecewiseSteps):
        assert not kind.supports(given)
    assert GradientDescent().fastest(given, 10_000) is not PiecewiseSteps


def test_options_of_an_activation_are_not_lost_in_a_fast_objective() -> None:
    network, x, y = problem(3, 5, 1, rows=43, activation=ELU)
    assert Fused.supports(Problem(network, MSE, x, y))
    network.layers[1] = Layer(ELU, alpha=0.3)
    given = Problem(network, MSE, x, y)
    run = descend(network, MSE, x, y, lr=0.01, steps=5)
    assert run.objective == "fused"
    torch.testing.assert_close(run.losses[0], ByHand(given).value(network.theta))


REFUSED: list[tuple[Any, Any, Any, Any, type[Exception], str]] = [
    (
        lambda make: [linear(make, 5, 3)], X.long(), LABELS, CrossEntropy, ShapeError,
        r"layer 1 of the network, Linear, does not take .* \(2, 5\) of int64: expected",
    ),
    (
        lambda make: [Layer(Embedding, weight=make(13, 2)), Layer(Flatten), linear(make, 10, 3)],
        X, LABELS, CrossEntropy, SettingError,
        r"layer 1 of the network, Embedding, .* Embedding: input must hold int64 or int32 indices",
    ),
    (
        lambda make: [Layer(Embedding, weight=make(13, 2))], 13 + LABELS, X, MSE, DataError,
        "layer 1 of the network, Embedding, .* indices from 0 to 12",
    ),
    (
        lambda make: [linear(make, 5, 3)], X, LABELS.double(), CrossEntropy, ShapeError,
        r"the loss, CrossEntropy, does not take predictions, \(2, 3\) of float64, with the first "
        r"rows of y \(23,\), torch.float64: CrossEntropy: target",
    ),
    (
        lambda make: [linear(make, 5, 3)], X, 3 + LABELS, CrossEntropy, DataError,
        "the loss, CrossEntropy, .* class indices from 0 to 2",
    ),
    (
        lambda make: [linear(make, 5, 3), Layer(functions.Mean, dim=0)], X, X[:, :3], MSE,
        ShapeError, r"one prediction per row; for 2 rows of x \(23, 5\) it returns \(3,\) of",
    ),
    (
        lambda make: [linear(make, 5, 3), Layer(functions.BatchNorm, weight=make(3))],
        X, X[:, :3], MSE, SettingError,
        "layer 2 of the network, BatchNorm, .* running_mean and running_var must be tensors, got",
    ),
    (
        lambda make: [linear(make, 5, 3), Layer(functions.Multiply, other=torch.ones(3))],
        X, X[:, :3], MSE, SettingError, "one dtype, got torch.float32 and torch.float64; network",
    ),
    (lambda make: [linear(make, 5, 3)], X[0, 0], X, MSE, ShapeError, r"\(N, ...\) with N > 0 rows"),
]  # fmt: skip


@pytest.mark.parametrize(("layers", "x", "y", "loss", "error", "message"), REFUSED)
def test_what_does_not_fit_is_named(
    layers: Any, x: Tensor, y: Tensor, loss: type[Function], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Problem(Network(layers(Make())), loss, x, y)


def test_weights_of_rows_with_class_indices_repeat_rows() -> None:
    network, count = Network([linear(Make(), 5, 3)]), torch.arange(23) % 3
    weighed = Problem(network, CrossEntropy, X, LABELS, weight=count.to(X.dtype))
    x, labels = X.repeat_interleave(count, 0), LABELS.repeat_interleave(count)
    repeated = Problem(network, CrossEntropy, x, labels)
    found = [ByHand(problem).value_and_gradient(network.theta) for problem in (weighed, repeated)]
    torch.testing.assert_close(found[0], found[1])


def test_a_second_derivative_that_autograd_does_not_find_is_refused() -> None:
    class Once(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, grad_output: Tensor) -> Tensor:
            return 3 * ctx.saved_tensors[0] ** 2 * grad_output

    network = Network([linear(Make(), 5, 3), Layer(Once)])
    given = Problem(network, MSE, X, X[:, :3])
    with pytest.raises(SettingError, match=r"needs second derivatives, and autograd finds none"):
        ByHand(given).hvp(network.theta, network.theta)
    with pytest.raises(ArithmeticError, match=r"the descent diverged: .* try a smaller lr"):
        descend(network, MSE, X, X[:, :3], lr=1e3, steps=50)


@pytest.mark.parametrize("method", ["flow", "lbfgs", Flow(1e-3)], ids=str)
def test_methods_without_steps_refuse_what_changes_with_every_step(method: Any) -> None:
    message = "Dropout of the network changes with every step, and method .* takes no single steps"
    with pytest.raises(SettingError, match=message):
        descend(dropping(), CrossEntropy, X, LABELS, lr=0.1, steps=5, method=method)


def test_auto_takes_steps_of_what_changes_with_every_step() -> None:
    run = descend(dropping(), CrossEntropy, X, LABELS, lr=0.1, steps=5)
    assert (run.method, run.objective) == ("steps", "by hand")


def test_no_learning_rate_is_found_by_trial_for_what_changes_or_for_indices() -> None:
    with pytest.raises(SettingError, match="because Dropout changes with every step; name one"):
        choose_rate(Problem(dropping(), CrossEntropy, X, LABELS))
    with pytest.raises(SettingError, match=r"because x is of torch.int64; name one"):
        choose_rate(example("Embedding"))


def test_a_learning_rate_for_images_is_found() -> None:
    given = example("Conv2d")
    rate = choose_rate(given)
    run = descend(given.network, MSE, given.x, given.y, lr=rate.lr, steps=20)
    assert (run.losses.diff() < 0).all()


def test_a_descent_trains_and_what_it_returns_predicts() -> None:
    network = dropping().eval()
    run = descend(network, CrossEntropy, X, LABELS, lr=0.05, steps=30, method="steps")
    steady = descend(dropping(p=0.0), CrossEntropy, X, LABELS, lr=0.05, steps=30, method="steps")
    assert not torch.allclose(run.losses, steady.losses, rtol=0.01)  # it has dropped
    assert not network.training
    assert not run.network.training
    again = descend(run.network, CrossEntropy, X, LABELS, lr=0.05, steps=30, method="steps")
    assert len(set(again.losses.diff().sign().tolist())) == 2  # and drops again


def test_the_last_loss_is_that_of_the_next_step() -> None:
    for method in (GradientDescent(), Adam(batch_size=4)):
        settings: dict[str, Any] = {"lr": 0.05, "method": method}
        short, long = (
            descend(dropping(), CrossEntropy, X, LABELS, steps=steps, **settings)
            for steps in (10, 20)
        )
        assert torch.equal(short.losses, long.losses[:11])


def test_early_stopping_evaluates_and_goes_back_with_the_buffers() -> None:
    given = example("BatchNorm")
    x, y = given.x + 1, given.y
    stopping = EarlyStopping(x, y, every=3, patience=2)
    at: dict[int, Checkpoint] = {}

    class Keep:
        every = 3

        def __call__(self, state: State) -> None:
            at[state.step] = state.checkpoint()
            expected = MSE.apply(state.network(x), y).sum().item()
            losses.append(expected)

    losses: list[float] = []
    run = descend(
        given.network, MSE, given.x, given.y,
        lr=0.03, steps=200, method="momentum", on_block=[Keep(), stopping],
    )  # fmt: skip
    assert run.stopped
    assert stopping.losses == pytest.approx(losses[: len(stopping.losses)])
    best = at[run.steps]
    for name, value in best.buffers.items():
        assert torch.equal(run.network.get_buffer(name), value)
    loss = MSE.apply(run.network(x), y).sum().item()
    assert loss == pytest.approx(min(stopping.losses))


def test_an_interruption_inside_a_block_goes_back_with_the_generator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("derivable.stepper.plain.steps_per_block", lambda rows: 7)
    settings: dict[str, Any] = {"lr": 0.05, "method": "adam"}
    whole = descend(dropping(), CrossEntropy, X, LABELS, steps=20, **settings)
    for last in (7, 8, 11):  # the first gradient of a block, and later ones
        calls, plain = 0, ByHand.data_value_and_gradient

        def interrupted(self: Any, theta: Tensor, last: int = last, plain: Any = plain) -> Any:
            nonlocal calls
            calls += 1
            if calls > last:
                raise KeyboardInterrupt
            return plain(self, theta)

        with monkeypatch.context() as patch:
            patch.setattr(ByHand, "data_value_and_gradient", interrupted)
            part = descend(dropping(), CrossEntropy, X, LABELS, steps=20, **settings)
        assert (part.interrupted, part.steps) == (True, 7)
        assert torch.equal(part.losses, whole.losses[:8])
        again = descend(
            dropping(), CrossEntropy, X, LABELS, steps=20, lr=0.05, start=part.checkpoint
        )
        assert torch.equal(again.losses, whole.losses)


def test_a_saved_model_is_a_perceptron(tmp_path: Any) -> None:
    model = Model("tanh", (7,))
    columns: Any = Columns(tuple(map(Column, "abcde")), tuple(map(Column, "xyz")))
    plain = model.network(5, 3, seed=1)
    scaler: Any = None
    assert SavedModel(model, plain, columns, scaler, {}).network is plain
    message = r"tanh\(7\) describes it, got the layers Linear, Tanh, Dropout, Linear; keep"
    with pytest.raises(SettingError, match=message):
        SavedModel(model, dropping(), columns, scaler, {})
    optional = model.network(5, 3, seed=1)
    optional.layers[1] = Layer(functions.Softplus, beta=2.0)
    with pytest.raises(SettingError, match="a SavedModel is a multi-layer perceptron"):
        SavedModel(model, optional, columns, scaler, {})


@pytest.mark.parametrize("make", [scipy.sparse.csr_matrix, scipy.sparse.coo_array])
def test_what_is_sparse_is_refused_in_one_sentence(make: Any) -> None:
    dense, network = np.eye(7, 5, dtype=np.float32), Network.linear(5)
    table = make(dense)
    with pytest.raises(DataError, match=r"x is sparse, and dense rows .*; x\.toarray\(\) makes"):
        descend(network, MSE, table, dense[:, :1], lr=0.1, steps=3)
    with pytest.raises(DataError, match=r"y is sparse, and dense rows .*; y\.toarray\(\) makes"):
        descend(network, MSE, dense, make(dense[:, :1]), lr=0.1, steps=3)
    with pytest.raises(DataError, match=r"x is sparse, .*; x\.to_dense\(\) makes them"):
        descend(network, MSE, torch.tensor(dense).to_sparse(), dense[:, :1], lr=0.1, steps=3)
    with pytest.raises(DataError, match=r"this one is sparse; pandas.DataFrame\(table.toarray"):
        compare(table, "linear", target="a")
    for estimator in (DescentRegressor(), DescentClassifier()):
        with pytest.raises(TypeError, match=r"Sparse data was passed for X.*toarray"):
            estimator.fit(table, np.arange(7) % 2)
