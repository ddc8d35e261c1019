"""The main job: several models, one table, one protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

import derivable
from derivable.data import Split, Table, lab_split
from derivable.descent import Descent, descend
from derivable.function.context import Context
from derivable.functions import MSE
from derivable.network import Network
from derivable.protocol import LAB_STEPS, SHEET_FIGURES, Model, SheetFigure

Watch = Callable[[Model, int, float], None]  # (model, steps done, loss there)


@dataclass(frozen=True)
class Trained:
    """One model after its descent."""

    model: Model
    descent: Descent
    test_loss: float
    sheet: SheetFigure | None  # None where the sheet has no figure for this very training

    @property
    def in_sheet_spread(self) -> bool | None:
        """Whether the test loss lies in the sheet's spread; None where there is none."""
        return self.sheet.holds(self.test_loss) if self.sheet else None

    def to_dict(self) -> dict[str, Any]:
        """What a program wants to know, in plain numbers and words."""
        return {
            "model": self.model.name,
            "train_loss": self.descent.train_loss,
            "test_loss": self.test_loss,
            "method": self.descent.method,
            "objective": self.descent.objective,
            "seconds": self.descent.seconds,
            "gradient_evaluations": self.descent.gradient_evaluations,
            "lr": self.descent.lr,
            "steps": self.descent.steps,
            "parameters": self.descent.network.theta.numel(),
            "sheet_test_loss": self.sheet.test_loss if self.sheet else None,
            "sheet_spread": [self.sheet.lowest, self.sheet.highest] if self.sheet else None,
            "in_sheet_spread": self.in_sheet_spread,
        }


@dataclass(frozen=True)
class Comparison:
    """Several models trained on one table by one protocol."""

    table: Table
    split: Split
    steps: int
    seed: int
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
            "seed": self.seed,
            "models": [result.to_dict() for result in self.results],
        }


def compare(
    table: Table,
    models: Sequence[Model],
    *,
    steps: int = LAB_STEPS,
    seed: int = 0,
    watch: Watch = lambda model, step, loss: None,
) -> Comparison:
    """Train each model on `table` by the lab's protocol and measure it on the test rows.

    `watch(model, step, loss)` is called now and then while a model descends.
    Raises DivergedError when a loss stops being finite.
    """
    split = lab_split(table)
    comparable = table.name == "california" and steps == LAB_STEPS
    results = []
    for model in models:
        network = model.network(split.x_train.size(1), split.y_train.size(1), seed)
        descent = descend(
            network,
            MSE,
            split.x_train,
            split.y_train,
            lr=model.lr,
            steps=steps,
            progress=partial(watch, model),
        )
        sheet = SHEET_FIGURES.get(model.name) if comparable else None
        loss = test_loss(descent.network, split.x_test, split.y_test)
        results.append(Trained(model, descent, loss, sheet))
    return Comparison(table, split, steps, seed, tuple(results))


def test_loss(network: Network, x: Tensor, y: Tensor) -> float:
    """MSE of the network on x (N, D), y (N, K), summed over the K columns."""
    yhat, _ = network.forward_by_hand(x)
    return MSE.forward(Context(), yhat, y).sum().item()
