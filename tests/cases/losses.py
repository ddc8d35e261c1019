"""Cases of the losses."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from derivable.functions import MSE
from tests.cases.case import Case


def _mse(yhat: Tensor, y: Tensor) -> Tensor:
    return F.mse_loss(yhat, y, reduction="none").mean(0)


LOSSES = [
    Case(MSE, lambda make: [make(5, 3), make(5, 3)], _mse),
    Case(MSE, lambda make: [make(5, 1), make(5, 1)], _mse, "one-column"),
    Case(MSE, lambda make: [make(5), make(5)], _mse, "vector"),
    Case(MSE, lambda make: [make(3, 2, 5), make(3, 2, 5)], _mse, "batches"),
]
