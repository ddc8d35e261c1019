"""A learning rate for a table that nobody has descended on yet."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from derivable.descent.driver import descend_problem
from derivable.descent.gradient_descent import GradientDescent
from derivable.descent.messages import say
from derivable.descent.spectral import triangle
from derivable.errors import DivergedError, SettingError
from derivable.formula import Scale
from derivable.problem import Problem
from derivable.row_losses import scale_of

TRIAL_STEPS = 500
TRIAL_ROWS = 50_000  # of a longer table, evenly spaced; trials on all would cost as much as steps
RISE = 1.001  # a loss may exceed the lowest before it by so much: rounding, and no more
ROUNDING = 1e-10  # of the first loss; one that has fallen so far wanders as numbers are rounded
MARGIN = 2.0  # the largest Hessian eigenvalue grows during a descent
HALVINGS = 30


@dataclass(frozen=True)
class Rate:
    """A learning rate, and the reason for it in one sentence."""

    lr: float
    reason: str


def choose_rate(problem: Problem) -> Rate:
    """A learning rate at which the loss of `problem` falls steadily.

    The Hessian of a linear model's loss has eigenvalues of at most lambda = 2 s^2 / N, where s is
    the largest singular value of the features with a column of ones, and 1 / lambda is half the
    largest learning rate at which that loss cannot rise. So 1 / lambda, 1 / 2 lambda, 1 / 4 lambda,
    ... are tried for a few hundred exact steps; half of the first at which the loss never rises is
    returned. A table of more than 50,000 rows has its trials on so many of them; lambda is that of
    all. Features of more dimensions are taken as one row each.

    Where the rows lie in several processes, each calls it, has its trials on the same rows and
    returns the same.

    Raises SettingError for integers as features, and for a network that changes with every step,
    such as one with Dropout, whose loss does not fall steadily.
    """
    changing = problem.network.changing
    if changing or not problem.x.is_floating_point():
        of_x = say("is_of", dtype=problem.x.dtype)
        why = say("changes", name=changing[0]) if changing else of_x
        raise SettingError(say("no_rate", why=why))
    largest = linear_lambda_max(problem)
    lr, trial = 1 / largest, _thinned(problem)
    for _ in range(HALVINGS):
        if _falls(trial, lr):
            break
        lr /= 2
    lr = _two_digits(lr / MARGIN)
    key = "rate_on_rows" if trial.rows < problem.rows else "rate"
    reason = say(key, lr=lr, steps=TRIAL_STEPS, rows=trial.rows, largest=largest)
    return Rate(lr, reason)


def linear_lambda_max(problem: Problem) -> float:
    """The largest eigenvalue of the Hessian of a linear model's mean squared error on the table."""
    features = triangle(problem, problem.x.new_empty(len(problem.x), 0))
    return 2 * float(torch.linalg.matrix_norm(features, 2).item()) ** 2 / problem.rows


def _thinned(problem: Problem) -> Problem:
    """The problem of `TRIAL_ROWS` of its rows, where it has more and its loss is their mean."""
    scale, rows = scale_of(problem.loss), problem.rows
    if rows <= TRIAL_ROWS or not (isinstance(scale, Scale) and scale.is_mean_over_rows):
        return problem
    chosen = torch.arange(TRIAL_ROWS) * rows // TRIAL_ROWS
    return problem.part(chosen) if problem.shard is None else gathered(problem, chosen)


def gathered(problem: Problem, rows: Tensor) -> Problem:
    """The problem of some rows (M,) of all processes, in ascending order, in each of them."""
    shard = problem.shard
    assert shard is not None
    own = rows[(rows >= shard.rows.start) & (rows < shard.rows.stop)] - shard.rows.start
    mine = problem.part(own)
    columns = {"x": mine.x, "y": mine.y, "weight": mine.weight}
    given = {name: value for name, value in columns.items() if value is not None}
    return mine.with_rows(**shard.group.concatenated(given))


def _falls(problem: Problem, lr: float) -> bool:
    try:
        run = descend_problem(problem, lr=lr, steps=TRIAL_STEPS, method=GradientDescent())
    except DivergedError:
        return False
    if run.interrupted:
        raise KeyboardInterrupt
    noise = ROUNDING * run.losses[0]
    return bool((run.losses <= RISE * run.losses.cummin(0).values + noise).all())


def _two_digits(value: float) -> float:
    """`value` as one writes it down, rounded towards 0."""
    digit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.floor(value / digit) * digit:.2g}")
