"""`descend`: exact steps, what `auto` chooses, what is refused, divergence, interruption."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from derivable import (
    MSE,
    Descent,
    Flow,
    Function,
    GradientDescent,
    Layer,
    Linear,
    Network,
    ReLU,
    Tanh,
    descend,
    functions,
)
from derivable.descent import LBFGS, Adam, Auto, EarlyStopping, Momentum, Nesterov, State
from derivable.errors import DataError, DivergedError, NotATensorError, SettingError, ShapeError
from derivable.functions import CrossEntropy
from derivable.objective import ByHand, Fused
from derivable.stepper import FusedSteps, PiecewiseSteps
from tests.problems import doubled, problem

X = torch.randn(101, 3, generator=torch.Generator().manual_seed(3))
Y = torch.sin(X[:, :1]) + 0.3 * X[:, 1:2]
BLOCK = FusedSteps.block
WAYS = ("by hand", "features-major", "fused", "piecewise")


@pytest.mark.parametrize("objective", WAYS)
def test_it_is_plain_sgd(objective: str) -> None:
    network, x, y = problem(3, 7, 2, rows=101, activation=ReLU)
    run = descend(network, MSE, x, y, lr=0.02, steps=120, objective=objective)
    w1, b1, w2, b2 = network.parameters()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.02)
    losses = []
    for _ in range(121):
        optimiser.zero_grad()
        loss = ((torch.relu(x @ w1 + b1) @ w2 + b2 - y) ** 2).mean(0).sum()
        losses.append(loss.item())
        loss.backward()
        optimiser.step()
    expected = torch.tensor(losses, dtype=torch.float64)
    torch.testing.assert_close(run.losses, expected, rtol=1e-9, atol=0)
    assert (run.method, run.error_estimate.exact) == ("steps", True)


def test_the_result_tells_what_happened() -> None:
    network = Network.mlp(3, 5, 1)
    before, seen = network.theta, []
    run = descend(
        network,
        MSE,
        X,
        Y,
        lr=0.1,
        steps=BLOCK + 7,
        on_block=lambda state: seen.append((state.step, state.loss)),
    )
    assert isinstance(run, Descent)
    assert run.losses.shape == (BLOCK + 8,)
    assert run.train_loss == run.losses[-1].item()
    assert (run.gradient_evaluations, run.steps) == (BLOCK + 8, BLOCK + 7)
    assert (run.method, run.objective, run.lr) == ("steps", "fused", 0.1)
    assert run.seconds > 0
    assert run.compile_seconds > 0
    assert not run.interrupted
    assert [step for step, _ in seen] == [BLOCK, BLOCK + 7]
    assert seen[-1][1] == run.train_loss
    assert torch.equal(network.theta, before)
    assert [p.shape for p in run.parameters] == [p.shape for p in network.parameters()]
    assert "steps of lr=0.1, method steps, fused objective" in repr(run)
    assert repr(run).endswith("exact)")
    yhat, _ = run.network.forward_by_hand(X)
    torch.testing.assert_close(((yhat - Y) ** 2).mean().item(), run.train_loss)


@pytest.mark.parametrize("method", ["steps", "flow", "spectral", "momentum", "adam", "lbfgs"])
def test_no_steps_at_all(method: str) -> None:
    network = Network.linear(3)
    run = descend(network, MSE, X, Y, lr=0.1, steps=0, method=method)
    torch.testing.assert_close(run.losses, (Y**2).mean().double().view(1), rtol=0.1, atol=0)
    assert run.steps == 0
    assert torch.equal(run.network.theta, network.theta)


@pytest.mark.parametrize("objective", WAYS)
def test_a_whole_number_for_lr(objective: str) -> None:
    network, x, y = problem(3, 5, 1, rows=20, activation=ReLU)
    runs = [descend(network, MSE, x, y, lr=lr, steps=3, objective=objective) for lr in (1.0, 1)]
    assert torch.equal(runs[0].losses, runs[1].losses)


# the choice of "auto"


def test_auto() -> None:
    def chosen(network: Network, rows: int = 3000, **settings: Any) -> tuple[str, str]:
        x, y = torch.randn(rows, 3), torch.randn(rows, 1)
        run = descend(network, MSE, x, y, lr=1e-9, **{"steps": 1999, **settings})
        return run.method, run.objective

    tanh, relu = Network.mlp(3, 4, 1), Network.mlp(3, 4, 1, activation=ReLU)
    relu6 = Network.mlp(3, 4, 1, activation=functions.ReLU6)
    assert chosen(Network.linear(3)) == ("spectral", "quadratic")
    assert chosen(Network.linear(3), objective="fused") == ("steps", "fused")
    assert chosen(tanh, rows=300) == ("steps", "fused")
    assert chosen(tanh, rows=300, steps=2000) == ("flow", "fused")
    assert chosen(relu, steps=2000) == ("steps", "piecewise")
    assert chosen(relu, steps=999) == ("steps", "fused")
    assert chosen(relu6, rows=30, steps=2000) == ("steps", "fused")
    assert chosen(tanh, rows=30, steps=9, method=GradientDescent(batch_size=7)) == (
        "steps",
        "mini-batches",
    )
    assert chosen(tanh, rows=30, steps=2000, objective="by hand") == ("steps", "by hand")


def test_without_numba_everything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    network, x, y = problem(3, 5, 1, rows=300)
    run = descend(network, MSE, x, y, lr=0.01, steps=2000)
    assert (run.method, run.objective) == ("steps", "features-major")
    run = descend(network, MSE, x, y, lr=0.001, steps=50, method="flow")
    assert run.objective == "features-major"
    assert descend(Network.linear(3), MSE, X, Y, lr=0.1, steps=5).method == "spectral"
    for method in ("momentum", "adam", "lbfgs"):
        assert descend(network, MSE, x, y, lr=0.01, steps=5, method=method).train_loss > 0
    with pytest.raises(SettingError, match="needs Numba"):
        descend(network, MSE, x, y, lr=0.01, steps=5, objective="fused")


# divergence


@pytest.mark.parametrize("objective", WAYS)
def test_divergence_names_the_step_the_loss_and_a_stable_lr(objective: str) -> None:
    network, x, y = problem(3, 5, 1, rows=101, activation=ReLU)
    message = r"diverged: the loss is (inf|nan) at step \d+ with lr=5, after [\d.]+ at step 0; "
    message += r"the loss curves by up to .* so a stable lr is below 2 / [\d.]+ = [\d.]+$"
    settings: dict[str, Any] = {"lr": 5.0, "objective": objective}
    with pytest.raises(DivergedError, match=message) as error:
        descend(network, MSE, x, y, steps=600, **settings)
    step = int(str(error.value).split("at step ")[1].split()[0])
    losses = descend(network, MSE, x, y, steps=step - 1, **settings).losses
    assert torch.isfinite(losses).all()
    sharpest = float(str(error.value).split("up to ")[1].split()[0])
    hessian = torch.autograd.functional.hessian(
        lambda theta: ((torch.relu(x @ theta[:15].view(3, 5) + theta[15:20]) @ theta[20:25]
                        + theta[25] - y.squeeze(1)) ** 2).mean(), network.theta)  # fmt: skip
    assert sharpest == pytest.approx(float(torch.linalg.eigvalsh(hessian)[-1]), rel=0.02)


def test_a_loss_that_overflows_with_the_last_step() -> None:
    network = Network.linear(3, dtype=torch.float32)
    with pytest.raises(DivergedError, match="the loss is inf at step 1 with lr=1e"):
        descend(network, MSE, X, Y, lr=1e30, steps=1, method="steps")


@pytest.mark.parametrize("method", ["steps", "flow", "adam", "lbfgs"])
def test_a_loss_that_is_not_finite_where_it_starts(method: str) -> None:
    network, x, y = problem(3, 5, 1, rows=20, activation=functions.Log)
    with pytest.raises(DivergedError, match="the loss is nan before the first step, which no lr"):
        descend(network, MSE, x, y, lr=0.1, steps=50, method=method)


def test_a_closed_form_that_is_not_finite_where_it_starts() -> None:
    network, x, y = problem(3, 1, rows=20)
    with pytest.raises(DivergedError, match="the loss is inf before the first step, which no lr"):
        descend(network, MSE, x, 1e200 * y, lr=0.1, steps=50)


def test_below_what_was_stable_where_it_started_a_smaller_lr_is_proposed() -> None:
    network = Network.mlp(3, 5, 5, 1)  # its loss curves by 2.03 at first, and then by more
    with pytest.raises(DivergedError, match=r"try a smaller lr, for example 0\.095$"):
        descend(network, MSE, X, Y + 1, lr=0.95, steps=600, method="steps")


# what is refused before the first step


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lr": 0.0}, "lr must be a positive number, got 0"),
        ({"lr": float("nan")}, "lr must be a positive number"),
        ({"lr": "fast"}, "lr must be a positive number, got .fast."),
        ({"lr": None}, "method 'auto' needs a learning rate; for example lr=1e-4"),
        ({"steps": -1}, "steps must be a whole number, 0 or more, got -1"),
        ({"steps": 2.5}, "steps must be a whole number"),
        ({"steps": True}, "steps must be a whole number"),
        ({"method": "leaps"}, "method must be one of auto, steps, spectral, .*; got 'leaps'"),
        ({"objective": "quantum"}, "objective must be one of fastest, by hand, .*; got 'quantum'"),
        ({"method": "spectral"}, "method 'spectral' is for a network of one Linear layer and MSE"),
        ({"start": "run.safetensors"}, r"start must be a Checkpoint, such as .*, got str"),
        ({"method": Adam}, r"method must be one of .*, or an object such as Momentum\(0.9\)"),
        (
            {"method": GradientDescent(batch_size=5), "objective": "fused"},
            "batches go with no named objective; got batch_size=5 and objective 'fused'",
        ),
        ({"method": "adam", "objective": "piecewise"}, "'piecewise' takes exact steps and goes wi"),
        ({"method": "flow", "objective": PiecewiseSteps}, "'piecewise' takes exact steps and goes"),
        ({"on_block": 3}, "on_block must be a callable that takes a State, .* got int"),
    ],
)
def test_settings_without_a_meaning(change: dict[str, Any], message: str) -> None:
    settings: dict[str, Any] = {"lr": 0.1, "steps": 3, **change}
    with pytest.raises(SettingError, match=message):
        descend(Network.mlp(3, 2, 1), MSE, X, Y, **settings)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (Flow, {"tolerance": 0.0}, "tolerance must be a positive number, got 0"),
        (Auto, {"tolerance": "small"}, "tolerance must be a positive number, got 'small'"),
        (GradientDescent, {"batch_size": 0}, "batch_size must be a whole number, 1 or more, got 0"),
        (GradientDescent, {"batch_size": 2.0}, "batch_size must be a whole number, .* got 2.0"),
        (Momentum, {"batch_size": True}, "batch_size must be a whole number, .* got True"),
        (Adam, {"seed": "a"}, "seed must be a whole number, 0 or more, got 'a'"),
        (Momentum, {"momentum": 1.0}, "momentum must be 0 or more and below 1, got 1.0"),
        (Nesterov, {"momentum": 0}, r"momentum must be above 0 for Nesterov, got 0; GradientDes"),
        (Adam, {"betas": (0.9,)}, r"betas must be two numbers, got \(0.9,\)"),
        (Adam, {"betas": (0.9, 1.5)}, "betas must be 0 or more and below 1, got 1.5"),
        (Adam, {"eps": 0}, "eps must be a positive number, got 0"),
        (LBFGS, {"memory": 0}, "memory must be a whole number, 1 or more, got 0"),
    ],
)
def test_settings_of_methods_without_a_meaning(
    kind: Any, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        kind(**settings)


@pytest.mark.parametrize("objective", [ByHand, Fused, PiecewiseSteps])
def test_an_objective_or_stepper_may_be_a_class(objective: Any) -> None:
    network, x, y = problem(3, 5, 1, rows=61, activation=ReLU)
    ours = descend(network, MSE, x, y, lr=0.02, steps=70, objective=objective)
    named = descend(network, MSE, x, y, lr=0.02, steps=70, objective=objective.name)
    assert torch.equal(ours.losses, named.losses)
    assert ours.objective == named.objective == objective.name


def test_a_callback_may_stop_a_descent_where_it_is() -> None:
    network, x, y = problem(3, 5, 1, rows=61)

    def stop(state: State) -> None:
        if state.loss < 0.5:
            state.stop("good enough")

    stop.every = 7  # type: ignore[attr-defined]
    run = descend(network, MSE, x, y, lr=0.02, steps=5000, on_block=stop)
    assert (run.method, run.stopped, run.interrupted) == ("steps", "good enough", False)
    assert run.steps % 7 == 0
    assert run.losses[run.steps - 1] < 0.5 < run.losses[run.steps - 8]
    assert ", stopped: good enough)" in repr(run)
    plain = descend(network, MSE, x, y, lr=0.02, steps=run.steps, method="steps")
    assert torch.equal(run.losses, plain.losses)
    assert torch.equal(run.network.theta, plain.network.theta)


def test_a_callback_may_end_a_descent_at_an_earlier_checkpoint() -> None:
    network, x, y = problem(3, 5, 1, rows=61)
    kept = []

    def back(state: State) -> None:
        kept.append(state.checkpoint())
        if state.step == 30:
            state.stop("back to the second", back_to=kept[1])

    back.every = 10  # type: ignore[attr-defined]
    for method in ("steps", "adam"):
        kept.clear()
        run = descend(network, MSE, x, y, lr=0.02, steps=99, method=method, on_block=back)
        plain = descend(network, MSE, x, y, lr=0.02, steps=20, method=method)
        assert (run.steps, run.stopped) == (20, "back to the second")
        assert torch.equal(run.losses, plain.losses)
        assert torch.equal(run.network.theta, plain.network.theta)
        assert run.snapshots.at[-1] == run.checkpoint.step == 20


def test_callbacks_are_called_when_they_are_due_and_entered_and_left() -> None:
    class Recorder:
        def __init__(self, every: int) -> None:
            self.every, self.open = every, 0
            self.seen: list[int] = []

        def __enter__(self) -> None:
            self.open += 1

        def __exit__(self, *error: object) -> None:
            self.open -= 1

        def __call__(self, state: State) -> None:
            assert self.open == 1
            self.seen.append(state.step)

    one, other = Recorder(7), Recorder(10)
    descend(Network.mlp(3, 5, 1), MSE, X, Y, lr=0.1, steps=23, on_block=[one, other])
    assert one.seen == [7, 14, 21, 23]
    assert other.seen == [10, 20, 23]
    with pytest.raises(DivergedError):
        descend(Network.mlp(3, 5, 1), MSE, X, Y, lr=1e30, steps=23, on_block=[one, other])
    assert one.open == other.open == 0
    with pytest.raises(SettingError, match="Recorder is to be called after so many steps, and met"):
        descend(Network.mlp(3, 5, 1), MSE, X, Y, lr=0.1, steps=23, method="flow", on_block=one)
    with pytest.raises(
        SettingError, match=r"Recorder\.every must be a whole number, 1 or more, got"
    ):
        descend(Network.mlp(3, 5, 1), MSE, X, Y, lr=0.1, steps=23, on_block=Recorder(0))


def test_a_loss_that_is_none_and_a_network_without_parameters() -> None:
    with pytest.raises(SettingError, match="loss must be a Function class such as MSE, or"):
        descend(Network.linear(3), 3, X, Y, lr=0.1, steps=3)  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="the network has no parameters to descend with"):
        descend(Network([]), MSE, X, Y, lr=0.1, steps=3)


def test_parameters_that_cannot_move() -> None:
    frozen = Network.mlp(3, 2, 1)
    frozen.layers[0].requires_grad_(False)
    with pytest.raises(SettingError, match=r"parameter layers.0.w is frozen .* thaws the network"):
        descend(frozen, MSE, X, Y, lr=0.1, steps=3)
    w, b = torch.ones(3, 1, dtype=torch.complex64), torch.ones(1, dtype=torch.complex64)
    with pytest.raises(SettingError, match=r"layers.0.w is torch.complex64, .* moves real numbers"):
        descend(Network([Layer(Linear, w=w, b=b)]), MSE, X, Y, lr=0.1, steps=3)


def _with_nan(table: Tensor, row: int) -> Tensor:
    table = table.clone()
    table[row, 0] = torch.nan
    return table


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (X.tolist(), Y, NotATensorError, r"x must be a tensor, got list"),
        (np.array([["a"] * 3] * 101), Y, DataError, r"an array of numbers is needed, got dtype <U"),
        (X, Y.double(), DataError, r"y has dtype torch.float64 and the network torch.float32"),
        (_with_nan(X, 4), Y, DataError, r"x is not finite: .* row 4"),
        (X, _with_nan(Y, 9), DataError, r"y is not finite: .* row 9"),
        (
            X[:, :2],
            Y,
            ShapeError,
            r"layer 1 of the network, Linear, does not take the first rows of x \(101, 2\), "
            r"\(2, 2\) of float32: Linear: x must have 3 columns",
        ),
        (X[:0], Y[:0], ShapeError, r"x must have shape \(N, ...\) with N > 0 rows, got \(0, 3\)"),
        (
            X,
            X,
            ShapeError,
            r"the loss, MSE, does not take predictions, \(2, 1\) of float32, with the first rows "
            r"of y \(101, 3\), torch.float32: MSE: y must have the shape of yhat, \(2, 1\), got",
        ),
        (X, Y[1:], ShapeError, r"one row for each other, got x \(101, 3\) and y \(100, 1\)"),
    ],
)
def test_tables_that_do_not_fit(x: Any, y: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        descend(Network.mlp(3, 2, 1, activation=Tanh), MSE, x, y, lr=0.1, steps=3)


def test_arrays_and_one_column_are_tables_too() -> None:
    network = Network.mlp(3, 5, 1)
    settings: dict[str, Any] = {"lr": 0.1, "steps": 7, "method": "steps"}
    expected = descend(network, MSE, X, Y, **settings)
    x, y = X.double().numpy(), Y.double().numpy()
    tables: list[Any] = [(x, y), (x, y[:, 0]), (X, Y[:, 0]), (x[::-1][::-1], y)]
    for one, other in tables:
        found = descend(network, "mse", one, other, weight=np.ones(101), **settings)
        assert torch.equal(found.losses, expected.losses)
        assert found.objective == expected.objective
    halves = np.round(2 * x)
    numbers = descend(network, MSE, halves, np.round(y[:, 0]), **settings)
    integers = descend(network, MSE, halves.astype(int), np.round(y[:, 0]).astype(int), **settings)
    assert torch.equal(numbers.losses, integers.losses)
    stopping = EarlyStopping(x, y[:, 0], every=2)
    descend(network, MSE, X, Y, on_block=stopping, **settings)
    assert stopping.steps == [2, 4, 6, 7]


@pytest.mark.parametrize("labels", [torch.arange(101) % 5, (torch.arange(101) % 5)[:, None]])
def test_labels_of_classes_by_the_name_of_their_loss(labels: Tensor) -> None:
    settings: dict[str, Any] = {"lr": 0.1, "steps": 7, "method": "steps"}
    network = Network.mlp(3, 5)
    expected = descend(network, CrossEntropy, X, torch.arange(101) % 5, **settings)
    for given in (labels, labels.numpy()):
        found = descend(network, "crossentropy", X, given, **settings)
        assert torch.equal(found.losses, expected.losses)
    smooth = descend(network, "crossentropy:label_smoothing=0.2", X, labels, **settings)
    assert not torch.equal(smooth.losses, expected.losses)


CLASSES: Any = torch.arange(101) % 5


@pytest.mark.parametrize(
    ("network", "loss", "x", "y", "message"),
    [
        (torch.nn.Sequential(torch.nn.Linear(3, 1)), MSE, X, Y, "a Network, got Sequential; Netw"),
        ("tanh:10", MSE, X, Y, "network must be a Network, got str; Network.mlp"),
        (Network, MSE, X, Y, "must be a Network, got the class Network"),
        (MSE, Network.linear(3), X, Y, "must be a Network, got the class MSE"),
        (Network.mlp(3, 5), MSE, X, CLASSES, "real numbers; labels of classes go with CrossEntr"),
        (Network.mlp(3, 5), "crossentropy", X, CLASSES.float(), "are integers: y.long()"),
        (Network.mlp(3, 5), "crossentropy", CLASSES, X, "x and y seem to be exchanged"),
        (Network.linear(3), "mse", Y, X, "x and y seem to be exchanged"),
        (Network.linear(3), "mes", X, Y, "names no loss: .* did you mean mse"),
    ],
)
def test_what_is_in_the_wrong_place_has_one_message(
    network: Any, loss: Any, x: Any, y: Any, message: str
) -> None:
    with pytest.raises((SettingError, ShapeError), match=message):
        descend(network, loss, x, y, lr=0.1, steps=3)


def test_class_indices_in_the_place_of_the_scores() -> None:
    for name in ("CrossEntropy", "NLL"):
        with pytest.raises(SettingError, match="class indices are the target, which comes after"):
            getattr(functions, name).apply(CLASSES, X)


def test_several_outputs_descend_the_sum_of_their_losses() -> None:
    network, x, y = doubled(Network.linear(3, 2), X, torch.cat([Y, -2 * Y], 1))
    run = descend(network, MSE, x, y, lr=0.01, steps=5, method="steps")
    columns = [
        descend(
            Network.linear(3, 1, dtype=x.dtype).with_theta(network.theta.view(4, 2)[:, k].clone()),
            MSE, x, y[:, k : k + 1], lr=0.01, steps=5, method="steps",
        )
        for k in range(2)
    ]  # fmt: skip
    torch.testing.assert_close(run.losses, columns[0].losses + columns[1].losses)


# the reason why an objective is not compiled


class Clipped(Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x / (1 + x.abs().max())

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return grad_output / (1 + x.abs().max())


def test_a_function_that_is_not_pointwise_goes_by_hand_and_says_why() -> None:
    network, x, y = problem(3, 5, 1, rows=20, activation=Clipped)
    run = descend(network, MSE, x, y, lr=0.1, steps=2)
    assert run.objective == "by hand"
    assert "Clipped.forward" in run.not_compiled
    assert "`max` is not pointwise" in run.not_compiled
    assert run.not_compiled in repr(run)
    asked_for = descend(network, MSE, x, y, lr=0.1, steps=2, objective="by hand")
    network, x, y = problem(3, 5, 1, rows=20, activation=ReLU)
    compiled = descend(network, MSE, x, y, lr=0.1, steps=2)
    assert asked_for.not_compiled == compiled.not_compiled == ""


def test_an_objective_is_also_given_by_its_class() -> None:
    network, x, y = problem(3, 4, 1, rows=23)
    settings: Any = {"steps": 7, "method": "lbfgs"}
    by_class = descend(network, MSE, x, y, objective=ByHand, **settings)
    by_name = descend(network, MSE, x, y, objective="by hand", **settings)
    assert by_class.objective == by_name.objective == "by hand"
    assert torch.equal(by_class.losses, by_name.losses)
