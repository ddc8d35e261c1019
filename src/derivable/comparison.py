"""The main job: several models, one table, one protocol, one seed or many."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

import derivable
from derivable.data import Split, Table, lab_split
from derivable.descent import Descent, descend, descend_many
from derivable.function.context import Context
from derivable.functions import MSE
from derivable.network import Network
from derivable.protocol import LAB_STEPS, SHEET_FIGURES, Model, SheetFigure

Watch = Callable[[Model, int, float], None]  # (model, steps or seeds done, loss there)


@dataclass(frozen=True)
class Trained:
    """One model after its descents, one for each seed."""

    model: Model
    descents: tuple[Descent, ...]
    test_losses: tuple[float, ...]  # one for each descent
    sheet: SheetFigure | None  # None where the sheet has no figure for this very training

    @property
    def descent(self) -> Descent:
        """The descent from the first seed."""
        return self.descents[0]

    @property
    def losses(self) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """Every training loss, one row for each seed; NaN where one ended earlier than another."""
        longest = max(len(descent.losses) for descent in self.descents)
        rows = np.full((len(self.descents), longest), np.nan)
        for row, descent in zip(rows, self.descents, strict=True):
            row[: len(descent.losses)] = descent.losses.numpy()
        return rows

    @property
    def train_loss(self) -> float:
        """The last training loss, the mean over the seeds."""
        return statistics.fmean(descent.train_loss for descent in self.descents)

    @property
    def test_loss(self) -> float:
        """The test loss, the mean over the seeds."""
        return statistics.fmean(self.test_losses)

    @property
    def deviation(self) -> float | None:
        """The standard deviation of the test loss over the seeds; None for one seed."""
        return statistics.stdev(self.test_losses) if len(self.test_losses) > 1 else None

    @property
    def seconds(self) -> float:
        """The time that all descents took, one after the other."""
        return sum(descent.seconds for descent in self.descents)

    @property
    def in_sheet_spread(self) -> bool | None:
        """Whether every test loss lies in the sheet's spread; None where there is none."""
        return all(map(self.sheet.holds, self.test_losses)) if self.sheet else None

    @property
    def holds_sheet_figure(self) -> bool | None:
        """Whether the sheet's figure lies among the test losses of the seeds; None for one seed."""
        if self.sheet is None or len(self.test_losses) == 1:
            return None
        return min(self.test_losses) <= self.sheet.test_loss <= max(self.test_losses)

    def to_dict(self) -> dict[str, Any]:
        """What a program wants to know, in plain numbers and words."""
        certificate = self.descent.certificate
        return {
            "model": self.model.name,
            "train_loss": self.train_loss,
            "test_loss": self.test_loss,
            "test_losses": list(self.test_losses),
            "test_loss_deviation": self.deviation,
            "method": self.descent.method,
            "objective": self.descent.objective,
            "certificate": str(certificate),
            "largest_deviation": max(d.certificate.deviation for d in self.descents),
            "seconds": self.seconds,
            "compile_seconds": sum(descent.compile_seconds for descent in self.descents),
            "gradient_evaluations": sum(d.gradient_evaluations for d in self.descents),
            "lr": self.descent.lr,
            "steps": self.descent.steps,
            "parameters": self.descent.network.theta.numel(),
            "sheet_test_loss": self.sheet.test_loss if self.sheet else None,
            "sheet_spread": [self.sheet.lowest, self.sheet.highest] if self.sheet else None,
            "in_sheet_spread": self.in_sheet_spread,
            "holds_sheet_figure": self.holds_sheet_figure,
        }


@dataclass(frozen=True)
class Comparison:
    """Several models trained on one table by one protocol."""

    table: Table
    split: Split
    steps: int
    seeds: tuple[int, ...]
    results: tuple[Trained, ...]

    def to_dict(self) -> dict[str, Any]:
        """What `metrics.json` holds and `--json` prints."""
        return {
            "derivable": derivable.__version__,
            "data": self.table.name,
            "note": self.table.note or None,
            "protocol": self.split.protocol,
            "train_rows": len(self.split.x_train),
            "test_rows": len(self.split.x_test),
            "features": list(self.table.features),
            "targets": list(self.table.targets),
            "steps": self.steps,
            "seed": self.seeds[0],
            "seeds": len(self.seeds),
            "models": [result.to_dict() for result in self.results],
        }


def compare(
    table: Table,
    models: Sequence[Model],
    *,
    steps: int = LAB_STEPS,
    seed: int = 0,
    seeds: int = 1,
    method: str = "auto",
    watch: Watch = lambda model, done, loss: None,
) -> Comparison:
    """Train each model on `table` by the lab's protocol and measure it on the test rows.

    Each model is trained from `seeds` seeds, `seed`, `seed` + 1, ... `method` is one of `descend`.
    `watch(model, done, loss)` is called now and then while a model descends; `done` counts steps,
    or seeds where there are several.

    Raises DivergedError when a loss stops being finite, and KeyboardInterrupt when interrupted.
    """
    split = lab_split(table)
    comparable = table.name == "california" and steps == LAB_STEPS
    chosen = tuple(range(seed, seed + seeds))
    results = []
    for model in models:
        runs = _train(model, split, chosen, steps, method, partial(watch, model))
        sheet = SHEET_FIGURES.get(model.name) if comparable else None
        losses = tuple(test_loss(run.network, split.x_test, split.y_test) for run in runs)
        results.append(Trained(model, tuple(runs), losses, sheet))
    return Comparison(table, split, steps, chosen, tuple(results))


def _train(
    model: Model,
    split: Split,
    seeds: Sequence[int],
    steps: int,
    method: str,
    progress: Callable[[int, float], None],
) -> list[Descent]:
    """One descent for each seed."""
    x, y = split.x_train, split.y_train
    networks = [model.network(x.size(1), y.size(1), seed) for seed in seeds]
    if len(seeds) == 1:
        runs = [
            descend(
                networks[0], MSE, x, y, lr=model.lr, steps=steps, method=method, progress=progress
            )
        ]
    else:
        runs = descend_many(
            networks,
            MSE,
            x,
            y,
            lr=model.lr,
            steps=steps,
            method=method,
            progress=lambda done, run: progress(done, run.train_loss),
        )
    if len(runs) < len(seeds) or any(run.interrupted for run in runs):
        raise KeyboardInterrupt
    return runs


def test_loss(network: Network, x: Tensor, y: Tensor) -> float:
    """MSE of the network on x (N, D), y (N, K), summed over the K columns."""
    yhat, _ = network.forward_by_hand(x)
    return MSE.forward(Context(), yhat, y).sum().item()
