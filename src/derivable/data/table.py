"""`Table`: numbers with names, and the tables that come with scikit-learn."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Table:
    """A table of numbers in float64: x (N, D) and y (N, K), with the names of their columns."""

    name: str
    x: Tensor
    y: Tensor
    features: tuple[str, ...]
    targets: tuple[str, ...]
    note: str = ""  # what the reader must know, for example that this is not the table asked for

    def digest(self) -> str:
        """SHA-256 of the names and numbers: the same for the same content, whatever the file."""
        content = hashlib.sha256(repr((self.features, self.targets)).encode())
        for numbers in (self.x, self.y):
            content.update(numbers.contiguous().numpy().tobytes())
        return content.hexdigest()


def load_diabetes(note: str = "") -> Table:
    """scikit-learn's bundled diabetes table: 442 patients, 10 features.

    The target, the progression of the disease after a year, is standardised, because the lab's
    learning rates are made for targets of size one.
    """
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes()
    y = torch.as_tensor(bunch.target, dtype=torch.float64).view(-1, 1)
    return Table(
        name="diabetes",
        x=torch.as_tensor(bunch.data, dtype=torch.float64),
        y=(y - y.mean()) / y.std(),
        features=tuple(bunch.feature_names),
        targets=("progression (standardised)",),
        note=note,
    )
