"""Descents on another device: an emulated one everywhere, and on CUDA where there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from derivable import (
    Adam,
    EarlyStopping,
    Layer,
    Loss,
    Momentum,
    Network,
    compare,
    descend,
    device,
)
from derivable.errors import DataError, DivergedError, SettingError
from derivable.functions import (
    L1,
    MSE,
    BatchNorm,
    Conv2d,
    CrossEntropy,
    Dropout,
    Linear,
    ReLU,
    Softplus,
)
from derivable.problem import Problem
from derivable.stepper import CudaGraphSteps, cuda_graph
from tests.other_device import other_device

CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no CUDA device here")


def rows(outputs: int = 1, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(300, 4, generator=generator, dtype=torch.float64)
    y = torch.sin(x[:, :1]) + 0.1 * x.sum(1, keepdim=True) * torch.arange(1, outputs + 1)
    return x.to(dtype), y.to(dtype)


def labels() -> tuple[Tensor, Tensor]:
    x, y = rows()
    return x, (y[:, 0] > 0).long() + (y[:, 0] > 0.5).long()


def norms() -> Network:
    layers = [
        Layer(Linear, w=torch.ones(4, 3) / 4, b=torch.arange(3.0)),
        Layer(
            BatchNorm,
            weight=torch.ones(3),
            bias=torch.zeros(3),
            running_mean=torch.zeros(3),
            running_var=torch.ones(3),
        ),
        Layer(Linear, w=torch.ones(3, 1) / 3, b=torch.zeros(1)),
    ]
    return Network(layers)


def convolution() -> Network:
    generator = torch.Generator().manual_seed(1)
    w = 0.3 * torch.randn(2, 1, 3, 3, generator=generator)
    return Network([Layer(Conv2d, weight=w, bias=torch.zeros(2))])


CASES: dict[str, Callable[[], tuple[Network, Any, Tensor, Tensor, dict[str, Any]]]] = {
    "tanh": lambda: (Network.mlp(4, 5, 1), MSE, *rows(), {}),
    "float64": lambda: (
        Network.mlp(4, 5, 2, dtype=torch.float64),
        MSE,
        *rows(2, torch.float64),
        {"penalty": 0.1},
    ),
    "relu, weights": lambda: (
        Network.mlp(4, 5, 1, activation=ReLU),
        MSE,
        *rows(),
        {"weight": torch.arange(300.0)},
    ),
    "by hand": lambda: (Network.mlp(4, 5, 1, activation=Softplus), L1, *rows(), {}),
    "classes": lambda: (Network.mlp(4, 5, 3), CrossEntropy, *labels(), {}),
    "options": lambda: (
        Network.mlp(4, 3),
        Loss(CrossEntropy, weight=torch.tensor([1.0, 2.0, 3.0])),
        *labels(),
        {},
    ),
    "images": lambda: (
        convolution(),
        MSE,
        torch.randn(20, 1, 6, 6, generator=torch.Generator().manual_seed(2)),
        torch.zeros(20, 2, 4, 4),
        {},
    ),
    "running statistics": lambda: (norms(), MSE, *rows(), {}),
    "momentum": lambda: (Network.mlp(4, 5, 1), MSE, *rows(), {"method": Momentum()}),
    "adam": lambda: (Network.mlp(4, 5, 1), MSE, *rows(), {"method": Adam(weight_decay=0.1)}),
    "batches": lambda: (Network.mlp(4, 5, 1), MSE, *rows(), {"method": Adam(batch_size=64)}),
}


@pytest.fixture(params=["emulated", pytest.param("cuda", marks=CUDA)])
def there(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Another device."""
    if request.param == "cuda":
        yield torch.device("cuda:0")
        return
    monkeypatch.setattr(device, "KINDS", ("cpu", "meta"))
    with other_device() as where:
        yield where


@pytest.mark.parametrize("name", CASES)
def test_a_descent_there_is_that_of_the_cpu(name: str, there: torch.device) -> None:
    network, loss, x, y, settings = CASES[name]()
    given: dict[str, Any] = {"method": "steps", "lr": 1e-2, "steps": 40, **settings}
    slow: dict[str, Any] = {} if name == "batches" else {"objective": "by hand"}
    here = descend(network, loss, x, y, **given, **slow)
    run = descend(network, loss, x, y, **given, device=there)
    torch.testing.assert_close(run.losses, here.losses, rtol=1e-5, atol=0)
    torch.testing.assert_close(run.network.theta, here.network.theta, rtol=1e-4, atol=1e-6)
    for kept in (run.network.theta, run.checkpoint.theta, run.snapshots.thetas, run.losses):
        assert kept.device == device.CPU


