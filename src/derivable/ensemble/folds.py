"""Folds: which rows are held out of which network, and where the descents end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from derivable.descent import LBFGS, EarlyStopping, State

Array = np.ndarray[Any, Any]
Table = tuple[Tensor, Tensor, Tensor | None]  # x (N, D), y (N, K) or labels (N,), weight (N,)
Fold = tuple[Table, Table]  # the rows that train a network, and those that are held out of it

ROWS_OF_A_FOLD = 10  # different rows at least; the loss on fewer says little about when to stop
PATIENCE = 20  # evaluations in which the loss on the rows held out has not fallen
ROWS_OF_A_NETWORK = 20_000  # that train it, at most
HELD_ROWS = 5_000  # that say where it ends, at most
FEWEST_NETWORKS = 3
NUMBERS = 2**23  # of the parameters that are kept along one descent
WORK = 20_000_000  # numbers of rows times parameters, of all networks
EVALUATIONS = 100  # of that loss at most, for methods with many cheap steps; L-BFGS has one each


def fold_of_rows(features: Array, weight: Array | None, folds: int, seed: int) -> Array:
    """The fold of each row of the features (N, D), (N,); -1 where its weight (N,) is 0.

    Rows with equal features are in one fold: a copy of a row that trains measures nothing of other
    rows. So a row of weight 3 is in the fold that three such rows are in, in whatever order they
    come. There are fewer than `folds` where one would have less than 10 different rows.
    """
    if folds == 1:
        return np.zeros(len(features), dtype=int)
    counted, kind = kinds_of(features, weight)
    kinds = int(kind.max()) + 1
    folds = max(1, min(folds, kinds // ROWS_OF_A_FOLD))
    drawn = np.random.default_rng(seed).permutation(kinds) % folds
    found = np.full(len(features), -1)
    found[counted] = drawn[kind]
    return found


def held_out(features: Array, weight: Array | None, share: float, seed: int) -> Array:
    """Whether each row (N,) is held out: about a share of those that differ, 10 at least.

    Rows with equal features are together, as in a fold. None is held out of fewer than 20 different
    rows.
    """
    counted, kind = kinds_of(features, weight)
    kinds = int(kind.max()) + 1
    chosen = max(ROWS_OF_A_FOLD, round(share * kinds)) if kinds >= 2 * ROWS_OF_A_FOLD else 0
    chosen = min(chosen, kinds - ROWS_OF_A_FOLD) if chosen else 0
    found = np.zeros(len(features), dtype=bool)
    found[counted] = (np.random.default_rng(seed).permutation(kinds) < chosen)[kind]
    return found


def kinds_of(features: Array, weight: Array | None) -> tuple[Array, Array]:
    """The rows that count, and for each of them which of the different rows it is."""
    counted = np.arange(len(features)) if weight is None else np.flatnonzero(weight)
    rows = np.ascontiguousarray(features[counted] + 0.0)  # -0.0 and 0.0 are equal
    bytes_of_rows = rows.view(np.dtype((np.void, rows.strides[0]))).ravel()
    _, kind = np.unique(bytes_of_rows, return_inverse=True)
    return counted, kind


def folds_of(table: Table, fold: Array, count: int) -> list[Fold]:
    """For each of the first `count` folds, the rows of all others and its own.

    `fold` (N,) is as `fold_of_rows` gives it. Of many rows, a network has 20,000 that are drawn,
    and 5,000 say where it ends.
    """
    number = torch.from_numpy(fold)
    return [
        (
            rows_of(table, (number != k) & (number >= 0), ROWS_OF_A_NETWORK, k),
            rows_of(table, number == k, HELD_ROWS, k),
        )
        for k in range(count)
    ]


def rows_of(table: Table, chosen: Tensor, most: int, seed: int) -> Table:
    """The rows of a table that are chosen (N,), or so many of them that are drawn."""
    x, y, weight = table
    found = chosen.nonzero()[:, 0]
    if len(found) > most:
        drawn = np.random.default_rng(seed).choice(len(found), most, replace=False)
        found = found[torch.from_numpy(np.sort(drawn))]
    return x[found], y[found], None if weight is None else weight[found]


def count_of_networks(fold: Array, parameters: int) -> int:
    """How many of the folds have a network: fewer where it costs much, at least three."""
    folds, rows = int(fold.max()) + 1, min(len(fold), ROWS_OF_A_NETWORK)
    return min(folds, max(FEWEST_NETWORKS, WORK // (rows * parameters)))


class Path(EarlyStopping):
    """The way of one descent: its loss on the rows held out, and its parameters, at each step.

    The descent ends where that loss has not fallen in `PATIENCE` evaluations, and does not go back:
    all networks are taken from their ways after the same number of steps.
    """

    def __init__(self, held: Table, method: str, steps: int) -> None:
        x, y, weight = held
        every = 1 if method == LBFGS.name else max(1, steps // EVALUATIONS)
        super().__init__(x, y, weight=weight, every=every, patience=PATIENCE)
        self.thetas: dict[int, Tensor] = {}  # (P,) each, by the step
        self._spacing = 1  # evaluations from one that is kept to the next

    def __call__(self, state: State) -> None:
        """Evaluate, keep where the descent is, and stop where it is time to."""
        super().__call__(state)
        state.back_to = None
        if state.step not in self.thetas and len(self.steps) % self._spacing == 0:
            self.thetas[state.step] = state.theta.clone()
        if len(self.thetas) > 2 and len(self.thetas) * state.theta.numel() > NUMBERS:
            self._spacing *= 2
            self.thetas = dict(list(self.thetas.items())[1::2])

    def after(self, step: int) -> tuple[int, Tensor]:
        """The last step up to this one whose parameters were kept, and these, (P,)."""
        at = max((one for one in self.thetas if one <= step), default=min(self.thetas))
        return at, self.thetas[at]


def common_step(paths: Sequence[Path]) -> int:
    """The step after which the mean of the losses on the rows held out is least.

    A path that ended earlier counts with its last loss. One step for all networks is chosen by the
    rows of all folds; a step of its own for each would be chosen by a tenth of them, and follows
    their noise.
    """
    paths = [path for path in paths if path.steps]
    longest = max((path.steps for path in paths), key=len, default=[])
    if not longest:
        return 0  # interrupted before the first evaluation
    mean = mean_curve([np.array(path.losses) for path in paths])
    return longest[int(mean.argmin())]


def mean_curve(curves: Sequence[Array]) -> Array:
    """The mean of loss curves, each of which ends with its last loss as often as need be."""
    longest = max(map(len, curves))
    mean: Array = np.mean([np.pad(one, (0, longest - len(one)), "edge") for one in curves], axis=0)
    return mean
