"""The main job: several models, one table, one protocol, one seed or many."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

import derivable
from derivable.data import SPLITS, Scaler, Split, Table
from derivable.descent import Descent, choose_rate, descend, descend_many
from derivable.errors import SettingError
from derivable.function.context import Context
from derivable.functions import MSE
from derivable.network import Network
from derivable.protocol import LAB_STEPS, SHEET_FIGURES, Model, SheetFigure

Watch = Callable[[Model, int, float], None]  # (model, steps or seeds done, loss there)


@dataclass(frozen=True)
class Facts:
    """What a comparison knows of its table, without the training rows."""

    name: str
    note: str  # what the reader must know of it
    features: tuple[str, ...]
    targets: tuple[str, ...]
    protocol: str
    train_rows: int
    digest: str  # of the whole table
    scaler: Scaler
    x_test: Tensor  # (n, D), standardised
    y_test: Tensor  # (n, K), in the targets' own units

    @classmethod
    def of(cls, table: Table, split: Split) -> Self:
        """Those of a table and how it was split."""
        return cls(
            name=table.name,
            note=table.note,
            features=table.features,
            targets=table.targets,
            protocol=split.protocol,
            train_rows=len(split.x_train),
            digest=table.digest(),
            scaler=split.scaler,
            x_test=split.x_test,
            y_test=split.scaler.predictions(split.y_test),
        )

    @property
    def test_rows(self) -> int:
        """How many rows test."""
        return len(self.y_test)

    @property
    def unit(self) -> float:
        """What a loss of the network is multiplied by.

        The loss of one standardised target is told in that target's own units, squared; those of
        several targets have no unit in common and stay in squared standard deviations.
        """
        return self.scaler.y_std.item() ** 2 if len(self.targets) == 1 else 1.0

    @property
    def in_words(self) -> str:
        """What a loss is, with its unit."""
        if len(self.targets) == 1:
            return f"mean squared error of {self.targets[0]}"
        if torch.all(self.scaler.y_std == 1):
            return f"mean squared error, summed over {len(self.targets)} targets"
        return f"mean squared error in standard deviations, summed over {len(self.targets)} targets"


@dataclass(frozen=True)
class Curve:
    """A test loss on the way: after `steps` (S,) steps it was `losses` (S,)."""

    steps: Tensor
    losses: Tensor


@dataclass(frozen=True)
class Trained:
    """One model after its descents, one for each seed; losses as `Facts.in_words` says."""

    model: Model
    descents: tuple[Descent, ...]
    test_losses: tuple[float, ...]  # one for each descent
    test_curve: Curve  # of the first descent
    predictions: Tensor  # (n, K): of the test rows, in the targets' units, by the first descent
    unit: float  # what a loss of the network is multiplied by
    lr_reason: str  # where the learning rate comes from
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
        return rows * self.unit

    @property
    def train_loss(self) -> float:
        """The last training loss, the mean over the seeds."""
        return self.unit * statistics.fmean(descent.train_loss for descent in self.descents)

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

    facts: Facts
    steps: int
    seeds: tuple[int, ...]
    results: tuple[Trained, ...]

    @property
    def best(self) -> Trained:
        """The model of the lowest test loss."""
        return min(self.results, key=lambda result: result.test_loss)

    def to_dict(self) -> dict[str, Any]:
        """What `metrics.json` holds and `--json` prints."""
        facts = self.facts
        return {
            "derivable": derivable.__version__,
            "data": facts.name,
            "note": facts.note or None,
            "sha256": facts.digest,
            "protocol": facts.protocol,
            "train_rows": facts.train_rows,
            "test_rows": facts.test_rows,
            "features": list(facts.features),
            "targets": list(facts.targets),
            "loss": facts.in_words,
            "steps": self.steps,
            "seed": self.seeds[0],
            "seeds": len(self.seeds),
            "models": [result.to_dict() for result in self.results],
        }


def compare(
    table: Table,
    models: Sequence[Model],
    *,
    protocol: str = "lab",
    lr: float | str | None = None,
    steps: int = LAB_STEPS,
    seed: int = 0,
    seeds: int = 1,
    method: str = "auto",
    watch: Watch = lambda model, done, loss: None,
) -> Comparison:
    """Train each model on `table` by one protocol and measure it on the test rows.

    `protocol` is "lab", for the comparison with the sheet's figures, or "sound", for any table
    (`derivable.data.split` says what each does). `lr` is a number, or "auto" for one that suits
    the table (`derivable.descent.rate` says which); left out, the lab's protocol takes the
    sheet's and the sound one takes "auto". Each model is trained from `seeds` seeds, `seed`,
    `seed` + 1, ..., on the split of the first. `method` is one of `descend`.
    `watch(model, done, loss)` is called now and then while a model descends; `done` counts steps,
    or seeds where there are several.

    Raises SettingError for a protocol that is unknown, DivergedError when a loss stops being
    finite, and KeyboardInterrupt when interrupted.
    """
    if protocol not in SPLITS:
        raise SettingError(f"protocol must be one of {', '.join(SPLITS)}; got {protocol!r}")
    split = SPLITS[protocol](table, seed)
    facts = Facts.of(table, split)
    comparable = table.name == "california" and protocol == "lab" and steps == LAB_STEPS
    chosen = tuple(range(seed, seed + seeds))
    results = []
    for model in models:
        rate, reason = _rate(model, split, seed, lr)
        runs = _train(model, split, chosen, rate, steps, method, partial(watch, model))
        sheet = SHEET_FIGURES.get(model.name) if comparable and rate == model.lr else None
        results.append(_measured(model, runs, split, facts, reason, sheet))
    return Comparison(facts, steps, chosen, tuple(results))


def _rate(model: Model, split: Split, seed: int, lr: float | str | None) -> tuple[float, str]:
    """The learning rate of one model, and where it comes from."""
    if lr is None and split.protocol == "lab":
        return model.lr, "the lab sheet's"
    if lr is None or lr == "auto":
        network = model.network(split.x_train.size(1), split.y_train.size(1), seed)
        rate = choose_rate(network, MSE, split.x_train, split.y_train)
        return rate.lr, rate.reason
    if isinstance(lr, str):
        raise SettingError(f"lr must be a positive number or auto, got {lr!r}")
    return lr, "as asked"


def _measured(
    model: Model,
    runs: Sequence[Descent],
    split: Split,
    facts: Facts,
    reason: str,
    sheet: SheetFigure | None,
) -> Trained:
    """One model's descents beside the test rows."""
    first, x, y = runs[0], split.x_test, split.y_test
    return Trained(
        model=model,
        descents=tuple(runs),
        test_losses=tuple(facts.unit * test_loss(run.network, x, y) for run in runs),
        test_curve=Curve(first.snapshots.steps, facts.unit * _test_losses(first, x, y)),
        predictions=split.scaler.predictions(first.network.forward_by_hand(x)[0]),
        unit=facts.unit,
        lr_reason=reason,
        sheet=sheet,
    )


