"""What a comparison found: each model's descents beside the test rows."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from torch import Tensor

import derivable
from derivable.comparison.messages import say
from derivable.comparison.scores import Scores, of_classes, of_numbers
from derivable.comparison.training import PLAIN, Training
from derivable.data import Scaler, Split
from derivable.data.kinds import Number
from derivable.data.table import Table
from derivable.descent import Descent
from derivable.extras import is_installed, needed
from derivable.functions import MSE
from derivable.loss import AnyLoss, Loss
from derivable.messages import Message, in_language
from derivable.network import Network
from derivable.protocol import Model, SheetFigure
from derivable.templates import shared

if TYPE_CHECKING:
    import polars
    from matplotlib.axes import Axes

    from derivable.data.columns import Columns
    from derivable.display.curves import Curves


POWERS = {"MSE": 2, "L1": 1}  # of the target's unit, in which such a loss is measured


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
    y_test: Tensor  # (n, K), in the targets' own units; or the labels (n,) of classes
    lines: Tensor  # (n,): where each test row stands in its file, or its number from 1 on
    naive: Tensor  # the mean of the training targets (K,), or the share of each class (C,)
    columns: Columns | None = None  # how those of a file became features and targets
    loss: str = "MSE"  # what is minimised, by its name with its options
    classes: tuple[str, ...] = ()  # of a target that is no number

    @classmethod
    def of(cls, table: Table, split: Split, loss: AnyLoss = MSE) -> Self:
        """Those of a table, how it was split, and what is minimised."""
        y_test = split.y_test if split.classes else split.scaler.predictions(split.y_test)
        return cls(
            name=table.name,
            note=table.note,
            features=table.features,
            targets=table.targets,
            protocol=split.protocol,
            train_rows=split.train_rows,
            digest=table.digest(),
            scaler=split.scaler,
            x_test=split.x_test,
            y_test=y_test,
            lines=split.lines,
            naive=split.naive,
            columns=table.columns,
            loss=Loss.of(loss).name,
            classes=split.classes,
        )

    @property
    def sign(self) -> str:
        """The sign of the only target, such as €, that all cells of its column have; or empty."""
        outputs = self.columns.outputs if self.columns else ()
        reading = outputs[0].reading if len(outputs) == 1 else None
        form = reading.form if isinstance(reading, Number) else None
        return form.sign if form else ""

    @property
    def width(self) -> int:
        """How many outputs a network has: one for each class, or for each target."""
        return len(self.classes) or len(self.targets)

    def predictions(self, network: Network, x: Tensor) -> Tensor:
        """The predictions of a network for standardised features x (n, D).

        The targets (n, K) in their own units, or the probabilities of the classes (n, C); float64.
        """
        outputs, _ = network.forward_by_hand(x)
        if self.classes:
            return outputs.double().softmax(1)
        return self.scaler.predictions(outputs)

    def scores(self, predictions: Tensor) -> dict[str, Scores]:
        """How good predictions of the test rows are, for each target (`comparison.scores`)."""
        if self.classes:
            return {self.targets[0]: of_classes(self.y_test, predictions)}
        columns = zip(self.targets, self.y_test.T, predictions.T, strict=True)
        return {name: of_numbers(true, predicted) for name, true, predicted in columns}

    @property
    def naive_scores(self) -> dict[str, Scores]:
        """The scores of what one would say without looking at the features: `naive`."""
        return self.scores(self.naive.expand(self.test_rows, -1))

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """The features that each column of the table became, by their places."""
        found: dict[str, list[int]] = {}
        for place, owner in enumerate(self.columns.owners if self.columns else self.features):
            found.setdefault(owner, []).append(place)
        return found

    @property
    def class_sizes(self) -> Tensor:
        """How many rows of each class train, (C,); of a target of classes."""
        return (self.naive * self.train_rows).round().long()

    @property
    def test_rows(self) -> int:
        """How many rows test."""
        return len(self.y_test)

    @property
    def unit(self) -> float:
        """What a loss of the network is multiplied by.

        The mean squared error of one standardised target is reported in that target's own units,
        squared, and the mean absolute error in these units. Those of several targets have no unit
        in common and stay in standard deviations; so do other losses, which do not scale.
        """
        if len(self.targets) > 1 or self.loss not in POWERS:
            return 1.0
        return float(self.scaler.y_std.item() ** POWERS[self.loss])

    @property
    def measure(self) -> str:
        """What the loss measures: an error by its usual name, else the name of the loss."""
        key = f"measure_{self.loss}"
        return say(key) if key in say else self.loss

    @property
    def in_words(self) -> Message:
        """What a loss is, with its unit."""
        one = len(self.targets) == 1
        own_units = torch.all(self.scaler.y_std == 1) or (one and self.loss in POWERS)
        key = "loss_of" if one else "loss_summed" if self.loss == "MSE" else "loss_of_targets"
        return say(
            key if own_units else f"{key}_std",
            measure=self.measure,
            target=self.targets[0],
            n=len(self.targets),
        )


@dataclass(frozen=True)
class Curve:
    """A test loss on the way: after `steps` (S,) steps it was `losses` (S,)."""

    steps: Tensor
    losses: Tensor


@dataclass(frozen=True)
class Choice:
    """What was chosen, why, and all that was tried, with losses on rows held out."""

    model: str = ""  # empty of a model that was not chosen
    reason: str = ""
    tried: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Trained:
    """One model after its descents, one for each seed; losses as `Facts.in_words` states."""

    model: Model
    descents: tuple[Descent, ...]
    test_losses: tuple[float, ...]  # one for each descent
    test_curve: Curve  # of the first descent
    predictions: Tensor  # of the test rows, by the first descent: `Facts.predictions`
    unit: float  # what a loss of the network is multiplied by
    lr_reason: str = ""  # where the learning rate comes from
    sheet: SheetFigure | None = None  # None where the sheet has no figure for this very training
    choice: Choice = Choice()  # of the model auto, from the first seed

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
    def lr(self) -> float | None:
        """The learning rate, that from which a schedule is made; None where there is none."""
        lr: Any = self.descent.lr
        peak: float | None = getattr(lr, "lr", lr)
        return peak

    @property
    def schedule(self) -> str | None:
        """The schedule of the learning rate, as text; None where it stays the same."""
        return str(self.descent.lr) if callable(self.descent.lr) else None

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

    def curves(self, *, test: bool) -> Curves:
        """Its losses, to be drawn; with `test` also those of the test rows."""
        from derivable.display.curves import Curves  # it takes matplotlib, which takes a while

        if not test:
            return Curves(self.model.name, self.losses)
        at = self.test_curve.steps.double().numpy()
        return Curves(self.model.name, self.losses, at, self.test_curve.losses.numpy())

    def to_dict(self) -> dict[str, Any]:
        """What a program wants to know, in plain numbers and words."""
        estimate = self.descent.error_estimate
        return {
            "model": self.model.name,
            "train_loss": self.train_loss,
            "test_loss": self.test_loss,
            "test_losses": list(self.test_losses),
            "test_loss_deviation": self.deviation,
            "method": self.descent.method,
            "objective": self.descent.objective,
            "error_estimate": estimate.stated.to("en"),
            "largest_deviation": max(d.error_estimate.deviation for d in self.descents),
            "seconds": self.seconds,
            "compile_seconds": sum(descent.compile_seconds for descent in self.descents),
            "gradient_evaluations": sum(d.gradient_evaluations for d in self.descents),
            "lr": self.lr,
            "schedule": self.schedule,
            "steps": self.descent.steps,
            "stopped": in_language(self.descent.stopped, "en") or None,
            "parameters": self.descent.network.theta.numel(),
            "sheet_test_loss": self.sheet.test_loss if self.sheet else None,
            "sheet_spread": [self.sheet.lowest, self.sheet.highest] if self.sheet else None,
            "in_sheet_spread": self.in_sheet_spread,
            "holds_sheet_figure": self.holds_sheet_figure,
            "chosen": self.choice.model or None,
            "chosen_reason": in_language(self.choice.reason, "en") or None,
            "choices": list(self.choice.tried) or None,
        }


@dataclass(frozen=True)
class Comparison:
    """Several models trained on one table by one protocol."""

    facts: Facts
    steps: int
    seeds: tuple[int, ...]
    results: tuple[Trained, ...]
    training: Training = PLAIN
    steps_seconds: float | None = None  # that `steps` were chosen to fit; None where they were not

    @property
    def counts_steps(self) -> bool:
        """Whether a model was trained for `steps`; `auto` ends where rows held out say."""
        return not all(result.model.automatic for result in self.results)

    @property
    def best(self) -> Trained:
        """The model of the lowest test loss."""
        return min(self.results, key=lambda result: result.test_loss)

    def __repr__(self) -> str:
        names = ", ".join(result.model.name for result in self.results)
        loss, best = self.best.test_loss, self.best.model.name
        data, steps = self.facts.name, self.steps
        return say("shown", names=names, data=data, steps=steps, loss=loss, best=best)

    def to_frame(self) -> polars.DataFrame:
        """A data frame with one row for each model."""
        with needed("to_frame"):
            import polars

        columns = (
            "model", "train_loss", "test_loss", "test_loss_deviation", "parameters", "lr", "steps",
            "method", "objective", "error_estimate", "seconds",
        )  # fmt: skip
        rows = [result.to_dict() for result in self.results]
        frame = {name: [row[name] for row in rows] for name in columns}
        if len(self.facts.targets) == 1:
            scores = [next(iter(self.facts.scores(r.predictions).values())) for r in self.results]
            frame |= {name: [one[name] for one in scores] for name in scores[0]}
        return polars.DataFrame(frame)

    def plot(self, ax: Axes | None = None, *, test: bool = True) -> Axes:
        """Draw the loss curves, both axes logarithmic, into `ax` or a new figure.

        Thick lines are the training losses, thin ones the test losses, unless `test` is False.
        """
        with needed("losses_chart"):
            from derivable.display.notebook import plot_losses

        curves = [result.curves(test=test) for result in self.results]
        return plot_losses(curves, ax)

    def _repr_html_(self) -> str:
        if not is_installed("matplotlib"):
            return shared.plain(repr(self))
        from derivable.display import style
        from derivable.display.notebook import card
        from derivable.display.words import Words

        words = Words()
        rows = []
        for i, result in enumerate(self.results):
            rows.append(
                [
                    shared.model(result.model.name, style.page_colour(i)),
                    words.number(result.train_loss),
                    words.number(result.test_loss, result.deviation),
                    words.short(result.seconds, 2),
                ]
            )
        heads = [words(key) for key in ("model", "train_loss", "test_loss", "seconds")]
        best = next(i for i, r in enumerate(self.results) if r is self.best)
        curves = [result.curves(test=True) for result in self.results]
        return card(heads, rows, curves, best=best)

    def to_dict(self) -> dict[str, Any]:
        """What `metrics.json` holds and `--json` prints; for programs, and so always in English."""
        facts = self.facts
        return {
            "derivable": derivable.__version__,
            "data": facts.name,
            "note": in_language(facts.note, "en") or None,
            "sha256": facts.digest,
            "protocol": facts.protocol,
            "train_rows": facts.train_rows,
            "test_rows": facts.test_rows,
            "features": list(facts.features),
            "targets": list(facts.targets),
            "task": "classification" if facts.classes else "regression",
            "classes": list(facts.classes) or None,
            "loss": facts.in_words.to("en"),
            "loss_function": facts.loss,
            "penalty": self.training.penalty,
            "patience": self.training.patience,
            "class_weight": self.training.class_weight,
            "steps": self.steps,
            "steps_seconds": self.steps_seconds,
            "seed": self.seeds[0],
            "seeds": len(self.seeds),
            "naive_scores": facts.naive_scores,
            "models": [
                {**result.to_dict(), "scores": facts.scores(result.predictions)}
                for result in self.results
            ],
        }

    def to_json(self) -> str:
        """The same as one JSON document."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
