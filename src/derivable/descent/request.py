"""What a method is asked for, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from derivable.descent.callbacks import Callbacks
from derivable.descent.error_estimate import EXACT, ErrorEstimate
from derivable.descent.messages import say
from derivable.descent.schedules import Schedule, checked_rate
from derivable.descent.snapshots import Snapshots
from derivable.errors import SettingError
from derivable.objective import OBJECTIVES, Objective, fastest
from derivable.problem import Problem
from derivable.stepper import STEPPERS, ExactStepper, Way


@dataclass(frozen=True)
class Trajectory:
    """What a method found: all losses on its way, and where it is."""

    theta: Tensor  # (P,)
    losses: Tensor  # (steps + 1,), fewer if it was interrupted
    gradient_evaluations: int
    snapshots: Snapshots
    error_estimate: ErrorEstimate = EXACT
    interrupted: bool = False
    converged: bool = False  # before all steps were taken, and no more will be
    memory: dict[str, Tensor] = field(default_factory=dict)  # what a checkpoint keeps besides
    buffers: dict[str, Tensor] = field(default_factory=dict)  # of the network, as they have become


Report = Callable[[int, Trajectory, bool], None]  # (step, what there is, whether it is resumable)


@dataclass(frozen=True)
class DescentRequest:
    """What a method is asked for: so many steps from `theta`, `done` of which lie behind it."""

    problem: Problem
    objective: Way  # how the gradient is computed: "fastest", a name, or a class
    lr: float  # the first one, where there is a schedule
    steps: int
    theta: Tensor  # (P,)
    losses: Tensor  # (done,): the loss before each step so far
    memory: dict[str, Tensor]
    snapshots_before: Snapshots
    callbacks: Callbacks
    report: Report  # to be called between blocks; may raise KeyboardInterrupt, which ends it
    note: str = ""  # of the error estimate, so far
    schedule: Schedule | None = None

    def lr_at(self, step: int) -> float:
        """The learning rate after `step` steps. Raises SettingError where it is no number."""
        if self.schedule is None:
            return self.lr
        return checked_rate(self.schedule, step, self.steps)

    @property
    def done(self) -> int:
        """The number of steps that were taken before."""
        return len(self.losses)

    @property
    def max_loss(self) -> float:
        """A larger loss is not finite, in numbers of the network's dtype."""
        return torch.finfo(self.problem.dtype).max

    def snapshots(self) -> Snapshots:
        """Those so far, or the first one; for a method to go on with."""
        snapshots = self.snapshots_before.copy()
        snapshots.take(self.done, self.theta)
        return snapshots

    def allocate_losses(self) -> Tensor:
        """A tensor for all losses (steps + 1,), in float64, with those before filled in."""
        losses = torch.full((self.steps + 1,), torch.nan, dtype=torch.float64)
        losses[: self.done] = self.losses
        return losses

    def make_objective(self) -> Objective:
        """The objective that was asked for. Raises SettingError where it refuses the problem."""
        return self.objective_class()(self.problem)

    def objective_class(self) -> type[Objective]:
        """Its class; SettingError for a stepper, which has no gradient of its own."""
        way = self.objective
        if way == "fastest":
            return fastest(self.problem)
        if isinstance(way, str) and way in OBJECTIVES:
            return OBJECTIVES[way]
        if isinstance(way, str) or issubclass(way, ExactStepper):
            name = way if isinstance(way, str) else way.name
            names = ["fastest", *OBJECTIVES]
            raise SettingError(say("objective_of_steps", name=name, names=names))
        return way


def check_objective(objective: Way) -> None:
    """Refuse what is no way to compute a gradient or to take steps."""
    if isinstance(objective, type) and issubclass(objective, (Objective, ExactStepper)):
        return
    known = ("fastest", *OBJECTIVES, *(name for name in STEPPERS if name not in OBJECTIVES))
    if objective not in known:
        raise SettingError(say("objective", names=list(known), got=objective))
