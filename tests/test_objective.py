"""Objectives: by hand against autograd, and every fast one against the one by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd.functional import hvp

from derivable import MSE, Function, Layer, Linear, Network, ReLU, Tanh, descend, functions
from derivable.distributed import Shard
from derivable.errors import SettingError, ShapeError
from derivable.network import flatten
from derivable.objective import (
    OBJECTIVES,
    ByHand,
    FeaturesMajor,
    Fused,
    Objective,
    fastest,
    measured,
    team,
)
from derivable.objective.batches import Batches
from derivable.problem import Problem
from derivable.stepper import (
    STEPPERS,
    CudaGraphSteps,
    FusedSteps,
    PiecewiseSteps,
    Stepper,
    Way,
    choose_stepper,
)
from tests.problems import Given, Length, doubled, problem

FAST = [FeaturesMajor, Fused]
Kind = type[Objective] | type[PiecewiseSteps]
# Those of the CPU: tests/test_device.py has the recorded loop of a CUDA device.
WAYS = [*OBJECTIVES, *(k for k in STEPPERS if k not in OBJECTIVES and k != CudaGraphSteps.name)]
TOLERANCE = {torch.float32: 3e-5, torch.float64: 1e-12}
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
SMOOTH = [Tanh, functions.Sigmoid, functions.SiLU, functions.Softsign, functions.Square]
STRAIGHT = [ReLU, functions.LeakyReLU, functions.ReLU6, functions.Hardtanh]


class Centred(Function):
    """An activation that no fast objective can run: each row depends on all others."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x - x.mean(0)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output - grad_output.mean(0)


def close(one: Tensor, other: Tensor, tolerance: float) -> None:
    """Equal up to a part of the largest entry."""
    scale = float(other.abs().max())
    torch.testing.assert_close(one.double(), other.double(), rtol=0, atol=tolerance * scale)


def stepper_of(way: Way, network: Network, x: Tensor, y: Tensor) -> Stepper:
    return choose_stepper(Problem(network, MSE, x, y), way, steps=0)


def agree(way: Way, network: Network, x: Tensor, y: Tensor) -> None:
    """One way against that by hand in float64: loss, gradient, second derivative, three steps."""
    tolerance = TOLERANCE[network.theta.dtype]
    stepper = stepper_of(way, network, x, y)
    plain = stepper_of(ByHand, *doubled(network, x, y))
    one, other = stepper.objective, plain.objective
    theta, exact = network.theta.to(one.dtype), network.theta.double()
    loss, gradient = one.value_and_gradient(theta)
    expected_loss, expected = other.value_and_gradient(exact)
    assert loss.shape == ()
    assert loss.dtype == gradient.dtype == one.dtype
    close(loss, expected_loss, tolerance)
    close(gradient, expected, tolerance)
    close(one.value(theta), other.value(exact), tolerance)
    assert torch.equal(other.value(exact), expected_loss)
    direction = torch.linspace(-1, 1, len(theta), dtype=torch.float64).cos()
    product = one.hvp(theta, direction.to(one.dtype))
    close(product, other.hvp(exact, direction), tolerance)
    losses, expected_losses = torch.empty(2, 3, dtype=torch.float64)
    lr = 0.05 / max(1.0, float(expected.norm()))
    stepper.take_steps(theta, lr, losses)
    plain.take_steps(exact, lr, expected_losses)
    close(losses, expected_losses, tolerance)
    close(theta, exact, tolerance)


@pytest.mark.parametrize("activation", SMOOTH + STRAIGHT)
def test_by_hand_equals_autograd(activation: type[Function]) -> None:
    network, x, y = problem(5, 7, 3, 2, rows=13, activation=activation)
    loss, gradient = ByHand(Problem(network, MSE, x, y)).value_and_gradient(network.theta)
    recorded = MSE.apply(network(x), y).sum()
    expected = torch.autograd.grad(recorded, list(network.parameters()))
    torch.testing.assert_close(loss, recorded.detach())
    torch.testing.assert_close(gradient, flatten(expected))


