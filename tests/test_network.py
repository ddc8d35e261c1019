"""Networks: the same gradients by hand and under autograd, the sheet's weights, clear errors."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from derivable import MSE, Context, Function, Layer, Linear, Network, ReLU, Tanh, functions
from derivable.errors import SettingError, ShapeError
from derivable.network import flatten

sizes = st.lists(st.integers(1, 7), min_size=2, max_size=5)


@given(sizes=sizes, rows=st.integers(1, 11), relu=st.booleans(), seed=st.integers(0, 2**32))
def test_by_hand_equals_autograd(sizes: list[int], rows: int, relu: bool, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    network = Network.mlp(*sizes, activation=ReLU if relu else Tanh, dtype=torch.float64)
    theta = torch.randn(network.theta.shape, generator=generator, dtype=torch.float64)
    network = network.with_theta(theta)
    x = torch.randn(rows, sizes[0], generator=generator, dtype=torch.float64)
    grad = torch.randn(rows, sizes[-1], generator=generator, dtype=torch.float64)

    yhat, contexts = network.forward_by_hand(x)
    gradients = network.backward_by_hand(contexts, grad)

    recorded = network(x)
    expected = torch.autograd.grad(recorded, list(network.parameters()), grad)
    assert not yhat.requires_grad
    torch.testing.assert_close(yhat, recorded)
    torch.testing.assert_close(gradients, expected)


@pytest.mark.parametrize("activation", [functions.LeakyReLU, functions.ELU, functions.GELU])
def test_the_options_of_an_activation_are_no_parameters(activation: type[Function]) -> None:
    network = Network.mlp(5, 7, 3, 2, activation=activation, dtype=torch.float64)
    x, grad = torch.randn(11, 5).double(), torch.randn(11, 2).double()
    _, contexts = network.forward_by_hand(x)
    gradients = network.backward_by_hand(contexts, grad)
    expected = torch.autograd.grad(network(x), list(network.parameters()), grad)
    torch.testing.assert_close(gradients, expected)


def test_parameters_come_in_order_and_in_out() -> None:
    network = Network.mlp(8, 10, 3, 2)
    shapes = [tuple(p.shape) for p in network.parameters()]
    assert shapes == [(8, 10), (10,), (10, 3), (3,), (3, 2), (2,)]
    assert [tuple(p.shape) for p in Network.linear(8, 2).parameters()] == [(8, 2), (2,)]


def test_the_initialisation_is_the_sheets_from_a_generator_of_its_own() -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    w1, b1, w2, b2 = Network.mlp(8, 10, 1, seed=7).parameters()
    assert torch.equal(torch.get_rng_state(), state)
    generator = torch.Generator().manual_seed(7)
    assert torch.equal(w1, 0.01 * torch.randn(8, 10, generator=generator))
    assert torch.equal(w2, 0.01 * torch.randn(10, 1, generator=generator))
    assert not b1.any()
    assert not b2.any()


def test_a_seed_means_the_same_network_in_any_dtype() -> None:
    single, double = Network.mlp(3, 5, 1, seed=4), Network.mlp(3, 5, 1, seed=4, dtype=torch.float64)
    assert double.theta.dtype == torch.float64
    assert torch.equal(single.theta.double(), double.theta)
    assert not torch.equal(single.theta, Network.mlp(3, 5, 1, seed=5).theta)


def test_theta_round_trip_leaves_the_network_alone() -> None:
    network = Network.mlp(3, 5, 2)
    before = network.theta
    other = network.with_theta(before + 1)
    assert torch.equal(network.theta, before)
    assert torch.equal(other.theta, before + 1)
    assert torch.equal(flatten(network.unflatten(before)), before)


def test_it_trains_with_a_torch_optimiser() -> None:
    network = Network.mlp(3, 5, 1)
    x = torch.randn(17, 3)
    y = x[:, :1]
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    losses = []
    for _ in range(50):
        optimiser.zero_grad()
        loss = MSE.apply(network(x), y).sum()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_its_state_dict_loads_into_a_twin() -> None:
    one, two = Network.mlp(3, 5, 1, seed=1), Network.mlp(3, 5, 1, seed=2)
    two.load_state_dict(one.state_dict())
    assert torch.equal(one.theta, two.theta)


def test_it_prints_its_layers() -> None:
    text = repr(Network.mlp(8, 10, 1))
    assert "Linear, w (8, 10), b (10,)" in text
    assert "Tanh" in text


def test_contexts_of_a_hidden_layer_are_plain_contexts() -> None:
    _, contexts = Network.mlp(3, 5, 1).forward_by_hand(torch.randn(2, 3))
    assert [type(ctx) for ctx in contexts] == [Context] * 3


@pytest.mark.parametrize("sizes", [(), (8,), (8, 0), (8, -1), (8, 2.0)])
def test_sizes_that_are_none(sizes: Any) -> None:
    with pytest.raises(SettingError, match=r"at least two sizes.*for example Network.mlp"):
        Network.mlp(*sizes)


def test_an_activation_that_is_no_function() -> None:
    with pytest.raises(SettingError, match="activation must be a Function class"):
        Network.mlp(8, 1, activation=torch.tanh)  # type: ignore[arg-type]  # the mistake under test


@pytest.mark.parametrize("seed", [1.5, None, -1, 2**64])
def test_seeds_that_no_generator_takes(seed: Any) -> None:
    with pytest.raises(SettingError, match=rf"seed must be a whole number, .*, got {seed}"):
        Network.mlp(8, 1, seed=seed)


@pytest.mark.parametrize("count", [3, 5])
def test_parameters_that_are_too_few_or_too_many(count: int) -> None:
    network = Network.mlp(3, 5, 1)
    parameters = [*network.parameters(), torch.zeros(1)][:count]
    message = rf"parameters must hold 4 tensors, .* order w1, b1, w2, b2, ...; got {count}"
    with pytest.raises(SettingError, match=message):
        network.forward_by_hand(torch.randn(2, 3), parameters)


def test_a_theta_of_the_wrong_length() -> None:
    message = r"theta must have shape \(9,\), one number per parameter .*, got \(8,\)"
    with pytest.raises(ShapeError, match=message):
        Network.linear(8, 1).unflatten(torch.zeros(8))


def test_a_table_that_does_not_fit_is_named() -> None:
    with pytest.raises(ShapeError, match="Linear: x must have 8 columns"):
        Network.linear(8, 1).forward_by_hand(torch.randn(3, 7))


def test_linear_is_the_only_layer_of_a_linear_network() -> None:
    assert [layer.function for layer in Network.linear(8, 1).layers] == [Linear]


def test_layers_that_share_a_parameter_are_refused() -> None:
    layer = Layer(Linear, w=torch.ones(3, 3), b=torch.zeros(3))
    with pytest.raises(SettingError, match="two layers share a parameter"):
        Network([layer, Layer(Tanh), layer])
