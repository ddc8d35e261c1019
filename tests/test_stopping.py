"""Early stopping, schedules of the learning rate, and loggers."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from derivable import (
    MSE,
    Adam,
    Checkpoint,
    Cosine,
    EarlyStopping,
    GradientDescent,
    MLflowLogger,
    Network,
    ReLU,
    StepDecay,
    TensorBoardLogger,
    WarmUp,
    descend,
)
from derivable.descent import State
from derivable.errors import DivergedError, MissingExtraError, SettingError, ShapeError
from tests.problems import problem


def split(rows: int, **settings: Any) -> tuple[Network, Tensor, Tensor, Tensor, Tensor]:
    """A network that overfits few rows, these rows, and as many of validation."""
    network, x, y = problem(5, 11, 1, rows=2 * rows, **settings)
    noise = torch.randn(y.shape, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    y = y + 0.5 * noise.to(y.dtype)
    return network, x[:rows], y[:rows], x[rows:], y[rows:]


def validation(network: Network, x: Tensor, y: Tensor) -> float:
    yhat, _ = network.forward_by_hand(x)
    return ((yhat - y) ** 2).mean().item()


@pytest.mark.parametrize(
    "method", ["auto", "momentum", "adam", GradientDescent(batch_size=7)], ids=str
)
def test_it_ends_with_the_parameters_that_were_best(method: Any) -> None:
    network, x, y, x_held, y_held = split(23)
    stopping = EarlyStopping(x_held, y_held, every=20, patience=5)
    run = descend(network, MSE, x, y, lr=0.02, steps=9000, method=method, on_block=stopping)
    best = min(range(len(stopping.losses)), key=stopping.losses.__getitem__)
    assert run.steps == stopping.steps[best] < 9000
    assert len(stopping.losses) == best + 1 + 5
    assert stopping.steps == [20 * (k + 1) for k in range(len(stopping.steps))]
    assert validation(run.network, x_held, y_held) == pytest.approx(stopping.losses[best])
    assert f"least after {run.steps:,} steps" in run.stopped
    assert not run.interrupted
    plain = descend(
        network, MSE, x, y, lr=0.02, steps=run.steps, method="steps" if method == "auto" else method
    )
    assert torch.equal(run.network.theta, plain.network.theta)
    assert torch.equal(run.losses, plain.losses)
    assert torch.equal(run.snapshots.thetas[-1], plain.network.theta)


def test_out_of_steps_it_goes_back_too_and_goes_on_from_there() -> None:
    network, x, y, x_held, y_held = split(23)
    stopping = EarlyStopping(x_held, y_held, every=20, patience=10_000)
    settings: dict[str, Any] = {"lr": 0.05, "steps": 9010, "on_block": stopping}
    run = descend(network, MSE, x, y, **settings)
    assert stopping.steps[-1] == 9010
    assert run.steps == stopping.steps[stopping.losses.index(min(stopping.losses))] < 9000
    again = descend(network, MSE, x, y, start=run.checkpoint, **settings)
    assert stopping.steps[0] == run.steps + 20
    assert torch.equal(again.losses[: run.steps], run.losses[:-1])


@pytest.mark.parametrize("method", ["steps", "adam"])
def test_it_goes_on_from_a_checkpoint_on_the_way_with_the_same_bits(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("plain", "fused"):
        monkeypatch.setattr(f"derivable.stepper.{module}.steps_per_block", lambda rows: 100)
    network, x, y, x_held, y_held = split(23)
    settings: dict[str, Any] = {"lr": 0.02, "steps": 9000, "method": method}
    kept = []

    def keep(state: State) -> None:
        if state.resumable:
            kept.append(state.checkpoint())

    def stopping() -> EarlyStopping:
        return EarlyStopping(x_held, y_held, every=20, patience=15)

    one = stopping()
    whole = descend(network, MSE, x, y, on_block=[one, keep], **settings)
    least = whole.steps
    assert kept[-1].step > least, "one of them was taken while it waited"
    for checkpoint in kept:
        checkpoint.save(tmp_path / "checkpoint.safetensors")
        start, other = Checkpoint.load(tmp_path / "checkpoint.safetensors"), stopping()
        again = descend(network, MSE, x, y, on_block=[other, keep], start=start, **settings)
        assert torch.equal(again.losses, whole.losses)
        assert torch.equal(again.network.theta, whole.network.theta)
        assert (other.steps, other.losses) == (one.steps, one.losses)
        assert again.stopped == whole.stopped
    # at the end, and with another callback, it begins anew
    assert not whole.checkpoint.callbacks
    other = stopping()
    descend(network, MSE, x, y, on_block=other, start=whole.checkpoint, **settings)
    assert other.steps[0] > least


@pytest.mark.parametrize("at", [40, 100, 140, 260])
def test_an_interruption_takes_its_evaluations_back_to_the_last_block(
    at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("plain", "fused"):
        monkeypatch.setattr(f"derivable.stepper.{module}.steps_per_block", lambda rows: 100)
    network, x, y, x_held, y_held = split(23)
    settings: dict[str, Any] = {"lr": 0.002, "steps": 9000, "method": "steps"}

    def interrupt(state: State) -> None:
        if state.step == at:
            raise KeyboardInterrupt

    one, other = (EarlyStopping(x_held, y_held, every=20, patience=20) for _ in range(2))
    whole = descend(network, MSE, x, y, on_block=one, **settings)
    half = descend(network, MSE, x, y, on_block=[other, interrupt], **settings)
    assert half.interrupted
    assert half.steps == at - at % 100
    assert max(other.steps) == half.steps
    again = descend(network, MSE, x, y, on_block=other, start=half.checkpoint, **settings)
    assert torch.equal(again.losses, whole.losses)
    if half.steps:  # at the start there is an evaluation more, that of the start
        assert (other.steps, other.losses) == (one.steps, one.losses)


def test_piecewise_steps_are_stopped_inside_of_a_block() -> None:
    network, x, y, x_held, y_held = split(1201, activation=ReLU)
    stopping = EarlyStopping(x_held, y_held, every=30, patience=3, min_delta=1e-3)
    run = descend(network, MSE, x, y, lr=0.01, steps=20_000, on_block=stopping)
    assert run.objective == "piecewise"
    assert run.steps == stopping.steps[-4] < 20_000
    assert validation(run.network, x_held, y_held) == pytest.approx(stopping.losses[-4])


def test_the_validation_loss_has_weights_and_no_penalty() -> None:
    network, x, y, x_held, y_held = split(23)
    weight = torch.rand(23, dtype=torch.float64)
    stopping = EarlyStopping(x_held, y_held, weight=weight, every=4)
    run = descend(network, MSE, x, y, lr=0.01, steps=4, penalty=3.0, on_block=stopping)
    yhat, _ = run.network.forward_by_hand(x_held)
    expected = (weight.view(-1, 1) * (yhat - y_held) ** 2).sum() / weight.sum()
    assert stopping.losses == [pytest.approx(expected.item())]


def test_iterations_of_lbfgs_are_counted() -> None:
    network, x, y, x_held, y_held = split(23)
    stopping = EarlyStopping(x_held, y_held, every=1, patience=7)
    run = descend(network, MSE, x, y, steps=500, method="lbfgs", on_block=stopping)
    best = stopping.losses.index(min(stopping.losses))
    assert stopping.steps == list(range(1, best + 1 + 7 + 1))
    assert (run.steps, len(run.losses), run.interrupted) == (best + 1, best + 2, False)
    assert validation(run.network, x_held, y_held) == pytest.approx(stopping.losses[best])


def test_lbfgs_that_converges_goes_back_to_the_best_too() -> None:
    network, x, y, x_held, y_held = split(23)
    stopping = EarlyStopping(x_held, y_held, every=1, patience=10_000)
    settings: dict[str, Any] = {"steps": 10_000, "penalty": 0.01, "method": "lbfgs"}
    run = descend(network, MSE, x, y, on_block=stopping, **settings)
    assert stopping.steps[-1] == len(stopping.steps) < 10_000
    assert run.steps == stopping.losses.index(min(stopping.losses)) + 1 < stopping.steps[-1]
    whole = descend(network, MSE, x, y, **settings)
    assert whole.steps == stopping.steps[-1]


def test_rows_and_methods_that_do_not_go_with_it() -> None:
    network, x, y, x_held, y_held = split(23)
    with pytest.raises(
        ShapeError, match=r"^the validation rows of EarlyStopping.*: layer 1 .* must have 5 columns"
    ):
        descend(
            network, MSE, x, y, lr=0.1, steps=300, on_block=EarlyStopping(x_held[:, 1:], y_held)
        )
    with pytest.raises(SettingError, match="EarlyStopping is to be called after so many steps"):
        descend(
            network, MSE, x, y, lr=0.1, steps=3, method="flow",
            on_block=EarlyStopping(x_held, y_held),
        )  # fmt: skip
    for name, value in (("every", 0), ("patience", 0), ("min_delta", -1.0)):
        with pytest.raises(SettingError, match=f"{name} must be a .*number"):
            EarlyStopping(x_held, y_held, **{name: value})  # type: ignore[arg-type]


# schedules

PYTORCH: dict[Any, Any] = {
    Cosine(0.03): lambda one, n: torch.optim.lr_scheduler.CosineAnnealingLR(one, n),
    Cosine(0.03, least=0.01): lambda one, n: torch.optim.lr_scheduler.CosineAnnealingLR(
        one, n, eta_min=0.01
    ),
    StepDecay(0.03, every=7, factor=0.5): lambda one, n: torch.optim.lr_scheduler.StepLR(
        one, 7, 0.5
    ),
    WarmUp(0.03, warm_up=11): lambda one, n: torch.optim.lr_scheduler.LinearLR(
        one, 1 / 11, 1.0, total_iters=10
    ),
}


@pytest.mark.parametrize("schedule", PYTORCH, ids=str)
@pytest.mark.parametrize("method", ["steps", "adam"])
def test_they_are_those_of_pytorch(method: str, schedule: Any) -> None:
    network, x, y = problem(3, 5, 2, rows=43)
    run = descend(network, MSE, x, y, lr=schedule, steps=60, method=method)
    w1, b1, w2, b2 = parameters = [
        p.detach().clone().requires_grad_() for p in network.parameters()
    ]
    kind = torch.optim.SGD if method == "steps" else torch.optim.Adam
    optimiser: Any = kind(parameters, lr=0.03)
    scheduler, losses = PYTORCH[schedule](optimiser, 60), []
    for _ in range(60):
        loss = ((torch.tanh(x @ w1 + b1) @ w2 + b2 - y) ** 2).mean(0).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        scheduler.step()
        losses.append(loss.item())
    torch.testing.assert_close(run.losses[:-1], torch.tensor(losses, dtype=torch.float64))
    theta = torch.cat([p.detach().flatten() for p in parameters])
    torch.testing.assert_close(run.network.theta, theta, rtol=1e-8, atol=1e-9)
    assert run.lr == schedule
    assert str(schedule) in repr(run)


def test_a_schedule_begins_after_its_warm_up() -> None:
    schedule = Cosine(0.4, warm_up=4)
    rates = [schedule(step, 12) for step in range(12)]
    assert rates[:5] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4])
    assert rates[8] == pytest.approx(0.2)
    assert all(one > other for one, other in pairwise(rates[4:]))
    assert StepDecay(0.4, warm_up=2, every=3)(5, 99) == pytest.approx(0.04)


@pytest.mark.parametrize("objective", ["by hand", "features-major", "fused", "piecewise"])
def test_every_stepper_takes_them_and_goes_on_with_the_same_bits(objective: str) -> None:
    network, x, y = problem(3, 5, 1, rows=211, activation=ReLU)
    settings: dict[str, Any] = {"lr": Cosine(0.05), "objective": objective}
    whole = descend(network, MSE, x, y, steps=900, **settings)
    plain = descend(network, MSE, x, y, steps=900, lr=Cosine(0.05), objective="by hand")
    torch.testing.assert_close(whole.losses, plain.losses, rtol=1e-9, atol=0)
    kept: list[Any] = []

    def keep(state: Any) -> None:
        if state.resumable:
            kept.append(state.checkpoint())

    descend(network, MSE, x, y, steps=900, on_block=keep, **settings)
    again = descend(network, MSE, x, y, steps=900, start=kept[0], **settings)
    assert torch.equal(again.losses, whole.losses)
    assert torch.equal(again.network.theta, whole.network.theta)


def test_any_callable_is_a_schedule_and_some_are_refused() -> None:
    network, x, y = problem(3, 5, 1, rows=61)
    ours = descend(network, MSE, x, y, lr=lambda step, steps: 0.02, steps=2500)
    plain = descend(network, MSE, x, y, lr=0.02, steps=2500, method="steps")
    assert (ours.method, ours.objective) == ("steps", "fused")
    assert torch.equal(ours.losses, plain.losses)
    for method in ("flow", "lbfgs"):
        with pytest.raises(SettingError, match="a schedule of the learning rate goes with methods"):
            descend(network, MSE, x, y, lr=Cosine(0.1), steps=9, method=method)
    with pytest.raises(SettingError, match=r"must give a learning rate of 0 or more, got -1\.0"):
        descend(network, MSE, x, y, lr=lambda step, steps: 3.0 - step, steps=9, method=Adam())
    with pytest.raises(DivergedError, match="with lr=1e"):
        descend(network, MSE, x, y, lr=StepDecay(1e9, factor=1.0), steps=99)
    for name, value in (("lr", 0.0), ("warm_up", -1), ("least", -1.0)):
        with pytest.raises(SettingError, match=f"{name} must be a .*number"):
            Cosine(**{"lr": 0.1, name: value})  # type: ignore[arg-type]
    for name, value in (("every", 0), ("factor", 0.0)):
        with pytest.raises(SettingError, match=f"{name} must be a .*number"):
            StepDecay(**{"lr": 0.1, name: value})  # type: ignore[arg-type]


# loggers


def test_tensorboard_is_given_the_losses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written: list[tuple[Any, ...]] = []

    class SummaryWriter:
        def __init__(self, folder: str) -> None:
            written.append((folder,))

        def add_scalar(self, tag: str, value: float, step: int) -> None:
            written.append((tag, value, step))

        def close(self) -> None:
            written.append(("closed",))

    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    network, x, y = problem(3, 5, 1, rows=61)
    logger = TensorBoardLogger(tmp_path / "logs", tag="train")
    run = descend(network, MSE, x, y, lr=0.02, steps=700, on_block=logger, method="steps")
    first = ("train", run.losses[499].item(), 500)
    last = ("train", run.train_loss, 700)
    assert written == [(str(tmp_path / "logs"),), first, last, ("closed",)]


@pytest.mark.parametrize("active", [False, True])
def test_mlflow_is_given_the_losses(active: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[Any, ...]] = []
    module = SimpleNamespace(
        active_run=lambda: "a run" if active else None,
        start_run=lambda: called.append(("start",)),
        log_metric=lambda name, value, step: called.append((name, value, step)),
        end_run=lambda status: called.append(("end", status)),
    )
    monkeypatch.setitem(sys.modules, "mlflow", module)
    network, x, y = problem(3, 5, 1, rows=61)
    run = descend(network, MSE, x, y, lr=0.02, steps=7, method="adam", on_block=MLflowLogger())
    logged = ("loss", run.train_loss, 7)
    assert called == ([logged] if active else [("start",), logged, ("end", "FINISHED")])
    called.clear()
    with pytest.raises(DivergedError):
        descend(network, MSE, x, y, lr=1e200, steps=7, on_block=MLflowLogger(), method="steps")
    assert called == ([] if active else [("start",), ("end", "FAILED")])


@pytest.mark.parametrize(
    ("logger", "module", "package"),
    [
        (TensorBoardLogger("logs"), "torch.utils.tensorboard", "tensorboard"),
        (MLflowLogger(), "mlflow", "mlflow"),
    ],
)
def test_without_its_package_a_logger_says_what_to_install(
    logger: Any, module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    network, x, y = problem(3, 1, rows=7)
    with pytest.raises(MissingExtraError, match=f"pip install {package}"):
        descend(network, MSE, x, y, lr=0.1, steps=3, on_block=logger)
