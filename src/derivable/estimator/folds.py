"""Folds: which rows are held out of which network, and the one network that their mean is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from derivable.descent import LBFGS, EarlyStopping
from derivable.errors import SettingError
from derivable.estimator.rows import Array, Rows, Table
from derivable.functions import Linear
from derivable.layer import Layer
from derivable.network import Network

Fold = tuple[Rows, Rows]  # those that train a network, and those that are held out of it

ROWS_OF_A_FOLD = 10  # different rows at least; the loss on fewer says little about when to stop
UNSPLIT_STEPS = 20  # of L-BFGS, where a table is too small for folds: nothing says when to stop
PATIENCE = 20  # evaluations in which the loss on the rows held out has not fallen
EVALUATIONS = 100  # of that loss at most, for methods with many cheap steps; L-BFGS has one each


def fold_of_rows(features: Array, weight: Array | None, folds: int, seed: int) -> Array:
    """The fold of each row of the features (N, D), (N,); -1 where its weight (N,) is 0.

    Rows with equal features are in one fold: a copy of a row that trains says nothing about other
    rows. So a row of weight 3 is in the fold that three such rows are in, in whatever order they
    come. There are fewer than `folds` where one would have less than 10 different rows.
    """
    if folds == 1:
        return np.zeros(len(features), dtype=int)
    counted, kind = _kinds(features, weight)
    kinds = int(kind.max()) + 1
    folds = max(1, min(folds, kinds // ROWS_OF_A_FOLD))
    drawn = np.random.default_rng(seed).permutation(kinds) % folds
    found = np.full(len(features), -1)
    found[counted] = drawn[kind]
    return found


def held_out(rows: Rows, share: float, seed: int) -> Array:
    """Whether each row (N,) is held out: about a share of those that differ, 10 at least.

    Rows with equal features are together, as in a fold. None is held out of fewer than 20 different
    rows.
    """
    counted, kind = _kinds(rows.features, rows.weight)
    kinds = int(kind.max()) + 1
    chosen = max(ROWS_OF_A_FOLD, round(share * kinds)) if kinds >= 2 * ROWS_OF_A_FOLD else 0
    chosen = min(chosen, kinds - ROWS_OF_A_FOLD) if chosen else 0
    found = np.zeros(len(rows.features), dtype=bool)
    found[counted] = (np.random.default_rng(seed).permutation(kinds) < chosen)[kind]
    return found


def _kinds(features: Array, weight: Array | None) -> tuple[Array, Array]:
    """The rows that count, and for each of them which of the different rows it is."""
    counted = np.arange(len(features)) if weight is None else np.flatnonzero(weight)
    rows = np.ascontiguousarray(features[counted] + 0.0)  # -0.0 and 0.0 are equal
    bytes_of_rows = rows.view(np.dtype((np.void, rows.strides[0]))).ravel()
    _, kind = np.unique(bytes_of_rows, return_inverse=True)
    return counted, kind


def folds_of(rows: Rows, fold: Array) -> list[Fold]:
    """For each fold, the rows of all others and its own; `fold` (N,) as `fold_of_rows` gives it."""
    return [(rows[(fold != k) & (fold >= 0)], rows[fold == k]) for k in range(fold.max() + 1)]


def stopping_on(held: Table, method: str, steps: int) -> EarlyStopping:
    """What ends a descent of so many steps where the loss on these rows is least."""
    x, y, weight = held
    every = 1 if method == LBFGS.name else max(1, steps // EVALUATIONS)
    return EarlyStopping(x, y, weight=weight, every=every, patience=PATIENCE)


def mean_curve(curves: Sequence[Array]) -> Array:
    """The mean of loss curves, each of which ends with its last loss as often as need be."""
    longest = max(map(len, curves))
    mean: Array = np.mean([np.pad(one, (0, longest - len(one)), "edge") for one in curves], axis=0)
    return mean


def mean_of(networks: Sequence[Network]) -> Network:
    """One network whose outputs are the mean of theirs, which are perceptrons of one shape.

    Their hidden units stand side by side, and no weight leads from one's to another's. That is the
    mean where the activation is elementwise.
    """
    if len(networks) == 1:
        return networks[0]
    each = zip(*([p.detach() for p in network.parameters()] for network in networks), strict=True)
    parameters = list(each)  # for each parameter, that of all networks
    weights, biases = parameters[::2], parameters[1::2]
    last = len(weights) - 1
    merged: list[Tensor] = []
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        hidden = torch.cat(w, 1) if i == 0 else torch.block_diag(*w)
        out = torch.cat(w) if i else torch.stack(w).sum(0)
        mean = [out / len(w), torch.stack(b).mean(0)]
        merged += mean if i == last else [hidden, torch.cat(b)]
    linear = iter(Layer(Linear, w=w, b=b) for w, b in zip(merged[::2], merged[1::2], strict=True))
    kinds = [layer.function for layer in networks[0].layers]
    layers = [next(linear) if kind is Linear else Layer(kind) for kind in kinds]
    return Network(layers).eval()


def check_elementwise(networks: Sequence[Network], x: Tensor) -> None:
    """Refuse an activation of several networks that is not elementwise; tried on x (N, D).

    It is tried in evaluation mode, in which they predict: Dropout is elementwise there.
    """
    if len(networks) == 1:
        return
    networks = [network.trained(network.theta) for network in networks]
    outputs = [network.forward_by_hand(x)[0] for network in networks]
    merged, _ = mean_of(networks).forward_by_hand(x)
    if not torch.allclose(merged, torch.stack(outputs).mean(0), rtol=1e-3, atol=1e-5):
        raise SettingError(
            "the networks of several folds become one, for which the activation must be "
            "elementwise, and this one is not; fit a single network with folds=1"
        )
