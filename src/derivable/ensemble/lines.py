"""Linear models along a path of penalties, for each fold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from derivable.descent import State
from derivable.ensemble.choice import Tried, losses_of
from derivable.ensemble.folds import Fold
from derivable.ensemble.messages import say
from derivable.extras import needed
from derivable.functions import MSE
from derivable.loss import Loss
from derivable.network import Network, flatten
from derivable.objective import Objective, fastest
from derivable.problem import Problem
from derivable.stepper import make_ready

DECADES = (4, -3)  # of the alphas, from 10,000 down to 0.001
RISES = 2  # of the loss on rows held out, one after the other, that end a path
LARGE = 1500  # rows and columns, beyond which no table is decomposed
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
    def best(self) -> Tried:
        """The losses of the alpha that was chosen."""
        return next(one for one in self.tried if one.alpha == self.alpha)


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
    folds: Sequence[Fold],
    alphas: Sequence[float],
    penalty: Callable[[float], float],
) -> Lines:
    """The linear models of the alpha with the least loss on rows held out, and all that were tried.

    `line` is the network that each begins as; the alphas fall; `penalty` is what an alpha adds.
    """
    tables = [held for _, held in folds]
    paths = [
        thetas_of(Problem(line, loss, *rows), [penalty(alpha) for alpha in alphas])
        for rows, _ in folds
    ]
    tried: list[Tried] = []
    best, thetas, outputs = -1, [], []
    for at, found in enumerate(zip(*paths, strict=True)):  # the next theta of each fold
        pairs = zip(found, tables, strict=True)
        held = [line.forward_by_hand(x, line.unflatten(theta))[0] for theta, (x, *_) in pairs]
        tried.append(Tried("linear", alphas[at], losses_of(loss, held, tables)))
        if best < 0 or tried[at].loss < tried[best].loss:
            best, thetas, outputs = at, list(found), held
        elif at - best == RISES:
            break
    return Lines(line, alphas[best], tried, thetas, outputs)


def thetas_of(problem: Problem, penalties: Sequence[float]) -> Iterator[Tensor]:
    """The parameters (P,) of a linear model at the least loss for each of the penalties."""
    if Loss.of(problem.loss).function is MSE and min(problem.x.shape) <= LARGE:
        return _ridge(problem, penalties)
    return _path(problem, penalties)


def _ridge(problem: Problem, penalties: Sequence[float]) -> Iterator[Tensor]:
    """The same of the squared error, from one decomposition of the features."""
    x, y = problem.x.double(), problem.y.double()
    weight = torch.ones(len(x), 1).double() if problem.weight is None else problem.weight[:, None]
    share = weight.double() / weight.sum()  # (N, 1)
    means = (share * x).sum(0), (share * y).sum(0)
    x, y = share.sqrt() * (x - means[0]), share.sqrt() * (y - means[1])
    if len(x) > x.size(1):  # the right singular vectors, and the squares of the singular values
        squares, v = torch.linalg.eigh(x.T @ x)
    else:
        _, values, vh = torch.linalg.svd(x, full_matrices=False)
        squares, v = values**2, vh.T
    squares = squares.clamp(min=0)[:, None]
    slopes = v.T @ (x.T @ y)  # (R, K)
    least = squares.max() * len(squares) * torch.finfo(problem.dtype).eps
    for penalty in penalties:
        known = squares + penalty / 2 > least
        w = v @ torch.where(known, slopes / (squares + penalty / 2), 0.0)
        yield flatten([w, means[1] - means[0] @ w]).to(problem.dtype)


def _path(problem: Problem, penalties: Sequence[float]) -> Iterator[Tensor]:
    """The same of any loss, by L-BFGS, for each penalty from where the last one ended.

    The loss of a linear model is convex, so that where a path begins does not matter.
    """
    with needed("model_auto"):
        from threadpoolctl import threadpool_limits

    objective = fastest(problem)(problem)
    make_ready(objective.routines(hvp=False))
    theta = problem.theta
    for penalty in penalties:
        with threadpool_limits(1, user_api="blas"):  # for the reason that `descent/lbfgs.py` has
            theta = _least(objective, penalty * problem.is_weight, theta)
        yield theta


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
