"""`Scaler`: standardises the columns of a table, and undoes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


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