def test_where_all_lies_there_the_network_stays_there(there: torch.device) -> None:
    network, (x, y) = Network.mlp(4, 5, 1), rows()
    here = descend(network, MSE, x, y, lr=1e-2, steps=30, method="steps")
    moved = Network.mlp(4, 5, 1).to(there)
    run = descend(moved, MSE, x.to(there), y.to(there), lr=1e-2, steps=30)
    assert (run.network.theta.device, run.method) == (there, "steps")
    torch.testing.assert_close(run.network.theta.cpu(), here.network.theta, rtol=1e-4, atol=1e-6)
    assert run.not_compiled == ""


def test_arrays_move_to_the_network(there: torch.device) -> None:
    x, y = (one.numpy() for one in rows())
    run = descend(Network.mlp(4, 1).to(there), MSE, x, y, lr=1e-2, steps=3)
    assert run.network.theta.device == there


def test_a_checkpoint_goes_on_anywhere(there: torch.device, tmp_path: Any) -> None:
    for method in ("steps", "adam"):
        given: dict[str, Any] = {"lr": 1e-2, "method": method}
        network, (x, y) = Network.mlp(4, 5, 1), rows()
        first = descend(network, MSE, x, y, **given, steps=20, device=there)
        first.checkpoint.save(tmp_path / "run.safetensors")
        start = type(first.checkpoint).load(tmp_path / "run.safetensors")
        ways = [
            descend(network, MSE, x, y, **given, steps=40, device=where, start=start, objective=way)
            for where, way in ((there, "fastest"), ("cpu", "fastest"))
        ]
        whole = descend(network, MSE, x, y, **given, steps=40, device=there)
        assert torch.equal(ways[0].losses, whole.losses)
        torch.testing.assert_close(ways[1].losses, whole.losses, rtol=1e-5, atol=0)


def test_early_stopping_measures_there(there: torch.device) -> None:
    network, (x, y) = Network.mlp(4, 5, 1), rows()
    runs = []
    for where in (None, there):
        stopping = EarlyStopping(x[:50], y[:50], every=10, patience=2)
        given: dict[str, Any] = {"lr": 0.05, "steps": 200, "method": "adam"}
        given["on_block"] = stopping
        runs.append((descend(network, MSE, x[50:], y[50:], **given, device=where), stopping))
    assert runs[0][1].steps == runs[1][1].steps
    torch.testing.assert_close(runs[0][1].losses, runs[1][1].losses, rtol=1e-4, atol=1e-6)
    assert runs[0][0].steps == runs[1][0].steps


def test_a_rate_that_is_too_large_is_named_as_on_the_cpu(there: torch.device) -> None:
    network, (x, y) = Network.mlp(4, 1), rows()
    texts = []
    for where in (None, there):
        with pytest.raises(DivergedError) as found:
            descend(network, MSE, x, y, lr=1e3, steps=500, method="steps", device=where)
        texts.append(str(found.value).partition("diverges")[0][:40])
    assert texts[0] == texts[1]


def test_what_does_not_go_there_is_refused(there: torch.device) -> None:
    network, (x, y) = Network.mlp(4, 1), rows()
    for method in ("flow", "spectral", "lbfgs"):
        lr = None if method == "lbfgs" else 1e-2
        with pytest.raises(SettingError, match=f"method '{method}' runs on the CPU"):
            descend(network, MSE, x, y, lr=lr, steps=30, method=method, device=there)
    with pytest.raises(SettingError, match="the fused objective runs"):
        descend(network, MSE, x, y, lr=1e-2, steps=30, objective="fused", device=there)
    with pytest.raises(SettingError, match="its rows lie in several processes"):
        descend(network, MSE, x, y, lr=1e-2, steps=30, shard=True, device=there)
    dropping = Network([Layer(Linear, w=torch.ones(4, 1), b=torch.zeros(1)), Layer(Dropout, p=0.1)])
    with pytest.raises(SettingError, match="Dropout draws from a random generator of the CPU"):
        descend(dropping, MSE, x, y, lr=1e-2, steps=30, device=there)
    with pytest.raises(DataError, match="x lies on cpu and the network on"):
        descend(Network.mlp(4, 1).to(there), MSE, x, y, lr=1e-2, steps=30)


