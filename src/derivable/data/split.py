"""From a table to training and test rows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from derivable.data.table import Table


@dataclass(frozen=True)
class Split:
    """Standardised training and test rows: x (N, D), y (N, K)."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    protocol: str


def lab_split(table: Table, dtype: torch.dtype = torch.float32) -> Split:
    """The lab sheet's protocol: the first 80% of the rows train, the last 20% test, in file order.

    Features are standardised over all rows with the unbiased standard deviation, before the
    split. That lets the test rows into the scaler; it is kept to compare with the sheet's own
    figures. A constant column becomes zero.
    """
    x, y = table.x, table.y.to(dtype)
    deviation = x.std(0)
    deviation[deviation == 0] = 1
    x = ((x - x.mean(0)) / deviation).to(dtype)
    cut = int(0.8 * len(x))
    return Split(x[:cut], y[:cut], x[cut:], y[cut:], protocol="lab")
