"""How far exact steps drift away from the flow, measured by exact steps taken beside it.

In a window, a few exact steps start from a point of the trajectory, and so does the flow, for the
same time. The difference of their ends, divided by that time, is the velocity at which exact steps
drift away from the flow there. Between windows it is interpolated. The flow is then integrated a
second time with this drift added to it, with a tolerance ten times as large and shorter strides:
the difference of the two trajectories, over all losses, measures both what steps are not a flow and
what strides are not the flow, each propagated as the loss itself propagates it.

The error estimate is three times that, because both trajectories can be off in the same direction,
and because something can happen between two windows that neither of them shows. It is a measurement
with a margin and no bound: of 1,000 random problems (benchmarks/error_estimate.py) 792 were
accepted, and 2 of those deviated further than was stated, the worst 2.4 times as far. The tests
compare it with exact steps all the way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from derivable.descent.error_estimate import Window
from derivable.descent.field import Field, Vector
from derivable.descent.sharpness import extreme_eigenvalues
from derivable.objective import Objective
from derivable.stepper import Stepper

TINY = 1e-300
STEPS = 4  # of a window, at most
PRODUCTS = 8  # with the Hessian, for its largest eigenvalue
SHORT = 0.1  # lr * lambda_max * steps of a window, so that one Runge-Kutta step follows the flow
APART = 2.0  # the step of a window, as a multiple of the last one's
FALL = 0.5  # or where the loss has changed by so much, in its logarithm
DENSEST = 100  # windows at most


@dataclass
class DriftEstimate:
    """The windows so far, and the drift that was measured in them.

    `exact` takes steps in float64, and `flow` is in float64: what is measured is often smaller than
    a rounding of float32. `objective` may be in float32: it is for the sharpness, of which a digit
    or two are enough.
    """

    flow: Field
    exact: Stepper
    objective: Objective
    windows: list[Window] = field(default_factory=list)
    evaluations: int = 0  # gradients
    _loss: float = 0.0  # at the last window
    _times: list[float] = field(default_factory=list)
    _drifts: list[Vector] = field(default_factory=list)  # (P,) each

    def is_due(self, step: float, steps: int, loss: float) -> bool:
        """Whether it is time for the next window, where the loss is `loss`."""
        if not self.windows:
            return True
        last = self.windows[-1].step
        moved = abs(math.log(max(loss, TINY) / max(self._loss, TINY))) > FALL
        return step >= last + steps / DENSEST and (moved or step >= APART * last)

    def measure(self, step: float, theta: Tensor, loss: float) -> None:
        """A window after `step` steps, where the parameters are `theta`, in float64."""
        self._loss = loss
        lr = self.flow.lr
        _, largest = extreme_eigenvalues(self.objective, theta.to(self.objective.dtype), PRODUCTS)
        steps = int(min(STEPS, max(1.0, SHORT / max(lr * largest, 1e-12))))
        ahead = theta.clone()
        self.exact.take_steps(ahead, lr, torch.empty(steps, dtype=torch.float64))
        off = ahead - _runge_kutta(self.flow, theta.numpy(), steps * lr)
        moved = float((ahead - theta).norm())
        self._times.append(step * lr)
        self._drifts.append(off.numpy() / (steps * lr))
        deviation = float(off.norm()) / max(moved, 1e-300)
        self.windows.append(Window(round(step), steps, deviation, lr * largest))
        self.evaluations += steps + 2 * PRODUCTS + 12

    def velocity(self, t: float) -> Vector:
        """The velocity (P,) at which exact steps leave the flow at the time t = lr * steps."""
        # there are two windows or more: one at the start of an integration, and one at its end
        right = min(max(int(np.searchsorted(self._times, t)), 1), len(self._times) - 1)
        before, after = self._times[right - 1], self._times[right]
        share = min(max((t - before) / (after - before), 0.0), 1.0)
        return (1 - share) * self._drifts[right - 1] + share * self._drifts[right]


def _runge_kutta(flow: Field, theta: Vector, h: float) -> Tensor:
    """One step of the classical method of order four, which for so small an h is the flow."""
    state = np.append(theta, 0.0)
    k1 = flow(0.0, state)
    k2 = flow(0.0, state + h / 2 * k1)
    k3 = flow(0.0, state + h / 2 * k2)
    k4 = flow(0.0, state + h * k3)
    return torch.from_numpy((state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4))[:-1])
