"""Write the ranges of losses that the lab sheets compare curves with: labs/curves.json.

Losses of the sheet's protocol over time t = steps x learning rate, of many seeds: the first one,
the others relative to it, and the test loss; and the same of trainings in which one parameter never
changes, which is a usual mistake.

    python tools/write_lab_curves.py [--seeds 30]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from derivable.data import Split, Table, find_california, lab_split, load_diabetes

TARGET = Path(__file__).parents[1] / "src/derivable/labs/curves.json"
STEPS = 80_000
RATES = {"linear": 1e-5, "tanh": 1e-4, "relu": 1e-4}
FASTER = 20  # times the sheet's learning rate; the flow is followed to 1e-3 all the same
HIDDEN, POINTS = 10, 70
SLOPES: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "tanh": (torch.tanh, lambda out: 1 - out**2),
    "relu": (torch.relu, lambda out: (out > 0).to(out)),
}


def start(model: str, columns: int, seed: int) -> dict[str, Tensor]:
    """The sheet's initial parameters."""
    generator = torch.Generator().manual_seed(seed)

    def small(*shape: int) -> Tensor:
        return 0.01 * torch.randn(shape, generator=generator)

    if model == "linear":
        return {"w": small(columns, 1), "b": torch.zeros(1, 1)}
    return {
        "w1": small(columns, HIDDEN), "b1": torch.zeros(1, HIDDEN),
        "w2": small(HIDDEN, 1), "b2": torch.zeros(1, 1),
    }  # fmt: skip


def loss_and_gradient(
    model: str, p: dict[str, Tensor], x: Tensor, y: Tensor
) -> tuple[float, dict[str, Tensor]]:
    """The loss and the gradient of each parameter."""
    if model == "linear":
        error = x @ p["w"] + p["b"] - y
        grad = 2 / len(x) * error
        return float(error.square().mean()), {"w": x.T @ grad, "b": grad.sum(0, keepdim=True)}
    value, slope = SLOPES[model]
    hidden = value(x @ p["w1"] + p["b1"])
    error = hidden @ p["w2"] + p["b2"] - y
    grad = 2 / len(x) * error
    inner = grad @ p["w2"].T * slope(hidden)
    return float(error.square().mean()), {
        "w1": x.T @ inner, "b1": inner.sum(0, keepdim=True),
        "w2": hidden.T @ grad, "b2": grad.sum(0, keepdim=True),
    }  # fmt: skip


def descended(model: str, split: Split, seed: int, frozen: str) -> tuple[Tensor, Tensor]:
    """Training and test losses at the times of `grid`, (POINTS,) each."""
    p = start(model, split.x_train.size(1), seed)
    rate = FASTER * RATES[model]
    train, test, at = [], [], set(grid().tolist())
    for step in range(STEPS // FASTER + 1):
        loss, gradient = loss_and_gradient(model, p, split.x_train, split.y_train)
        if step in at:
            train.append(loss)
            test.append(loss_and_gradient(model, p, split.x_test, split.y_test)[0])
        p = {n: v if n == frozen else v - rate * gradient[n] for n, v in p.items()}
    return torch.tensor(train), torch.tensor(test)


def grid() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The steps at which losses are kept."""
    last = STEPS // FASTER
    early, even = np.geomspace(1, last, POINTS), np.linspace(0, last, POINTS)
    return np.unique(np.concatenate([[0], early, even]).round().astype(np.int64))


def rows(losses: list[Tensor], rate: float) -> list[list[float]]:
    """Time, smallest and largest loss."""
    every = torch.stack(losses)
    low, high = every.min(0).values, every.max(0).values
    return [
        [float(f"{t:.6g}") for t in row]
        for row in zip(grid() * rate, low.tolist(), high.tolist(), strict=False)
    ]


def of_model(model: str, split: Split, seeds: int) -> dict[str, list[list[float]]]:
    """All ranges of one model on one table."""
    rate = FASTER * RATES[model]
    runs = [descended(model, split, seed, "") for seed in range(seeds)]
    found = {
        "first": rows([train[:1] for train, _ in runs], rate),
        "train": rows([train / train[0] for train, _ in runs], rate),
        "test": rows([test for _, test in runs], rate),
    }
    for name in start(model, 1, 0):
        frozen = [descended(model, split, seed, name)[0] for seed in range(min(seeds, 4))]
        found[f"without {name}"] = rows([train / train[0] for train in frozen], rate)
    print(model, split.x_train.shape, found["train"][-1], found["test"][-1], flush=True)
    return found


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=30)
    seeds: int = parser.parse_args().seeds
    torch.set_num_threads(1)
    tables: list[Table] = [find_california(), load_diabetes()]
    document = {
        table.name: {model: of_model(model, lab_split(table), seeds) for model in RATES}
        for table in tables
    }
    TARGET.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
