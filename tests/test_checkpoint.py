"""Stopping and going on: checkpoints, their files, and interruptions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from derivable import MSE, Descent, Network, ReLU, descend
from derivable.descent import Adam, Checkpoint, GradientDescent, Momentum, Nesterov, State
from derivable.errors import DataError, SettingError, ShapeError
from derivable.objective import ByHand, Fused
from derivable.stepper import PiecewiseSteps
from tests.problems import problem

NETWORK, X, Y = problem(3, 5, 2, rows=43, activation=ReLU, dtype=torch.float32)
EACH = [
    *(
        {"method": "steps", "objective": name}
        for name in ("by hand", "features-major", "fused", "piecewise")
    ),
    *({"method": name} for name in ("momentum", "nesterov", "adam")),
    *({"method": method} for method in (Momentum(0.5), Nesterov(0.5), Adam((0.8, 0.99), 1e-6))),
    *({"method": kind(batch_size=5, seed=3)} for kind in (GradientDescent, Momentum, Adam)),
]


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("plain", "fused"):
        monkeypatch.setattr(f"derivable.stepper.{module}.steps_per_block", lambda rows: 50)
    monkeypatch.setattr(PiecewiseSteps, "block", 50)


def run(steps: int, start: Checkpoint | None = None, **settings: Any) -> Descent:
    if start:  # which knows its method
        settings.pop("method", None), settings.pop("objective", None)
    return descend(NETWORK, MSE, X, Y, lr=0.01, steps=steps, start=start, **settings)


def same(one: Descent, other: Descent) -> None:
    """In every bit."""
    assert torch.equal(one.losses, other.losses)
    assert torch.equal(one.checkpoint.theta, other.checkpoint.theta)
    assert torch.equal(one.network.theta, other.network.theta)
    assert one.checkpoint.memory.keys() == other.checkpoint.memory.keys()
    for key, value in one.checkpoint.memory.items():
        assert torch.equal(value, other.checkpoint.memory[key]), key
    assert (one.method, one.objective, one.steps) == (other.method, other.objective, other.steps)


@pytest.mark.parametrize("settings", EACH, ids=str)
def test_what_goes_on_has_the_bits_of_what_was_never_stopped(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    kept: list[Checkpoint] = []
    whole = run(130, on_block=lambda state: kept.append(state.checkpoint()), **settings)
    assert [checkpoint.step for checkpoint in kept] == [50, 100, 130]
    for checkpoint in kept:
        checkpoint.save(tmp_path / "descent")
        same(run(130, Checkpoint.load(tmp_path / "descent"), **settings), whole)
    same(run(130, run(50, **settings).checkpoint, **settings), whole)
    assert [file.name for file in tmp_path.iterdir()] == ["descent"]


@pytest.mark.parametrize("settings", EACH, ids=str)
@pytest.mark.parametrize("stop", [50, 100])
def test_an_interruption_returns_what_there_is(settings: dict[str, Any], stop: int) -> None:
    def interrupt(state: State) -> None:
        if state.step >= stop:
            raise KeyboardInterrupt

    part = run(130, on_block=interrupt, **settings)
    assert part.interrupted
    assert part.steps == stop
    assert "interrupted" in repr(part)
    whole = run(130, **settings)
    torch.testing.assert_close(part.losses, whole.losses[: stop + 1], rtol=1e-6, atol=0)
    same(run(130, part.checkpoint, **settings), whole)


@pytest.mark.parametrize(
    "settings", [{"method": "adam"}, {"method": GradientDescent(batch_size=5)}], ids=str
)
def test_an_interruption_inside_a_block(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(130, **settings)
    kind = Fused if settings["method"] == "adam" else ByHand
    calls, plain = 0, kind.data_value_and_gradient

    def interrupted(self: Any, theta: torch.Tensor) -> Any:
        nonlocal calls
        calls += 1
        if calls == 77:
            raise KeyboardInterrupt
        return plain(self, theta)

    monkeypatch.setattr(kind, "data_value_and_gradient", interrupted)
    part = run(130, **settings)
    assert (part.interrupted, part.steps) == (True, 50)
    assert torch.equal(part.losses, whole.losses[:51])
    same(run(130, part.checkpoint, **settings), whole)


def test_an_interruption_when_all_is_done() -> None:
    def interrupt(state: State) -> None:
        if state.step == 130:
            raise KeyboardInterrupt

    done = run(130, on_block=interrupt)
    assert not done.interrupted
    same(done, run(130))


def test_a_checkpoint_tells_where_it_is(tmp_path: Path) -> None:
    checkpoint = run(70, method="adam").checkpoint
    checkpoint.save(str(tmp_path / "descent"))
    loaded = Checkpoint.load(str(tmp_path / "descent"))
    assert (loaded.step, loaded.method, loaded.objective) == (70, "adam", "fused")
    assert loaded.memory.keys() == {"step", "exp_avg", "exp_avg_sq"}


def test_a_descent_does_not_change_its_checkpoint() -> None:
    checkpoint = run(50, method="adam").checkpoint
    theta, memory = checkpoint.theta.clone(), checkpoint.memory["exp_avg"].clone()
    run(130, checkpoint)
    assert torch.equal(checkpoint.theta, theta)
    assert torch.equal(checkpoint.memory["exp_avg"], memory)


@pytest.mark.parametrize("damage", ["empty", "truncated", "garbage", "weights", "missing"])
def test_a_damaged_file_is_refused_in_one_sentence(damage: str, tmp_path: Path) -> None:
    file = tmp_path / "descent"
    run(70).checkpoint.save(file)
    content = {"empty": b"", "truncated": file.read_bytes()[:-9], "garbage": b"garbage" * 99}
    if damage == "weights":
        save_file({"w": torch.ones(3)}, file)
    elif damage == "missing":
        file.unlink()
    else:
        file.write_bytes(content[damage])
    with pytest.raises(DataError, match=r"descent is no checkpoint of a descent: ") as error:
        Checkpoint.load(file)
    assert "\n" not in str(error.value)
    assert error.value.__suppress_context__


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"network": Network.mlp(3, 4, 2)}, ShapeError, "has 32 parameters and the network 26"),
        ({"steps": 69}, SettingError, "the checkpoint is at step 70, beyond steps=69"),
        ({"method": "adam"}, SettingError, "is of method 'steps', got method 'adam'; leave method"),
        (
            {"objective": "by hand"},
            SettingError,
            "is of objective 'fused', got objective 'by hand'",
        ),
        (
            {"method": GradientDescent(batch_size=5)},
            SettingError,
            "is of method 'steps' with batch_size=None, got batch_size=5; leave method out",
        ),
    ],
)
def test_settings_that_do_not_go_with_a_checkpoint(
    change: dict[str, Any], error: type[Exception], message: str
) -> None:
    settings = {"network": NETWORK, "steps": 90, "start": run(70).checkpoint, **change}
    with pytest.raises(error, match=message):
        descend(loss=MSE, x=X, y=Y, lr=0.01, **settings)


def test_other_settings_of_an_optimiser_are_refused_and_the_same_go_on() -> None:
    start = run(50, method=Momentum(0.5)).checkpoint
    with pytest.raises(SettingError, match=r"with momentum=0.5, got momentum=0.9; leave method"):
        descend(NETWORK, MSE, X, Y, lr=0.01, steps=90, start=start, method=Momentum(0.9))
    for method in ("momentum", Momentum(0.5)):
        again = descend(NETWORK, MSE, X, Y, lr=0.01, steps=90, start=start, method=method)
        same(again, run(90, method=Momentum(0.5)))


def test_a_checkpoint_without_penalty_and_snapshots_stays_one() -> None:
    whole = run(20, method="steps").checkpoint
    known, _ = whole.pack()
    assert "snapshots" in replace(whole, snapshots=run(20, method="steps").snapshots).pack()[0]
    older = replace(whole, penalty=None, snapshots=None)
    tensors, texts = older.pack()
    assert "snapshots" not in tensors
    assert "penalty" not in texts
    again = Checkpoint.unpack(tensors, texts)
    assert (again.penalty, again.snapshots) == (None, None)
    assert torch.equal(again.theta, known["theta"])
