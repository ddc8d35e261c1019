"""Learning rates that change from step to step, for methods that take every step.

A schedule is any callable `(step, steps) -> lr`: the learning rate of the step that is taken after
`step` of `steps` steps. It depends on nothing else, so that a descent that goes on from a
checkpoint has the same learning rates.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from derivable.descent.checks import check_count, check_positive
from derivable.descent.messages import say
from derivable.errors import SettingError
from derivable.problem import check_not_negative

Schedule = Callable[[int, int], float]


@dataclass(frozen=True)
class Scheduled:
    """A learning rate `lr` that is reached linearly in the first `warm_up` steps."""

    lr: float
    warm_up: int = 0

    def __post_init__(self) -> None:
        check_positive("lr", self.lr)
        check_count("warm_up", self.warm_up)

    def __call__(self, step: int, steps: int) -> float:
        """The learning rate of the step after `step` of `steps` steps."""
        if step < self.warm_up:
            return self.lr * (step + 1) / self.warm_up
        return self.after(step - self.warm_up, steps - self.warm_up)

    def after(self, step: int, steps: int) -> float:
        """The same after the warm-up, from which both numbers count."""
        return self.lr


@dataclass(frozen=True)
class WarmUp(Scheduled):
    """`lr` after `warm_up` steps, and a linear way there: lr (k + 1) / warm_up in step k."""


@dataclass(frozen=True)
class Cosine(Scheduled):
    """Half a cosine from `lr` down to `least` at the last step, after `warm_up` steps.

    least + (lr - least) (1 + cos(pi k / n)) / 2 in step k of n, as in Loshchilov and Hutter,
    "SGDR: stochastic gradient descent with warm restarts", 2017, without restarts, and in
    `torch.optim.lr_scheduler.CosineAnnealingLR`.
    """

    least: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative("least", self.least)

    def after(self, step: int, steps: int) -> float:
        """The learning rate after the warm-up."""
        return self.least + (self.lr - self.least) * (1 + math.cos(math.pi * step / steps)) / 2


@dataclass(frozen=True)
class StepDecay(Scheduled):
    """`lr` times `factor` to the power of how often `every` steps have passed.

    As in `torch.optim.lr_scheduler.StepLR`.
    """

    every: int = 1000
    factor: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count("every", self.every, 1)
        check_positive("factor", self.factor)

    def after(self, step: int, steps: int) -> float:
        """The learning rate after the warm-up."""
        return float(self.lr * self.factor ** (step // self.every))


SCHEDULES: dict[str, type[Any]] = {"cosine": Cosine, "step": StepDecay, "warm-up": WarmUp}


def checked_rate(schedule: Schedule, step: int, steps: int) -> float:
    """The learning rate of a step. Raises SettingError where it is no number, 0 or more."""
    lr: Any = schedule(step, steps)
    with suppress(TypeError, ValueError):
        lr = float(lr)
    if not (isinstance(lr, float) and 0 <= lr < math.inf):
        gaps = {"lr": lr, "step": step, "steps": steps}
        raise SettingError(say("schedule_rate", schedule=schedule, **gaps))
    return lr