def test_a_device_that_is_none_is_refused() -> None:
    network, (x, y) = Network.mlp(4, 1), rows()
    for name in ("gpu", "meta", "cuda:x", 3.5):
        with pytest.raises(SettingError, match="device must be cpu, cuda or a CUDA device"):
            descend(network, MSE, x, y, lr=1e-2, steps=3, device=name)  # type: ignore[arg-type]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_missing_is_refused() -> None:
    network, (x, y) = Network.mlp(4, 1), rows()
    with pytest.raises(SettingError, match="PyTorch sees no CUDA device here"):
        descend(network, MSE, x, y, lr=1e-2, steps=3, device="cuda")
    with pytest.raises(SettingError, match=r"'cuda graph' runs on a CUDA device.*lies on cpu"):
        descend(network, MSE, x, y, lr=1e-2, steps=3, objective="cuda graph")


NOT_RECORDED = ("running statistics", "momentum", "adam", "batches")


def test_compare_descends_there(there: torch.device, tmp_path: Any) -> None:
    x, y = rows()
    table = {f"x{i}": x[:, i].tolist() for i in range(4)} | {"y": y[:, 0].tolist()}
    given: dict[str, Any] = {"target": "y", "lr": 1e-2, "steps": 60, "method": "steps"}
    here, run = (
        compare(table, "linear,tanh:3", **given, device=where) for where in (None, str(there))
    )
    for one, other in zip(here.results, run.results, strict=True):
        torch.testing.assert_close(one.losses, other.losses, rtol=1e-4, atol=0)
        assert one.test_loss == pytest.approx(other.test_loss, rel=1e-4)


# Recorded steps. Without CUDA a recording is the operations themselves, on the same memory.


@pytest.fixture
def recorded(
    there: torch.device, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> torch.device:
    """The device, on which `record` records, or is emulated."""
    if there.type != "cuda":

        def record(run: Callable[[], None], warm_up: int) -> Callable[[], None]:
            for _ in range(warm_up):
                run()
            return run

        monkeypatch.setattr(cuda_graph, "record", record)
        monkeypatch.setattr(cuda_graph, "KIND", there.type)
    return there


@pytest.mark.parametrize("name", [name for name in CASES if name not in NOT_RECORDED])
def test_recorded_steps_are_those_of_the_plain_loop(name: str, recorded: torch.device) -> None:
    network, loss, x, y, settings = CASES[name]()
    given: dict[str, Any] = {"lr": 1e-2, "steps": 160, **settings}
    here = descend(network, loss, x, y, **given, objective="by hand")
    run = descend(network, loss, x, y, **given, device=recorded)
    assert run.objective == CudaGraphSteps.name
    torch.testing.assert_close(run.losses, here.losses, rtol=1e-4, atol=0)
    torch.testing.assert_close(run.network.theta, here.network.theta, rtol=1e-3, atol=1e-5)


def test_a_schedule_and_a_checkpoint_go_with_recorded_steps(recorded: torch.device) -> None:
    network, (x, y) = Network.mlp(4, 5, 1), rows()

    def lr(step: int, steps: int) -> float:
        return 1e-2 / (1 + step)

    here = descend(network, MSE, x, y, lr=lr, steps=130, objective="by hand")
    first = descend(network, MSE, x, y, lr=lr, steps=110, device=recorded)
    assert first.objective == CudaGraphSteps.name
    run = descend(network, MSE, x, y, lr=lr, steps=130, device=recorded, start=first.checkpoint)
    torch.testing.assert_close(run.losses, here.losses, rtol=1e-5, atol=0)


def test_what_cannot_be_recorded_is_refused(
    recorded: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = Problem(norms(), MSE, *rows()).on(recorded)
    assert "BatchNorm changes with every step" in CudaGraphSteps.refusal(problem)

    class Reading(Linear):
        @staticmethod
        def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor) -> Any:
            return Linear.forward(ctx, x, w, b) * (1.0 if x[0, 0].item() < 9 else 0.5)

    def refuse(run: Callable[[], None], warm_up: int) -> Callable[[], None]:
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    if recorded.type != "cuda":
        monkeypatch.setattr(cuda_graph, "record", refuse)
    network = Network([Layer(Reading, w=torch.ones(4, 1), b=torch.zeros(1))])
    problem = Problem(network, MSE, *rows()).on(recorded)
    assert "reads values of tensors in Python: " in CudaGraphSteps.refusal(problem)
    run = descend(network, MSE, *rows(), lr=1e-3, steps=120, device=recorded)
    assert run.objective == "by hand"
