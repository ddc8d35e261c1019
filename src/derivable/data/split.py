"""From a table to standardised training and test rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from derivable.data.table import Table
from derivable.threads import on_one_thread

TRAIN_SHARE = 0.8


@dataclass(frozen=True)
class Scaler:
    """Standardises features (N, D) and targets (N, K), and undoes it for predictions; float64.

    A missing feature, NaN, becomes the median of its column (0 where all are missing); a constant
    column becomes zero.
    """

    median: Tensor  # (D,)
    mean: Tensor  # (D,)
    std: Tensor  # (D,), unbiased; 1 for a constant column
    y_mean: Tensor  # (K,); 0 where targets stay as they are
    y_std: Tensor  # (K,); 1 where targets stay as they are

    @classmethod
    def fit(cls, x: Tensor, y: Tensor, *, targets: bool) -> Self:
        """The scaler of these rows; it leaves the targets alone unless `targets`."""
        median = x.nanmedian(0).values.nan_to_num()
        x = torch.where(x.isnan(), median, x)
        if targets:
            return cls(median, x.mean(0), _deviation(x), y.mean(0), _deviation(y))
        return cls(median, x.mean(0), _deviation(x), torch.zeros_like(y[0]), torch.ones_like(y[0]))

    def features(self, x: Tensor) -> Tensor:
        """Standardised features."""
        return torch.where(x.isnan(), self.median, x).sub_(self.mean).div_(self.std)

    def targets(self, y: Tensor) -> Tensor:
        """Standardised targets."""
        return (y - self.y_mean) / self.y_std

    def predictions(self, yhat: Tensor) -> Tensor:
        """What a network predicts, in the targets' own units."""
        return yhat.double() * self.y_std + self.y_mean


def _deviation(columns: Tensor) -> Tensor:
    deviation = columns.std(0)
    return torch.where(deviation > 0, deviation, 1.0)


@dataclass(frozen=True)
class Split:
    """Standardised training and test rows: x (N, D), y (N, K), or the labels (N,) of classes."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    protocol: str
    scaler: Scaler
    lines: Tensor  # of the test rows, in the file of the table
    classes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many outputs a network needs: one for each class, or for each target."""
        return len(self.classes) or self.y_train.size(1)

    @property
    def class_sizes(self) -> Tensor:
        """How many rows of each class train, (C,); of a target of classes."""
        return self.y_train.bincount(minlength=len(self.classes))


def lab_split(table: Table, seed: int = 0, dtype: torch.dtype = torch.float32) -> Split:
    """The lab sheet's protocol: the first 80% of the rows train, the last 20% test, in file order.

    Features are standardised over all rows with the unbiased standard deviation, before the
    split. That lets the test rows into the scaler; it is kept to compare with the sheet's own
    figures. Targets stay as they are; nothing is drawn by `seed`.
    """
    with on_one_thread(table.x.numel()):
        scaler = Scaler.fit(table.x, table.y, targets=False)
        rows = torch.arange(len(table.x))
        return _cut(table, rows, int(TRAIN_SHARE * len(rows)), scaler, "lab", dtype)


def sound_split(table: Table, seed: int = 0, dtype: torch.dtype = torch.float32) -> Split:
    """80% of the rows train and 20% test, shuffled by `seed`; or in file order, as `table` says.

    Features and targets are standardised as the training rows say, which know nothing of the test
    rows. Classes are no numbers and stay as they are; where rows are shuffled, 80% of those of each
    class train.
    """
    cut = int(TRAIN_SHARE * len(table.x))
    if table.split == "last":
        order, protocol = torch.arange(len(table.x)), "sound_last"
    else:
        generator = torch.Generator().manual_seed(seed)
        order, protocol = torch.randperm(len(table.x), generator=generator), "sound"
        if table.classes:
            (order, cut), protocol = _stratified(order, table.y[:, 0]), "sound_stratified"
    with on_one_thread(table.x.numel()):
        train, numbers = order[:cut], not table.classes
        scaler = Scaler.fit(table.x[train], table.y[train], targets=numbers)
        return _cut(table, order, cut, scaler, protocol, dtype)


def _stratified(order: Tensor, labels: Tensor) -> tuple[Tensor, int]:
    """The rows that train, then those that test, both in this order (N,), and how many train.

    80% of the rows of each class train, one at least; where there are two, one tests.
    """
    train = torch.zeros(len(order), dtype=torch.bool)
    for label in labels.unique():
        places = (labels[order] == label).nonzero()[:, 0]
        most = max(1, len(places) - 1)
        train[places[: min(max(1, round(TRAIN_SHARE * len(places))), most)]] = True
    return torch.cat([order[train], order[~train]]), int(train.sum())


SPLITS: dict[str, Callable[..., Split]] = {"lab": lab_split, "sound": sound_split}


def _cut(
    table: Table, order: Tensor, cut: int, scaler: Scaler, protocol: str, dtype: torch.dtype
) -> Split:
    """The rows of a table in this order; the first ones train, up to `cut`."""
    x, y = scaler.features(table.x[order]).to(dtype), table.y[order]
    y = y[:, 0].long() if table.classes else scaler.targets(y).to(dtype)
    lines = order + 1 if table.lines is None else table.lines[order]
    return Split(x[:cut], y[:cut], x[cut:], y[cut:], protocol, scaler, lines[cut:], table.classes)
