"""Linear models along a path of penalties, for each fold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from derivable.descent import State
from derivable.ensemble.choice import Tried, losses_of
from derivable.ensemble.folds import ROWS_OF_A_NETWORK, Array, Fold, Table, rows_of
from derivable.ensemble.messages import say
from derivable.ensemble.ridge import LARGE, Ridge, merged
from derivable.extras import needed
from derivable.functions import MSE
from derivable.loss import Loss
from derivable.network import Network
from derivable.objective import Objective, fastest
from derivable.problem import Problem
from derivable.stepper import make_ready

DECADES = (4, -3)  # of the alphas, from 10,000 down to 0.001
FINEST = 2.0  # neighbours whose ratio is larger have an alpha tried half way
RISES = 2  # of the loss on rows held out, one after the other, that end a path
ITERATIONS = 50  # of L-BFGS for each penalty, at most: a choice needs no minimum to rounding
FALL = 1e-5  # the relative fall of the loss in the last iteration for a penalty
SETTLED = 1e-7  # in ten steps of the model that was chosen


def alphas_for(loss: Loss) -> tuple[float, ...]:
    """The penalties to choose from: half decades where all of a path costs one decomposition."""
    first, last = DECADES
    step = 2 if loss.function is MSE else 1
    return tuple(10 ** (k / step) for k in range(step * first, step * last - 1, -1))


@dataclass(frozen=True)
class Lines:
    """The linear models of one alpha, one for each fold, and the losses of all alphas."""

    network: Network  # as each began
    alpha: float
    tried: list[Tried]
    thetas: list[Tensor]  # (P,) each
    held: list[Tensor]  # the outputs for the rows held out of each fold

    @property
    def name(self) -> str:
        """Such as "linear, alpha=10"."""
        return f"linear, alpha={self.alpha:.3g}"

    @property
    def mean(self) -> Network:
        """Their mean, which is near to the linear model of all rows."""
        return self.network.with_theta(torch.stack(self.thetas).mean(0))

    @property
    def reason(self) -> str:
        """Why it is this alpha, where there is nothing else to choose."""
        if len(self.tried) == 1:
            return say("as_given")
        way = "least_penalty" if self.best.left_out is None else "least_left_out"
        return say(way, n=len(self.tried))

    @property
    def best(self) -> Tried:
        """The losses of the alpha that was chosen."""
        return next(one for one in self.tried if one.alpha == self.alpha)


def start_of(lines: Lines, loss: Loss, table: Table, penalty: float) -> Network:
    """Where the descent of the linear model on all rows begins: its minimum, or near to it."""
    if len(table[0]) > ROWS_OF_A_NETWORK or not is_decomposed(loss, table[0]):
        return lines.mean
    return lines.network.with_theta(Ridge(Problem(lines.network, loss, *table)).theta(penalty))


class Settling:
    """A callback that ends the descent of a convex loss where it hardly falls any more."""

    def __init__(self) -> None:
        self._losses: list[float] = []

    def __call__(self, state: State) -> None:
        """Stop where ten steps have not lowered the loss by a tenth of a millionth of it."""
        self._losses.append(state.loss)
        if len(self._losses) > 10 and state.loss >= (1 - SETTLED) * self._losses[-11]:
            state.stop(say("at_minimum"))


def fit_lines(
    line: Network,
    loss: Loss,
    table: Table,
    folds: Sequence[Fold],
    alphas: Sequence[float],
    penalty: Callable[[float], float],
) -> Lines:
    """The linear models of the alpha that predicts best, and the losses of all that were tried.

    `line` is the network that each begins as; the alphas fall; `penalty` is what an alpha adds.
    With the squared error, the alpha is chosen by the rows of the table left out one by one: a fit
    without one row is as good as that on all, and no draw of folds takes part. With other losses it
    is chosen by the rows held out of the folds: by decades, then by quarters of them around the
    best. Of many rows, as many as a network has are drawn to be left out.
    """
    search = _Search(line, loss, folds, penalty)
    some = rows_of(table, torch.ones(len(table[0]), dtype=torch.bool), ROWS_OF_A_NETWORK, 0)
    if len(alphas) > 1 and is_decomposed(loss, some[0]):
        penalties = [penalty(alpha) for alpha in alphas]
        search.walk(alphas, left_out=losses_left_out(line, loss, some, penalties))
    else:
        search.walk(alphas)
        search.refine()
    chosen = search.tried[search.best].alpha
    assert chosen is not None  # a line has one
    return Lines(line, chosen, search.tried, search.thetas, search.held)


class _Search:
    """The linear models of the folds, alpha by alpha, of which the best is kept."""

    def __init__(
        self, line: Network, loss: Loss, folds: Sequence[Fold], penalty: Callable[[float], float]
    ) -> None:
        self._line, self._loss, self._folds, self._penalty = line, loss, folds, penalty
        self.tried: list[Tried] = []
        self.best = -1  # the index in `tried`
        self.thetas: list[Tensor] = []  # of the best, for each fold
        self.held: list[Tensor] = []

    def walk(
        self,
        alphas: Sequence[float],
        starts: Sequence[Tensor] = (),
        left_out: Array | None = None,
    ) -> None:
        """Try the alphas; those after two that are worse are not, where folds choose."""
        tables = [held for _, held in self._folds]
        lines = [self._line.with_theta(theta) for theta in starts] or [self._line] * len(tables)
        penalties = [self._penalty(alpha) for alpha in alphas]
        paths = [
            thetas_of(Problem(line, self._loss, *rows), penalties)
            for line, (rows, _) in zip(lines, self._folds, strict=True)
        ]
        for at, found in enumerate(zip(*paths, strict=True)):  # the next theta of each fold
            pairs = zip(found, tables, strict=True)
            held = [
                self._line.forward_by_hand(x, self._line.unflatten(theta))[0]
                for theta, (x, *_) in pairs
            ]
            one = None if left_out is None else float(left_out[at])
            losses = losses_of(self._loss, held, tables)
            self.tried.append(Tried("linear", alphas[at], losses, left_out=one))
            if self.best < 0 or self.tried[-1].criterion < self.tried[self.best].criterion:
                self.best = len(self.tried) - 1
                self.thetas, self.held = list(found), held
            elif left_out is None and len(self.tried) - 1 - self.best == RISES:
                break

    def refine(self) -> None:
        """Try half way, by the logarithm, to the neighbours of the best, until these are near."""
        while between := self._half_way():
            starts = self.thetas
            for alpha in between:
                self.walk([alpha], starts)

    def _half_way(self) -> list[float]:
        """Half way from the best alpha to its neighbours, those that are not near yet."""
        alphas = sorted(one.alpha or 0.0 for one in self.tried)
        at = alphas.index(self.tried[self.best].alpha or 0.0)
        pairs = pairwise(alphas[max(0, at - 1) : at + 2])
        return [math.sqrt(one * other) for one, other in pairs if other / one > FINEST]


def losses_left_out(line: Network, loss: Loss, table: Table, penalties: Sequence[float]) -> Array:
    """The squared error (A,) of ridge regression on rows left out one by one, per penalty.

    Equal rows are left out together.
    """
    once, inside = merged(table)
    return Ridge(Problem(line, loss, *once)).left_out(penalties) + inside


def is_decomposed(loss: Loss, x: Tensor) -> bool:
    """Whether the minima for all penalties come from one decomposition of the features (N, D)."""
    return loss.function is MSE and min(x.shape) <= LARGE


def thetas_of(problem: Problem, penalties: Sequence[float]) -> Iterator[Tensor]:
    """The parameters (P,) of a linear model at the least loss for each of the penalties."""
    if is_decomposed(Loss.of(problem.loss), problem.x):
        ridge = Ridge(problem)
        return iter([ridge.theta(penalty) for penalty in penalties])
    return _path(problem, penalties)


def _path(problem: Problem, penalties: Sequence[float]) -> Iterator[Tensor]:
    """The same of any loss, by L-BFGS, for each penalty from where the last one ended.

    The loss of a linear model is convex, so that where a path begins does not matter.
    """
    objective = fastest(problem)(problem)
    make_ready(objective.routines(hvp=False))
    theta = problem.theta
    for penalty in penalties:
        with _libraries().limit(limits=1, user_api="blas"):  # as `descent/lbfgs.py`, which says why
            theta = _least(objective, penalty * problem.is_weight, theta)
        yield theta


@cache
def _libraries() -> Any:
    """The loaded libraries whose threads can be limited; found once, which takes milliseconds."""
    with needed("model_auto"):
        import scipy.optimize  # noqa: F401  # loads the BLAS that it calls
        from threadpoolctl import ThreadpoolController
    return ThreadpoolController()


def _least(objective: Objective, decay: Tensor, theta: Tensor) -> Tensor:
    """The parameters (P,) at the least loss with the penalty `decay` (P,) of each parameter."""
    with needed("model_auto"):
        from scipy.optimize import minimize

    def value(point: object) -> tuple[float, object]:
        at = torch.as_tensor(point).to(objective.dtype)
        loss, gradient = objective.data_value_and_gradient(at)
        penalised = loss + torch.dot(decay * at, at) / 2
        return penalised.item(), torch.addcmul(gradient, decay, at).double().numpy()

    options = {"maxiter": ITERATIONS, "ftol": FALL, "gtol": 1e-6}
    start = theta.double().numpy()
    found = minimize(value, start, jac=True, method="L-BFGS-B", options=options)
    return torch.from_numpy(found.x).to(objective.dtype)