def reference(network: Network, x: Tensor, y: Tensor, activation: Callable[..., Tensor]) -> Tensor:
    """The loss of a perceptron in plain PyTorch, as a function of theta."""

    def loss(theta: Tensor) -> Tensor:
        *parameters, w, b = network.unflatten(theta)
        units = x
        for v, c in zip(parameters[::2], parameters[1::2], strict=True):
            units = activation(units @ v + c)
        return ((units @ w + b - y) ** 2).mean(0).sum()

    return loss  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("function", "plain"),
    [(Tanh, torch.tanh), (functions.SiLU, torch.nn.functional.silu), (ReLU, torch.relu)],
)
@pytest.mark.parametrize("sizes", [(5, 1), (5, 7, 2), (4, 3, 5, 2)], ids=str)
def test_the_hvp_by_hand_is_that_of_autograd(
    function: type[Function], plain: Callable[..., Tensor], sizes: tuple[int, ...]
) -> None:
    network, x, y = problem(*sizes, rows=13, activation=function)
    direction = torch.randn(network.theta.shape, dtype=torch.float64)
    ours = ByHand(Problem(network, MSE, x, y)).hvp(network.theta, direction)
    _, expected = hvp(reference(network, x, y, plain), network.theta, direction)
    torch.testing.assert_close(ours, expected)


def test_a_loss_whose_second_derivative_is_zero() -> None:
    network, x, y = problem(3, 2, rows=5)
    ours = ByHand(Problem(network, functions.L1, x, y)).hvp(network.theta, network.theta)
    assert torch.equal(ours, torch.zeros_like(network.theta))


def test_the_options_of_a_loss_are_not_descended() -> None:
    network, x, y = problem(5, 7, 2, rows=13, activation=functions.LeakyReLU)
    loss, gradient = ByHand(Problem(network, functions.Huber, x, y)).value_and_gradient(
        network.theta
    )
    recorded = functions.Huber.apply(network(x), y)
    expected = torch.autograd.grad(recorded, list(network.parameters()))
    torch.testing.assert_close(loss, recorded.detach())
    torch.testing.assert_close(gradient, flatten(expected))


@DTYPES
@pytest.mark.parametrize("activation", [Tanh, ReLU])
@pytest.mark.parametrize("sizes", [(8, 1), (8, 10, 1), (5, 7, 3), (3, 2, 5, 7, 2)], ids=str)
@pytest.mark.parametrize("rows", [1, 255, 256, 257, 700])
@pytest.mark.parametrize("kind", FAST, ids=lambda kind: kind.name)
def test_fast_objectives_equal_the_one_by_hand(
    kind: type[Objective],
    rows: int,
    sizes: tuple[int, ...],
    activation: type[Function],
    dtype: torch.dtype,
) -> None:
    network, x, y = problem(*sizes, rows=rows, activation=activation, dtype=dtype)
    agree(kind, network, x, y)


