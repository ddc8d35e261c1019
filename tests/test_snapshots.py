"""Parameters along a descent: where they were taken, and that they are those of that step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from derivable import MSE, Checkpoint, Descent, ReLU, Tanh, descend
from derivable.descent import State
from derivable.descent.snapshots import MOST, Snapshots
from derivable.stepper import FusedSteps, PiecewiseSteps
from tests.problems import problem


def descent(
    steps: int, activation: Any = Tanh, hidden: bool = True, lr: float = 0.02, **settings: Any
) -> Descent:
    sizes = (3, 5, 2) if hidden else (3, 2)
    network, x, y = problem(*sizes, rows=101, activation=activation)
    return descend(network, MSE, x, y, lr=lr, steps=steps, **settings)


@pytest.mark.parametrize(
    ("settings", "tolerance"),
    [
        ({"method": "spectral", "hidden": False}, 1e-9),
        ({"method": "flow", "lr": 1e-4}, 1e-5),
        ({"method": "steps", "objective": "fused"}, 1e-9),
        ({"method": "steps", "objective": "piecewise", "activation": ReLU}, 1e-9),
        ({"method": "adam", "objective": "fused"}, 1e-9),
    ],
    ids=lambda value: str(value),
)
def test_they_are_the_parameters_of_their_steps(settings: dict[str, Any], tolerance: float) -> None:
    run = descent(4000, **settings)
    steps, thetas = run.snapshots.steps, run.snapshots.thetas
    assert run.error_estimate.exact == (settings["method"] != "flow")
    assert (steps[0].item(), steps[-1].item()) == (0, 4000)
    assert bool((steps.diff() > 0).all())
    torch.testing.assert_close(thetas[-1].double(), run.network.theta.double(), rtol=0, atol=1e-12)
    middle = len(steps) // 2
    there = descent(int(steps[middle]), **settings).network.theta.double()
    torch.testing.assert_close(thetas[middle].double(), there, rtol=tolerance, atol=tolerance)


def test_a_long_descent_has_many_and_a_large_network_few() -> None:
    many = Snapshots.of(80_000, 101).wanted(0, 80_000)
    assert many[:12] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 625, 1250]
    assert len(many) == MOST + 10
    assert Snapshots.of(80_000, 2**21).wanted(0, 80_000) == [40_000, 80_000]
    assert Snapshots.of(5, 101).wanted(0, 5) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("settings", [{"method": "steps"}, {"method": "flow", "lr": 1e-4}])
def test_the_beginning_has_them_too(settings: dict[str, Any]) -> None:
    seen: list[int] = []
    run = descent(4000, on_block=lambda state: seen.append(state.step), **settings)
    assert run.snapshots.at[:6] == [0, 1, 2, 4, 8, 16]
    if settings["method"] == "steps":
        assert all(step % FusedSteps.piece == 0 for step in seen), (
            "callbacks are not called for each step"
        )


def test_a_piecewise_descent_has_them_inside_of_its_blocks() -> None:
    run = descent(8000, ReLU, method="steps", objective="piecewise")
    assert run.snapshots.steps.diff().max() == PiecewiseSteps.piece < PiecewiseSteps.block


def test_a_descent_that_goes_on_has_those_from_before(tmp_path: Path) -> None:
    whole = descent(3 * FusedSteps.block, method="steps")
    kept: list[Checkpoint] = []
    descent(
        3 * FusedSteps.block, method="steps", on_block=lambda state: kept.append(state.checkpoint())
    )
    kept[0].save(tmp_path / "checkpoint")
    start = Checkpoint.load(tmp_path / "checkpoint")
    resumed = descent(3 * FusedSteps.block, method="steps", start=start)
    assert start.step == FusedSteps.block
    assert torch.equal(resumed.snapshots.steps, whole.snapshots.steps)
    assert torch.equal(resumed.snapshots.thetas, whole.snapshots.thetas)


def test_an_interrupted_one_has_none_from_beyond_its_end() -> None:
    def stop(state: State) -> None:
        if state.step == 25_000:
            raise KeyboardInterrupt

    run = descent(40_000, ReLU, method="steps", objective="piecewise", on_block=stop)
    assert run.steps == PiecewiseSteps.block
    assert run.snapshots.at[-1] == run.steps
