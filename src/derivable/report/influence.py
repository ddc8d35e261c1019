"""The influence of each column on a model: permutation importance and partial dependence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from derivable.comparison import Comparison, Facts, Trained
from derivable.comparison.scores import log_losses
from derivable.threads import on_one_thread

MOST_COLUMNS = 40  # that are permuted: of a wide table, those with the largest first weights
REPEATS = 10  # permutations of each column
ROWS = 2_000  # test rows at most, on which a model is evaluated
GRID = 30  # values of a column at which a dependence is drawn
MOST_VALUES = 8  # of a category whose dependence is drawn


@dataclass(frozen=True)
class Importance:
    """The growth of the error when a column is shuffled: mean and spread over draws."""

    column: str
    mean: float
    deviation: float


@dataclass(frozen=True)
class Dependence:
    """The mean prediction over the test rows where a column has one of these values."""

    column: str
    values: tuple[float, ...] | tuple[str, ...]  # (G,): numbers, or the values of a category
    means: Tensor  # (G, K): targets in their units, or probabilities of classes


class Influence:
    """Importance and dependence of the columns, of one trained model on the test rows.

    Importance is the growth of the mean absolute error (of several targets, in standard deviations,
    the mean over them) or of the log loss of classes when a column's cells change places among the
    rows, all features that were made of it together (Breiman, "Random Forests", 2001, section 10).
    Dependence is the mean prediction when all rows have one value there (Friedman, "Greedy function
    approximation", 2001, section 8.2).
    """

    def __init__(self, facts: Facts, result: Trained) -> None:
        self._facts, self._network = facts, result.descent.network
        draw = torch.Generator().manual_seed(0)
        chosen = torch.randperm(facts.test_rows, generator=draw)[:ROWS]
        self._x, self._y = facts.x_test[chosen], facts.y_test[chosen]

    @cached_property
    def importances(self) -> list[Importance]:
        """The importances, the largest first; of a wide table, of `MOST_COLUMNS` columns."""
        with on_one_thread(self._work):
            return self._importances()

    def _importances(self) -> list[Importance]:
        before, draw = self._error(self._x), torch.Generator().manual_seed(0)
        found = []
        for column, places in self._columns():
            grown = []
            for _ in range(REPEATS):
                x = self._x.clone()
                order = torch.randperm(len(x), generator=draw)
                x[:, places] = x[order][:, places]
                grown.append(self._error(x) - before)
            growth = torch.tensor(grown, dtype=torch.float64)
            found.append(Importance(column, growth.mean().item(), growth.std().item()))
        return sorted(found, key=lambda one: -one.mean)

    def dependence(self, column: str) -> Dependence | None:
        """The dependence on a column; None if it is no number and no category of few values."""
        with on_one_thread(self._work):
            return self._dependence(column)

    @property
    def _work(self) -> int:
        """The number of products of one evaluation."""
        return len(self._x) * self._network.theta.numel()

    def _dependence(self, column: str) -> Dependence | None:
        places = self._facts.places[column]
        if len(places) == 1:
            cells = self._facts.x_test[:, places[0]]
            shares = torch.linspace(0.02, 0.98, GRID, dtype=cells.dtype)
            ordered = cells.sort().values
            grid = ordered[(shares * (len(ordered) - 1)).round().long()].unique()
            rows = [self._mean_with(places, value[None]) for value in grid]
            own = grid.double() * self._facts.scaler.std[places[0]]
            own += self._facts.scaler.mean[places[0]]
            return Dependence(column, tuple(own.tolist()), torch.stack(rows))
        names = [self._facts.features[place] for place in places]
        is_category = all(name.startswith(f"{column}=") for name in names)
        if not is_category or len(places) > MOST_VALUES:
            return None
        scaler = self._facts.scaler
        off = -scaler.mean[places] / scaler.std[places]
        rows = []
        for i in range(len(places)):
            cells = off.clone()
            cells[i] = (1 - scaler.mean[places[i]]) / scaler.std[places[i]]
            rows.append(self._mean_with(places, cells.to(self._x.dtype)))
        values = tuple(name.removeprefix(f"{column}=") for name in names)
        return Dependence(column, values, torch.stack(rows))

    def _columns(self) -> list[tuple[str, list[int]]]:
        """The columns that are permuted, each with the places of its features."""
        every = list(self._facts.places.items())
        if len(every) <= MOST_COLUMNS:
            return every
        first = next(iter(self._network.parameters())).detach()  # (D, units)
        sizes = {name: first[places].abs().sum().item() for name, places in every}
        return sorted(every, key=lambda one: -sizes[one[0]])[:MOST_COLUMNS]

    def _mean_with(self, places: Sequence[int], cells: Tensor) -> Tensor:
        x = self._x.clone()
        x[:, places] = cells
        return self._facts.predictions(self._network, x).mean(0)

    def _error(self, x: Tensor) -> float:
        """The mean absolute error, or the log loss."""
        predicted = self._facts.predictions(self._network, x)
        if self._facts.classes:
            return log_losses(self._y, predicted).mean().item()
        off = (predicted - self._y).abs()
        if len(self._facts.targets) > 1:
            off = off / self._facts.scaler.y_std
        return off.mean().item()


def influence_of(comparison: Comparison) -> Influence:
    """The influence of columns on the best model, from its first seed."""
    return Influence(comparison.facts, comparison.best)
