"""Cases of algebra with broadcasting."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.functions import Linear
from tests.cases.case import Case


def _linear(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return torch.nn.functional.linear(x, w.t(), b.reshape(-1))


ALGEBRA = [
    Case(Linear, lambda make: [make(5, 3), make(3, 2), make(2)], _linear),
    Case(Linear, lambda make: [make(5, 3), make(3, 2), make(1, 2)], _linear, "row-bias"),
    Case(Linear, lambda make: [make(3), make(3, 2), make(2)], _linear, "one-row"),
    Case(Linear, lambda make: [make(2, 5, 3), make(3, 7), make(7)], _linear, "batches"),
    Case(Linear, lambda make: [make(0, 3), make(3, 2), make(2)], _linear, "empty"),
    Case(Linear, lambda make: [make(5, 3), make(3, 1), make(1, 1)], _linear, "one-output"),
]