@pytest.mark.parametrize("rows", [1, 63, 64, 65, 256, 257, 512, 513, 1797, 16_512])
def test_blocks_hold_every_row_once_and_divide_the_work_evenly(rows: int) -> None:
    from derivable.objective.fused import blocks

    shard = Shard.of_all(rows)
    x = torch.arange(1.0, 2 * rows + 1).view(2, rows).t()  # no entry is 0
    table = torch.from_numpy(blocks([x, 2 * x[:, :1]], shard)).view(-1, 3, 256)
    filled = [block[:, block[0] != 0] for block in table]
    assert torch.equal(torch.cat(filled, 1).t(), torch.cat([x, 2 * x[:, :1]], 1))
    counts = [block.shape[1] for block in filled]
    assert all(count % 64 == 0 for count in counts[:-1])
    if rows > 256:
        assert len(counts) % 2 == 0
        assert max(counts) - min(counts[:-1]) <= 64
        grains = [-(-count // 64) for count in counts]
        half = len(counts) // 2
        assert abs(sum(grains[:half]) - sum(grains[half:])) <= 1


@DTYPES
@pytest.mark.parametrize("activation", SMOOTH + STRAIGHT)
def test_the_fused_objective_with_every_activation(
    activation: type[Function], dtype: torch.dtype
) -> None:
    network, x, y = problem(3, 5, 4, 2, rows=300, activation=activation, dtype=dtype)
    agree(Fused, network, x, y)


@pytest.mark.parametrize("inputs", range(1, 18))
@pytest.mark.parametrize("units", range(1, 10))
def test_the_fused_objective_at_every_small_size(inputs: int, units: int) -> None:
    outputs, rows = 1 + (inputs + units) % 5, 256 + inputs
    network, x, y = problem(inputs, units, 10 - units, outputs, rows=rows)
    agree(Fused, network, x, y)


@settings(max_examples=25)
@given(
    sizes=st.lists(st.integers(1, 19), min_size=2, max_size=5).map(tuple),
    rows=st.integers(1, 700),
    activation=st.sampled_from([Tanh, ReLU]),
    seed=st.integers(0, 2**32),
    kind=st.sampled_from(FAST),
)
def test_fast_objectives_on_random_networks(
    sizes: tuple[int, ...], rows: int, activation: type[Function], seed: int, kind: type[Objective]
) -> None:
    network, x, y = problem(*sizes, rows=rows, activation=activation, seed=seed)
    agree(kind, network, x, y)


@pytest.mark.parametrize("layout", ["columns of a wider table", "transposed"])
@pytest.mark.parametrize("way", WAYS)
def test_tables_that_lie_otherwise_in_memory(way: str, layout: str) -> None:
    network, x, y = problem(3, 5, 2, rows=300, activation=ReLU)
    if layout == "transposed":
        x, y = x.t().contiguous().t(), y.t().contiguous().t()
    else:
        wide = torch.cat([x, y, x], 1)
        x, y = wide[:, :3], wide[:, 3:5]
    assert not y.is_contiguous()
    agree(way, network, x, y)


@DTYPES
@pytest.mark.parametrize("kind", FAST, ids=lambda kind: kind.name)
def test_the_same_call_gives_the_same_bits(kind: type[Objective], dtype: torch.dtype) -> None:
    network, x, y = problem(8, 10, 1, rows=1500, dtype=dtype)
    objective = kind(Problem(network, MSE, x, y))
    loss, gradient = objective.value_and_gradient(network.theta)
    loss, gradient = loss.clone(), gradient.clone()
    for _ in range(5):
        again, same = objective.value_and_gradient(network.theta)
        assert torch.equal(again, loss)
        assert torch.equal(same, gradient)


@DTYPES
def test_any_number_of_threads_gives_the_same_bits(dtype: torch.dtype) -> None:
    network, x, y = problem(8, 10, 3, rows=5000, dtype=dtype)
    stepper = FusedSteps(Problem(network, MSE, x, y))
    results = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        for _ in range(3):
            stepper.objective._team._next_trial = (
                0.0  # the team is chosen anew, and may be another one
            )
            theta, losses = network.theta, torch.empty(4, dtype=torch.float64)
            stepper.take_steps(theta, 0.01, losses)
            product = stepper.objective.hvp(network.theta, network.theta)
            results.append(torch.cat([theta.double(), losses, product.double()]))
    assert all(torch.equal(result, results[0]) for result in results)


@pytest.mark.parametrize("place", [0, -1])
@pytest.mark.parametrize("value", [torch.inf, torch.nan])
@pytest.mark.parametrize("way", WAYS)
def test_not_finite_parameters_give_a_loss_that_is_not_finite(
    way: str, value: float, place: int
) -> None:
    network, x, y = problem(3, 5, 1, rows=20, activation=ReLU, dtype=torch.float32)
    theta = network.theta
    theta[place] = value
    stepper = stepper_of(way, network, x, y)
    loss = stepper.objective.value(theta.to(stepper.dtype))
    assert not torch.isfinite(loss)
    losses = torch.empty(3, dtype=torch.float64)
    stepper.take_steps(theta.to(stepper.dtype), 0.1, losses)
    assert not torch.isfinite(losses).any()


def test_batches_cover_every_row_once_in_an_epoch() -> None:
    network, x, y = problem(2, 3, 1, rows=23)
    batches = Batches(Problem(network, MSE, x, y), size=5, seed=3, done=0)
    epochs = []
    for epoch in range(3):
        rows = [batches._rows(5 * epoch + batch) for batch in range(5)]
        assert [len(batch) for batch in rows] == [5, 5, 5, 5, 3]
        epochs.append(torch.cat(rows))
        assert torch.equal(epochs[-1].sort().values, torch.arange(23))
    assert not torch.equal(epochs[0], epochs[1])
    again = Batches(Problem(network, MSE, x, y), size=5, seed=3, done=12)
    assert torch.equal(again._rows(12), epochs[2][10:15])
    other = Batches(Problem(network, MSE, x, y), size=5, seed=4, done=0)
    assert not torch.equal(other._rows(0), epochs[0][:5])


def test_batches_have_the_loss_of_their_rows_and_the_hvp_of_the_table() -> None:
    network, x, y = problem(2, 3, 2, rows=23)
    batches = Batches(Problem(network, MSE, x, y), size=5, seed=3, done=7)
    rows = batches._rows(7)
    loss, gradient = batches.value_and_gradient(network.theta)
    assert batches.done == 8
    part = ByHand(Problem(network, MSE, x[rows], y[rows])).value_and_gradient(network.theta)
    torch.testing.assert_close((loss, gradient), part)
    whole = ByHand(Problem(network, MSE, x, y)).hvp(network.theta, network.theta)
    assert torch.equal(batches.hvp(network.theta, network.theta), whole)


def test_fastest_takes_what_the_network_allows() -> None:
    tanh, straight = problem(3, 5, 1, rows=2000), problem(3, 5, 1, rows=2000, activation=ReLU)
    odd = problem(3, 5, 1, rows=2000, activation=Centred)

    def name(given: Given, steps: int) -> str:
        network, x, y = given
        return choose_stepper(Problem(network, MSE, x, y), "fastest", steps=steps).name

    assert name(tanh, 10**6) == name(straight, 999) == "fused"
    assert name(straight, 1000) == "piecewise"
    assert name((straight[0], straight[1][:100], straight[2][:100]), 1000) == "fused"  # few rows
    assert name(odd, 1000) == "by hand"
    network, x, y = straight
    assert fastest(Problem(network, MSE, x, y)) is Fused
    assert fastest(Problem(network, functions.L1, x, y)) is Fused
    assert fastest(Problem(network, Length, x, y)) is ByHand


def test_beyond_small_networks_it_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = problem(3, 5, 1, rows=20), problem(100, 100, 1, rows=20)
    kinds: list[object] = []

    def given(given: Given) -> Problem:
        return Problem(given[0], MSE, *given[1:])

    def seconds(kind: type[Objective], *rest: object) -> float:
        kinds.append(kind)
        return 2.0 if kind is Fused else 1.0

    monkeypatch.setattr(measured, "_seconds", seconds)
    monkeypatch.setattr(measured, "_known", {})
    assert measured.quicker(given(small)) is Fused
    assert kinds == []
    for _ in range(2):
        assert measured.quicker(given(large)) is FeaturesMajor
    assert kinds == FAST[::-1]


def test_measuring_runs_both() -> None:
    network, x, y = problem(40, 40, 1, rows=20)
    assert all(
        measured._seconds(kind, Problem(network, MSE, x, y)) > 0 for kind in (Fused, FeaturesMajor)
    )


@pytest.mark.parametrize("kind", [*FAST, PiecewiseSteps], ids=lambda kind: kind.name)
def test_networks_that_a_fast_objective_cannot_run(kind: Kind) -> None:
    network = Network([Layer(Linear, w=torch.ones(3, 2), b=torch.ones(2)), Layer(Tanh)])
    given = Problem(network, MSE, torch.ones(2, 3), torch.ones(2, 2))
    assert not kind.supports(given)
    with pytest.raises(SettingError, match=f"the {kind.name} objective runs Linear layers"):
        kind(given)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (FeaturesMajor, "knows the activations Tanh and ReLU; the objective by hand runs any"),
        (Fused, "cannot compile the activation: .*`mean` is not pointwise"),
        (PiecewiseSteps, "runs one hidden layer of ReLU, LeakyReLU or another activation"),
    ],
)
def test_activations_that_a_fast_objective_does_not_know(kind: Kind, message: str) -> None:
    network, x, y = problem(3, 5, 1, rows=20, activation=Centred)
    with pytest.raises(SettingError, match=f"the {kind.name} objective {message}"):
        kind(Problem(network, MSE, x, y))


