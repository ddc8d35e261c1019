"""Objectives: by hand against autograd, and every fast one against the one by hand."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from derivable import MSE, Function, Linear, Network, ReLU, Tanh, functions
from derivable.errors import SettingError
from derivable.network import Layer, flatten
from derivable.objective import OBJECTIVES, ByHand, FeaturesMajor, Fused, Objective, fastest
from derivable.objective.fused import BLOCK

FAST = [FeaturesMajor, Fused]
TOLERANCE = {torch.float32: 3e-5, torch.float64: 1e-12}


class Shifted(Tanh):
    """An activation that no fast objective knows."""


def problem(
    sizes: tuple[int, ...], rows: int, activation: type[Function], dtype: torch.dtype, seed: int = 0
) -> tuple[Network, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    network = Network.mlp(*sizes, activation=activation, dtype=dtype)
    theta = torch.randn(network.theta.shape, generator=generator).to(dtype)
    x = torch.randn(rows, sizes[0], generator=generator).to(dtype)
    y = torch.randn(rows, sizes[-1], generator=generator).to(dtype)
    return network, theta, x, y


def agree(one: Objective, other: Objective, theta: Tensor) -> None:
    loss, gradient = one.value_and_gradient(theta)
    expected_loss, expected = other.value_and_gradient(theta)
    close = TOLERANCE[theta.dtype]
    torch.testing.assert_close(loss, expected_loss, rtol=close, atol=0)
    torch.testing.assert_close(gradient, expected, rtol=0, atol=close * float(expected.abs().max()))


@pytest.mark.parametrize("activation", [Tanh, ReLU])
def test_by_hand_equals_autograd(activation: type[Function]) -> None:
    network, theta, x, y = problem((5, 7, 3, 2), 13, activation, torch.float64)
    loss, gradient = ByHand(network, MSE, x, y).value_and_gradient(theta)
    network = network.with_theta(theta)
    recorded = MSE.apply(network(x), y).sum()
    expected = torch.autograd.grad(recorded, list(network.parameters()))
    torch.testing.assert_close(loss, recorded.detach())
    torch.testing.assert_close(gradient, flatten(expected))


def test_the_options_of_a_loss_are_not_descended() -> None:
    network, theta, x, y = problem((5, 7, 2), 13, functions.LeakyReLU, torch.float64)
    loss, gradient = ByHand(network, functions.Huber, x, y).value_and_gradient(theta)
    network = network.with_theta(theta)
    recorded = functions.Huber.apply(network(x), y)
    expected = torch.autograd.grad(recorded, list(network.parameters()))
    torch.testing.assert_close(loss, recorded.detach())
    torch.testing.assert_close(gradient, flatten(expected))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("activation", [Tanh, ReLU])
@pytest.mark.parametrize("sizes", [(8, 1), (8, 10, 1), (5, 7, 3), (3, 2, 5, 7, 2)], ids=str)
@pytest.mark.parametrize("rows", [1, BLOCK - 1, BLOCK, 2 * BLOCK + 3])
@pytest.mark.parametrize("kind", FAST, ids=lambda kind: kind.name)
def test_fast_objectives_equal_the_one_by_hand(
    kind: type[FeaturesMajor] | type[Fused],
    rows: int,
    sizes: tuple[int, ...],
    activation: type[Function],
    dtype: torch.dtype,
) -> None:
    network, theta, x, y = problem(sizes, rows, activation, dtype)
    agree(kind(network, MSE, x, y), ByHand(network, MSE, x, y), theta)


@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=5).map(tuple),
    rows=st.integers(1, 700),
    relu=st.booleans(),
    seed=st.integers(0, 2**32),
    fused=st.booleans(),
)
def test_fast_objectives_on_random_networks(
    sizes: tuple[int, ...], rows: int, relu: bool, seed: int, fused: bool
) -> None:
    activation = ReLU if relu else Tanh
    network, theta, x, y = problem(sizes, rows, activation, torch.float64, seed)
    kind = Fused if fused else FeaturesMajor
    agree(kind(network, MSE, x, y), ByHand(network, MSE, x, y), theta)


@pytest.mark.parametrize("kind", FAST, ids=lambda kind: kind.name)
def test_the_same_call_gives_the_same_bits(kind: type[FeaturesMajor] | type[Fused]) -> None:
    network, theta, x, y = problem((8, 10, 1), 1500, Tanh, torch.float32)
    torch.set_num_threads(2)
    objective = kind(network, MSE, x, y)
    loss, gradient = objective.value_and_gradient(theta)
    loss, gradient = loss.clone(), gradient.clone()
    for _ in range(5):
        again, same = objective.value_and_gradient(theta)
        assert torch.equal(again, loss)
        assert torch.equal(same, gradient)


def test_tanh32_is_within_seven_ulps_of_tanh() -> None:
    from derivable.objective.kernels import tanh32

    x = torch.cat([torch.linspace(-12, 12, 20_001), torch.logspace(-30, 2, 2001)]).numpy()
    exact = torch.tanh(torch.as_tensor(x).double())
    ours = torch.tensor([float(tanh32(value)) for value in x], dtype=torch.float64)
    ulp = exact.abs().float().double() * 2**-23
    assert ((ours - exact).abs() <= 7 * ulp).all()


def test_not_finite_parameters_give_a_loss_that_is_not_finite() -> None:
    network, theta, x, y = problem((3, 5, 1), 20, ReLU, torch.float32)
    theta[-1] = torch.inf
    for kind in OBJECTIVES.values():
        loss, _ = kind(network, MSE, x, y).value_and_gradient(theta)
        assert not torch.isfinite(loss), kind.name


def test_fastest_takes_what_the_network_allows() -> None:
    network, _, x, y = problem((3, 5, 1), 20, Tanh, torch.float32)
    assert fastest(network, MSE, x, y).name == "fused"
    assert fastest(network.double(), MSE, x.double(), y.double()).name == "features-major"
    odd, _, x, y = problem((3, 5, 1), 20, Shifted, torch.float32)
    assert fastest(odd, MSE, x, y).name == "by hand"


@pytest.mark.parametrize("kind", FAST, ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    "layers", [[Layer(Tanh)], [Layer(Linear, w=torch.ones(3, 2), b=torch.ones(2)), Layer(Tanh)]]
)
def test_networks_that_a_fast_objective_cannot_run(
    kind: type[FeaturesMajor] | type[Fused], layers: list[Layer]
) -> None:
    network = Network(layers)
    assert not kind.supports(network, MSE)
    with pytest.raises(SettingError, match=f"the {kind.name} objective runs Linear layers"):
        kind(network, MSE, torch.ones(2, 3), torch.ones(2, 2))


def test_without_numba_the_fused_objective_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    network, _, x, y = problem((3, 5, 1), 20, Tanh, torch.float32)
    assert fastest(network, MSE, x, y).name == "features-major"
    with pytest.raises(SettingError, match=r"needs Numba: pip install 'derivable\[fast\]'"):
        Fused(network, MSE, x, y)