def _train(
    model: Model,
    split: Split,
    seeds: Sequence[int],
    lr: float,
    steps: int,
    method: str,
    progress: Callable[[int, float], None],
) -> list[Descent]:
    """One descent for each seed."""
    x, y = split.x_train, split.y_train
    networks = [model.network(x.size(1), y.size(1), seed) for seed in seeds]
    if len(seeds) == 1:
        runs = [
            descend(networks[0], MSE, x, y, lr=lr, steps=steps, method=method, progress=progress)
        ]
    else:
        runs = descend_many(
            networks,
            MSE,
            x,
            y,
            lr=lr,
            steps=steps,
            method=method,
            progress=lambda done, run: progress(done, run.train_loss),
        )
    if len(runs) < len(seeds) or any(run.interrupted for run in runs):
        raise KeyboardInterrupt
    return runs


def test_loss(network: Network, x: Tensor, y: Tensor) -> float:
    """MSE of the network on x (N, D), y (N, K), summed over the K columns."""
    return _loss_at(network, network.theta, x, y)


def _loss_at(network: Network, theta: Tensor, x: Tensor, y: Tensor) -> float:
    yhat, _ = network.forward_by_hand(x, network.unflatten(theta.to(x.dtype)))
    return MSE.forward(Context(), yhat, y).sum().item()


def _test_losses(run: Descent, x: Tensor, y: Tensor) -> Tensor:
    """The test loss at each snapshot, (S,)."""
    losses = [_loss_at(run.network, theta, x, y) for theta in run.snapshots.taken]
    return torch.tensor(losses, dtype=torch.float64)
