"""`Split`: training and test rows."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from derivable.data.scaler import Scaler
from derivable.data.table import Part

TRAIN_SHARE = 0.8


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
    part: Part | None = None  # where other processes have other training rows
    train_rows: int = 0  # of all processes

    def __post_init__(self) -> None:
        if self.part is None:
            object.__setattr__(self, "train_rows", len(self.x_train))

    @property
    def width(self) -> int:
        """How many outputs a network needs: one for each class, or for each target."""
        return len(self.classes) or self.y_train.size(1)

    @property
    def naive(self) -> Tensor:
        """What predicts without features: the mean of each target (K,), shares of classes (C,)."""
        if self.classes:
            return self.class_sizes.double() / self.train_rows
        if self.part is not None:
            return self.scaler.y_mean
        return self.scaler.predictions(self.y_train).mean(0)

    @property
    def class_sizes(self) -> Tensor:
        """How many rows of each class train, (C,); of a target of classes."""
        return self.y_train.bincount(minlength=len(self.classes))
