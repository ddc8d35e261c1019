"""A learning rate that suits the table."""

from __future__ import annotations

import pytest
import torch

from derivable import MSE, Network, ReLU, Tanh, descend
from derivable.descent import choose_rate
from derivable.descent.rate import TRIAL_STEPS, linear_curvature

X = torch.randn(211, 5, generator=torch.Generator().manual_seed(3))
Y = torch.sin(X[:, :1]) + X[:, 1:2]


def test_the_curvature_is_that_of_the_linear_models_hessian() -> None:
    def loss(theta: torch.Tensor) -> torch.Tensor:
        return ((X.double() @ theta[:5] + theta[5] - Y[:, 0].double()) ** 2).mean()

    hessian = torch.func.hessian(loss)(torch.zeros(6, dtype=torch.float64))
    largest = torch.linalg.eigvalsh(hessian)[-1].item()
    assert linear_curvature(X) == pytest.approx(largest, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 50.0])
@pytest.mark.parametrize("sizes", [(5, 1), (5, 7, 1)])
def test_the_loss_falls_at_it_and_no_longer_at_many_times_as_much(
    sizes: tuple[int, ...], scale: float
) -> None:
    network = Network.mlp(*sizes, activation=ReLU, seed=1)
    x = scale * X
    rate = choose_rate(network, MSE, x, Y)
    losses = descend(network, MSE, x, Y, lr=rate.lr, steps=TRIAL_STEPS, method="steps").losses
    assert bool((losses.diff() <= 1e-3 * losses[:-1]).all())
    assert losses[-1] < losses[0]
    with pytest.raises(ArithmeticError):
        descend(Network.linear(5), MSE, x, Y, lr=5 * rate.lr * 2**10, steps=20_000)


def test_it_says_why() -> None:
    rate = choose_rate(Network.mlp(5, 3, 1, activation=Tanh), MSE, X, Y)
    assert f"lr {rate.lr:g}: half of the largest" in rate.reason
    assert f"{linear_curvature(X):.3g}" in rate.reason
