"""How many steps each model takes where none is given: 80,000, or what fits a stated time.

Only what costs time is reduced. `spectral` takes any number of steps at once, and a flow few
gradients for many steps where the learning rate is small.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from derivable.descent import Auto, Flow, GradientDescent, Spectral, State
from derivable.descent.driver import descend_problem
from derivable.descent.method import Method
from derivable.descent.rate import linear_lambda_max
from derivable.display.words import Words
from derivable.problem import Problem
from derivable.protocol import LAB_STEPS

BUDGET = 60.0  # seconds for the descents of all models from all seeds together
LEAST = 100  # steps, however long they take
TIMED = 1.0  # seconds after which the steps of one model have been timed
SURELY = 20  # a descent that seems to take this part of the budget need not be timed longer
# A flow takes about so many gradients, and so many for each step times lr * lambda_max.
FLOW_GRADIENTS, FLOW_RATE = 1500, 10.0


@dataclass(frozen=True)
class Steps:
    """A number of steps, and about how many seconds all descents take, where that decided it."""

    count: int
    seconds: float | None = None

    def stated(self, lang: str | None = None) -> str:
        """What was chosen, and the option that decides; empty where nothing was reduced."""
        if self.seconds is None:
            return ""
        words = Words(lang)
        seconds = words.short(self.seconds, 2)
        return words("steps_chosen", steps=words.count(self.count), seconds=seconds)


@dataclass(frozen=True)
class Cost:
    """What the descent of one model takes: the seconds of a step, and which steps cost some."""

    step: float
    lr_lambda_max: float | None = None  # lr * lambda_max, where a flow may replace the steps
    longest: int = LAB_STEPS  # steps after which it ends by itself

    def seconds(self, steps: int) -> float:
        """About how long so many steps take."""
        gradients = float(min(steps, self.longest))
        if self.lr_lambda_max is not None:
            gradients = min(gradients, FLOW_GRADIENTS + FLOW_RATE * self.lr_lambda_max * steps)
        return self.step * gradients


def choose_steps(
    descents: Iterable[tuple[Problem, float]], method: Method, *, seeds: int = 1
) -> Steps:
    """The number of steps for all `descents`, each a problem and its learning rate.

    That is 80,000 where these take at most `BUDGET` seconds, else fewer, by some steps that are
    taken and timed. Raises DivergedError where these diverge, and KeyboardInterrupt.
    """
    costs = [cost_of(problem, method, lr) for problem, lr in descents]
    if _total(costs, seeds, LAB_STEPS) <= BUDGET:
        return Steps(LAB_STEPS)
    low, high = 0, LAB_STEPS  # the first fits, the second does not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _total(costs, seeds, middle) <= BUDGET else (low, middle)
    unit = 10 ** max(len(str(low)) - 2, 0)
    count = max(low // unit * unit, LEAST)
    return Steps(count, _total(costs, seeds, count))


def _total(costs: Sequence[Cost], seeds: int, steps: int) -> float:
    return seeds * sum(cost.seconds(steps) for cost in costs)


def cost_of(problem: Problem, method: Method, lr: float) -> Cost:
    """What `problem` costs by `method`: nothing where it takes no single steps that can be timed.

    Raises DivergedError where the steps diverge, and KeyboardInterrupt.
    """
    if isinstance(method, Auto):
        method = method.cheapest(problem, LAB_STEPS)
    lr_lambda_max = None
    if isinstance(method, Flow):
        lr_lambda_max, method = lr * linear_lambda_max(problem), GradientDescent()
    if isinstance(method, Spectral) or not (method.step_by_step or method.reports_all):
        return Cost(0.0)
    clock = _Clock()
    rate = lr if method.needs_lr else None
    run = descend_problem(problem, steps=LAB_STEPS, lr=rate, method=method, on_block=clock)
    if run.interrupted:
        raise KeyboardInterrupt
    return Cost(clock.step, lr_lambda_max, LAB_STEPS if run.stopped else run.steps)


class _Clock:
    """A callback that times steps, from the first time it is called on, and stops the descent."""

    def __init__(self) -> None:
        self.step = 0.0  # seconds
        self._first: tuple[int, float] | None = None

    def __call__(self, state: State) -> None:
        now = _time(state.problem)
        if self._first is None:
            self._first = state.step, now
            return
        step, begin = self._first
        self.step = (now - begin) / max(state.step - step, 1)
        if now - begin >= TIMED or self.step * LAB_STEPS * SURELY < BUDGET:
            state.stop("timed")


def _time(problem: Problem) -> float:
    """The time in seconds, by one clock for all processes that have the rows of a problem."""
    now = time.perf_counter()
    if problem.shard is None:
        return now
    return float(problem.shard.group.gather(torch.tensor(now, dtype=torch.float64))[0])
