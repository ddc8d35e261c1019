"""The certificate of the flow: exact steps taken beside it, and what their deviation grows to.

In a window, a few exact steps start from a place on the path, and so does the flow, for the same
time. What lies between their ends, divided by the number of steps, is the rate r at which steps
drift from the flow there. Between two windows, n steps apart, a deviation e of the parameters grows
at most as

    |e| -> |e| exp(lr mu n) + r n (exp(lr mu n) - 1) / (lr mu n),    mu = max(0, -lambda_min)

because it obeys e' = -H e + r, and -lambda_min(H) is the logarithmic norm of -H (Gronwall's lemma;
Hairer, Norsett and Wanner, "Solving Ordinary Differential Equations I", theorem I.10.2). What
contracts is given no credit. The loss then deviates by at most |g| |e| + lambda_max |e|^2 / 2.

r, mu and |g| are taken as the larger of those of the two windows. So it is a bound as far as nothing
happens between two windows that neither of them sees; the tests compare it with exact steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from derivable.descent.field import Field, Vector
from derivable.descent.path import Window
from derivable.descent.sharpness import extreme_curvatures

STEPS = 16  # of a window, at most
PRODUCTS = 8  # with the Hessian, for its extreme eigenvalues
SHORT = 0.1  # lr * lambda_max * steps of a window, so that one Runge-Kutta step follows the flow
APART = 2.0  # a window's place, as a multiple of the last one's
DENSEST = 100  # windows at most


@dataclass
class Witness:
    """The windows so far, and the bounds that follow from them.

    `field` is in float64: what is measured is often smaller than a rounding of float32.
    """

    field: Field
    windows: list[Window] = field(default_factory=list)
    deviation: float = 0.0  # of the loss, relative; the largest so far
    evaluations: int = 0  # gradients
    _parameters: float = 0.0  # |e|, the deviation of the parameters
    _rate: float = 0.0
    _growth: float = 0.0
    _slope: float = 0.0  # |g|

    def wants(self, step: float, steps: int) -> bool:
        """Whether it is time for the next window."""
        if not self.windows:
            return True
        last = self.windows[-1].step
        return step >= max(APART * last, last + steps / DENSEST)

    def look(self, step: float, theta: Tensor) -> None:
        """A window after `step` steps, where the parameters are `theta`, in float64."""
        lr, objective = self.field.lr, self.field.objective
        smallest, largest = extreme_curvatures(objective, theta, PRODUCTS)
        steps = int(min(STEPS, max(1.0, SHORT / max(lr * largest, 1e-12))))
        ahead, slope = theta.clone(), 0.0
        for k in range(steps):
            loss, gradient = objective.value_and_gradient(ahead)
            if k == 0:
                height, slope = abs(loss.item()), float(gradient.norm())
            ahead -= lr * gradient
        off = float((ahead - _runge_kutta(self.field, theta.numpy(), steps * lr)).norm())
        moved = float((ahead - theta).norm())
        self.evaluations += steps + 2 * PRODUCTS + 12

        rate, growth = off / steps, max(0.0, -smallest)
        gap = step - (self.windows[-1].step if self.windows else 0.0)
        self._carry(gap, max(rate, self._rate), max(growth, self._growth))
        reach = max(slope, self._slope) * self._parameters + largest * self._parameters**2 / 2
        self.deviation = max(self.deviation, reach / max(height, 1e-300))
        if not math.isfinite(rate + reach):
            self.deviation = math.inf
        self._rate, self._growth, self._slope = rate, growth, slope
        self.windows.append(Window(round(step), steps, off / max(moved, 1e-300), lr * largest))

    def _carry(self, gap: float, rate: float, growth: float) -> None:
        """Grow the deviation of the parameters over `gap` steps."""
        power = min(self.field.lr * growth * gap, 700.0)
        mean = math.expm1(power) / power if power > 0 else 1.0
        self._parameters = self._parameters * math.exp(power) + rate * gap * mean


def _runge_kutta(field: Field, theta: Vector, h: float) -> Tensor:
    """One step of the classical method of order four, which for so small an h is the flow."""
    state = np.append(theta, 0.0)
    k1 = field(0.0, state)
    k2 = field(0.0, state + h / 2 * k1)
    k3 = field(0.0, state + h / 2 * k2)
    k4 = field(0.0, state + h * k3)
    return torch.from_numpy((state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4))[:-1])
