"""The rows of one fit, as scikit-learn has read them and as a network takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from derivable.ensemble.folds import Array, Table


@dataclass(frozen=True)
class Rows:
    """Features (N, D), targets (N, K) or labels (N,), and how much each row counts, (N,)."""

    features: Array
    targets: Array
    weight: Array | None

    @property
    def count(self) -> float:
        """How many rows they count as: the sum of the weights."""
        return float(len(self.features) if self.weight is None else self.weight.sum())

    @property
    def counts(self) -> Array:
        """How much each row counts, (N,): 1 where there are no weights."""
        return np.ones(len(self.features)) if self.weight is None else self.weight

    def __getitem__(self, chosen: Any) -> Self:
        weight = None if self.weight is None else self.weight[chosen]
        return type(self)(self.features[chosen], self.targets[chosen], weight)


@dataclass(frozen=True)
class Units:
    """Between a table's own units and those of the network, which are standardised or the same."""

    features: StandardScaler | None
    targets: StandardScaler | None

    @classmethod
    def of(cls, rows: Rows, *, features: bool, targets: bool) -> Self:
        """The units of these rows: their weighted mean becomes 0 and their deviation 1."""
        return cls(
            StandardScaler().fit(rows.features, sample_weight=rows.weight) if features else None,
            StandardScaler().fit(rows.targets, sample_weight=rows.weight) if targets else None,
        )

    def inputs(self, features: Array) -> Tensor:
        """The inputs of the network, (N, D)."""
        return torch.tensor(self.features.transform(features) if self.features else features)

    def rows(self, rows: Rows) -> Table:
        """The rows in the units of the network, for `descend`."""
        y = self.targets.transform(rows.targets) if self.targets else rows.targets
        weight = None if rows.weight is None else torch.tensor(rows.weight)
        return self.inputs(rows.features), torch.tensor(y), weight

    def predictions(self, outputs: Tensor) -> Array:
        """The outputs of the network, (N, K), in the targets' own units."""
        values: Array = outputs.numpy()
        return self.targets.inverse_transform(values) if self.targets else values

    def line(self, weights: Array, constants: Array) -> tuple[Array, Array]:
        """Weights (K, D) and constants (K,) in own units, of a Linear layer (D, K), (K,)."""
        if self.features is not None:
            weights = weights / self.features.scale_[:, None]
            constants = constants - self.features.mean_ @ weights
        if self.targets is not None:
            weights = weights * self.targets.scale_
            constants = constants * self.targets.scale_ + self.targets.mean_
        return weights.T, constants