def test_two_kinds_of_activation_are_not_fused() -> None:
    network, x, y = problem(3, 5, 4, 1, rows=20)
    network.layers[3] = Layer(ReLU)
    assert not Fused.supports(Problem(network, MSE, x, y))
    agree(FeaturesMajor, network, x, y)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_other_dtypes_are_not_fused(dtype: torch.dtype) -> None:
    network, x, y = problem(3, 5, 1, rows=20, dtype=dtype)
    assert not Fused.supports(Problem(network, MSE, x, y))


@pytest.mark.parametrize("kind", [Fused, PiecewiseSteps], ids=lambda kind: kind.name)
def test_without_numba_it_says_what_to_install(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    network, x, y = problem(3, 5, 1, rows=2000, activation=ReLU)
    given = Problem(network, MSE, x, y)
    assert choose_stepper(given, "fastest", steps=5000).name == "features-major"
    with pytest.raises(SettingError, match=r"needs Numba: pip install 'derivable\[descent\]'"):
        kind(given)


def test_layers_that_do_not_meet_are_named() -> None:
    first = Layer(Linear, w=torch.ones(3, 5), b=torch.zeros(5))
    last = Layer(Linear, w=torch.ones(7, 1), b=torch.zeros(1))
    network, x, y = Network([first, Layer(Tanh), last]), torch.ones(11, 3), torch.ones(11, 1)
    message = (
        r"layer 3 of the network, Linear, does not take what layer 2 returns for the first rows of "
        r"x \(11, 3\), \(2, 5\) of float32: Linear: x must have 7 columns"
    )
    with pytest.raises(ShapeError, match=message):
        descend(network, MSE, x, y, lr=0.1, steps=3)


SEVERAL_THREADS = """
import os, threading, torch
from derivable import MSE, Network, descend
from derivable.errors import SettingError

def run(i):
    x = torch.ones(700, 3)
    ended.append(descend(Network.mlp(3, 5, 1), MSE, x, x[:, :1], lr=0.1, steps=200).train_loss)

ended = []
run(0)
threads = [threading.Thread(target=run, args=[i]) for i in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(ended) == 5 and len(set(ended)) == 1
if os.environ["NUMBA_THREADING_LAYER"] == "omp" and not os.fork():
    try:
        run(5)
    except SettingError as error:
        print(error, flush=True)
    os._exit(0)
elif os.environ["NUMBA_THREADING_LAYER"] == "omp":
    os.wait()
"""


@pytest.mark.parametrize("layer", ["workqueue", "omp"])
def test_python_threads_and_forks_do_not_end_the_process(layer: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SEVERAL_THREADS],
        env={**os.environ, "NUMBA_THREADING_LAYER": layer},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if layer == "omp" and sys.platform == "linux":
        assert "start processes by multiprocessing's method 'spawn'" in done.stdout


@pytest.mark.parametrize(
    "change", [Tensor.double, lambda theta: theta[1:], lambda theta: theta.repeat(2)[::2]]
)
def test_a_vector_of_another_kind_is_refused_by_compiled_passes(
    change: Callable[[Tensor], Tensor],
) -> None:
    network, x, y = problem(3, 5, 1, rows=11, dtype=torch.float32)
    objective = Fused(Problem(network, MSE, x, y))
    with pytest.raises(SettingError, match=r"^theta must be a contiguous vector of 26 numbers of"):
        objective.value_and_gradient(change(network.theta))


def test_a_process_that_was_forked_after_a_descent_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    openmp = SimpleNamespace(openmp_vendor="GNU")
    monkeypatch.setitem(sys.modules, "numba.np.ufunc.omppool", openmp)
    team._check_process()
    monkeypatch.setattr(team, "_process", [os.getpid() + 1])
    with pytest.raises(SettingError, match="start processes by multiprocessing's method 'spawn'"):
        team._check_process()
    openmp.openmp_vendor = "Intel"
    team._check_process()


def test_descents_share_the_threads_where_nothing_is_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "numba")
    assert team.may_share()
