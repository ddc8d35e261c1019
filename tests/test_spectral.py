"""The closed form of a linear network against plain steps in float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from derivable import MSE, Network, descend
from derivable.errors import DivergedError
from tests.problems import doubled, problem


def compare(network: Network, x: Tensor, y: Tensor, *, lr: float, steps: int) -> None:
    """All losses, and the last parameters."""
    settings: dict[str, Any] = {"lr": lr, "steps": steps}
    solved = descend(network, MSE, x, y, method="spectral", **settings)
    plain = descend(network, MSE, x, y, method="steps", objective="by hand", **settings)
    scale = float(plain.losses.max())
    torch.testing.assert_close(solved.losses, plain.losses, rtol=1e-10, atol=1e-13 * scale)
    torch.testing.assert_close(solved.network.theta, plain.network.theta, rtol=1e-9, atol=1e-10)
    assert solved.error_estimate.exact
    assert solved.gradient_evaluations == 1


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("steps", [0, 1, 2, 701])
def test_plain_steps(steps: int, outputs: int) -> None:
    compare(*problem(5, outputs, rows=43), lr=0.03, steps=steps)


def test_more_columns_than_rows() -> None:
    compare(*problem(17, 2, rows=5), lr=0.01, steps=500)


def test_one_row() -> None:
    compare(*problem(3, 1, rows=1), lr=0.01, steps=500)


def test_duplicate_columns_and_columns_of_zeros() -> None:
    network, x, y = problem(6, 2, rows=43)
    x[:, 1], x[:, 3] = x[:, 0], 0
    compare(network, x, y, lr=0.03, steps=500)


def test_a_table_of_zeros() -> None:
    network, x, y = problem(3, 1, rows=43)
    compare(network, 0 * x, 0 * y, lr=0.03, steps=500)


@pytest.mark.parametrize("lr", [1e-17, 3e-17])
def test_columns_of_any_scale(lr: float) -> None:
    network, x, y = problem(4, 2, rows=43)
    scales = torch.tensor([1e-8, 1.0, 1e4, 1e8], dtype=torch.float64)
    compare(network.with_theta(network.theta * 1e-8), x * scales, y, lr=lr, steps=700)


@pytest.mark.parametrize("steps", [3, 4])
def test_steps_that_go_too_far(steps: int) -> None:
    compare(*problem(3, 2, rows=43), lr=2.0, steps=steps)


def test_a_step_that_lands_exactly() -> None:
    network, _, y = problem(1, 1, rows=2)
    x = torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
    compare(network, x, y, lr=0.5, steps=5)  # 1 - lr lambda is 0 in both directions


def test_divergence_names_the_largest_lr() -> None:
    network, x, y = problem(3, 1, rows=43)
    table = torch.cat([x, torch.ones(43, 1, dtype=torch.float64)], 1)
    largest = 43 / float(torch.linalg.matrix_norm(table, 2)) ** 2
    message = r"the loss is not finite at step \d+ with lr=3, after .* below " + f"{largest:.3g}$"
    with pytest.raises(DivergedError, match=message):
        descend(network, MSE, x, y, lr=3.0, steps=2000)
    assert descend(network, MSE, x, y, lr=0.999 * largest, steps=20_000).train_loss < 1


def test_a_loss_beyond_the_numbers_of_the_network() -> None:
    network, x, y = problem(3, 1, rows=43, dtype=torch.float32)
    with pytest.raises(DivergedError, match="not finite at step") as error:
        descend(network, MSE, x, y, lr=3.0, steps=60)
    step = int(str(error.value).split("at step ")[1].split()[0])
    twin, x, y = doubled(network, x, y)
    whole = descend(twin, MSE, x, y, lr=3.0, steps=60)
    before, there = whole.losses[step - 1 : step + 1]
    assert before <= torch.finfo(torch.float32).max < there


def test_more_steps_than_one_piece_of_losses() -> None:
    network, x, y = problem(3, 1, rows=43)
    run = descend(network, MSE, x, y, lr=1e-3, steps=20_011)
    plain = descend(network, MSE, x, y, lr=1e-3, steps=20_011, method="steps")
    torch.testing.assert_close(run.losses, plain.losses, rtol=1e-10, atol=0)


def test_it_goes_on_from_a_checkpoint() -> None:
    network, x, y = problem(3, 2, rows=43)
    whole = descend(network, MSE, x, y, lr=0.01, steps=900)
    part = descend(network, MSE, x, y, lr=0.01, steps=300)
    rest = descend(network, MSE, x, y, lr=0.01, steps=900, start=part.checkpoint)
    assert rest.method == "spectral"
    torch.testing.assert_close(rest.losses, whole.losses, rtol=1e-12, atol=0)
    torch.testing.assert_close(rest.network.theta, whole.network.theta)


def test_float32_is_computed_in_float64() -> None:
    network, x, y = problem(3, 1, rows=43, dtype=torch.float32)
    run = descend(network, MSE, x, y, lr=0.01, steps=300)
    twin = problem(3, 1, rows=43)[0].with_theta(network.theta)
    exact = descend(twin, MSE, x.double(), y.double(), lr=0.01, steps=300, method="steps")
    torch.testing.assert_close(run.losses, exact.losses, rtol=1e-11, atol=0)
