"""Cases of the elementwise Functions."""

from __future__ import annotations

import torch

from derivable.functions import ReLU, Sigmoid, Tanh
from tests.cases.case import Case

ELEMENTWISE = [
    Case(Tanh, lambda make: [make(5, 3)], torch.tanh),
    Case(Tanh, lambda make: [make()], torch.tanh, "0d"),
    Case(Tanh, lambda make: [make(0, 3)], torch.tanh, "empty"),
    Case(ReLU, lambda make: [make.away([0], 5, 3)], torch.relu),
    Case(ReLU, lambda make: [make.away([0])], torch.relu, "0d"),
    Case(ReLU, lambda make: [make(0, 3)], torch.relu, "empty"),
    Case(Sigmoid, lambda make: [make(5, 3)], torch.sigmoid),
    Case(Sigmoid, lambda make: [make()], torch.sigmoid, "0d"),
    Case(Sigmoid, lambda make: [make(0, 3)], torch.sigmoid, "empty"),
]
