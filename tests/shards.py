"""Descents on one table, by processes that have its rows in uneven parts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from derivable import MSE, Checkpoint, Descent, Linear, Network, ReLU, Tanh, descend
from derivable.functions import Huber, LayerNorm
from derivable.functions.losses import CrossEntropy
from derivable.layer import Layer

ROWS, FEATURES = 4201, 5


@dataclass(frozen=True)
class Case:
    """What descends on the table, and how."""

    name: str
    network: Callable[[], Network]
    loss: Any = MSE
    dtype: torch.dtype = torch.float32
    weighted: bool = False
    labels: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


def _mlp(activation: Any, outputs: int = 1) -> Callable[[], Network]:
    return lambda: Network.mlp(FEATURES, 7, outputs, activation=activation, seed=2)


def _line() -> Network:
    return Network.mlp(FEATURES, 1, seed=2)


def _normed() -> Network:
    g = torch.Generator().manual_seed(8)
    w, v = torch.randn(FEATURES, 7, generator=g) / 3, torch.randn(7, 1, generator=g) / 3
    norm = Layer(LayerNorm, normalized_shape=(7,), weight=torch.ones(7), bias=torch.zeros(7))
    first, last = Layer(Linear, w=w, b=torch.zeros(7)), Layer(Linear, w=v, b=torch.zeros(1))
    return Network([first, norm, Layer(Tanh), last])


CASES = [
    Case("tanh", _mlp(Tanh)),
    Case("tanh in float64", _mlp(Tanh), dtype=torch.float64),
    Case("relu with weights", _mlp(ReLU), weighted=True),
    Case("huber with a penalty", _mlp(ReLU), loss=Huber, settings={"penalty": 0.1}),
    Case("layer norm", _normed),
    Case("classes", _mlp(Tanh, 3), loss=CrossEntropy, labels=True),
    Case("by hand", _mlp(Tanh), settings={"objective": "by hand", "steps": 6}),
    Case(
        "by hand in float64 with weights", _mlp(Tanh), dtype=torch.float64, weighted=True,
        settings={"objective": "by hand", "steps": 6},
    ),
    Case("spectral", _line, dtype=torch.float64, settings={"method": "auto"}),
    Case("spectral with a penalty and weights", _line, weighted=True,
         settings={"method": "spectral", "penalty": 0.2}),
    Case("flow", _mlp(Tanh), settings={"method": "flow", "steps": 200, "lr": 1e-3}),
    Case("momentum", _mlp(Tanh), settings={"method": "momentum"}),
    Case("adam", _mlp(Tanh), settings={"method": "adam"}),
    Case("lbfgs", _mlp(Tanh), settings={"method": "lbfgs", "lr": None}),
]  # fmt: skip


def table(case: Case) -> dict[str, Any]:
    """All rows: x, y and, where the case has some, weights, of which a few are 0."""
    g = torch.Generator().manual_seed(5)
    x = torch.randn(ROWS, FEATURES, generator=g, dtype=torch.float64)
    y = torch.sin(x[:, :1]) + 0.3 * x[:, 1:2] * x[:, 2:3]
    found = {"x": x.to(case.dtype), "y": y.to(case.dtype)}
    if case.labels:
        found["y"] = (y[:, 0] > 0).long() + (y[:, 0] > 0.7).long()
    if case.weighted:
        weight = torch.rand(ROWS, generator=g, dtype=torch.float64)
        found["weight"] = (weight * (weight > 0.05)).to(case.dtype)
    return found


def rows_of(rank: int, size: int) -> slice:
    """Uneven parts: the last process has the most rows."""
    first, end = (ROWS * k * k // size**2 for k in (rank, rank + 1))
    return slice(first, end)


def run(case: Case, rank: int, size: int, **settings: Any) -> Descent:
    """The descent of a case by the rows of this process."""
    rows = rows_of(rank, size)
    mine = {name: value[rows] for name, value in table(case).items()}
    network = case.network().to(case.dtype)
    given = {"method": "steps", "steps": 12, "lr": 1e-2, **case.settings, **settings}
    return descend(network, case.loss, **mine, **given, shard=True)


def bits(descent: Descent) -> str:
    """A digest of all losses and parameters."""
    content = hashlib.sha256(descent.losses.numpy().tobytes())
    content.update(descent.network.theta.numpy().tobytes())
    return content.hexdigest()[:16]


def all_bits(rank: int, size: int) -> Iterator[tuple[str, str]]:
    """Those of each case, and of one that goes on from a checkpoint of half of its steps."""
    for case in CASES:
        yield case.name, bits(run(case, rank, size))


def checkpoint_of_half(rank: int, size: int) -> Checkpoint:
    """Where the first case is after 5 of its 12 steps."""
    return run(CASES[0], rank, size, steps=5).checkpoint
