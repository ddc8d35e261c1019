"""The certificate of the flow: exact steps taken beside it, and what their deviation grows to.

In a window, two things are measured at the beginning of a stride of the solver: how far a few exact
steps lead from the flow through their start, and how far the stride leads from a much finer
integration of itself. Divided by the number of steps, they are the rate r at which a step drifts
from the path. Between two windows, n steps apart, a deviation e of the parameters grows at most as

    |e| -> |e| exp(lr mu n) + r n (exp(lr mu n) - 1) / (lr mu n),    mu = max(0, -lambda_min)

because it obeys e' = -H e + r, and -lambda_min(H) is the logarithmic norm of -H (Gronwall's lemma;
Hairer, Norsett and Wanner, "Solving Ordinary Differential Equations I", theorem I.10.2). What
contracts is given no credit. The loss then deviates by at most |g| |e| + lambda_max |e|^2 / 2, and
between the ends of strides by what its interpolation is off in the middle of one, besides.

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
from derivable.descent.path import Certificate, Window
from derivable.descent.sharpness import extreme_curvatures

STEPS = 16  # of a window, at most
PRODUCTS = 8  # with the Hessian, for its extreme eigenvalues
SHORT = 0.1  # lr * lambda_max * steps of a window, so that one Runge-Kutta step follows the flow
APART = 2.0  # a window's place, as a multiple of the last one's
FINER = 30.0  # tolerance of a stride over that of its finer integration


@dataclass(frozen=True)
class Stride:
    """One stride of the solver: states are theta and the loss, shape (P + 1,)."""

    first: float  # t
    last: float
    start: Vector
    end: Vector
    middle: Vector  # by dense output
    method: str
    relative: float  # tolerance


@dataclass
class Witness:
    """The windows so far, and the bounds that follow from them."""

    field: Field
    tolerance: float
    windows: list[Window] = field(default_factory=list)
    deviation: float = 0.0  # of the loss, relative; the largest so far
    evaluations: int = 0  # gradients of exact steps
    _parameters: float = 0.0  # |e|, the deviation of the parameters
    _rate: float = 0.0
    _growth: float = 0.0
    _slope: float = 0.0  # |g|
    _last: float = 0.0  # the end of the last window, in steps

    def wants(self, step: float, steps: int) -> bool:
        """Whether it is time for the next window."""
        last = self.windows[-1].step if self.windows else -math.inf
        return step >= max(APART * last, last + steps / 100)

    def look(self, stride: Stride) -> None:
        """A window at the beginning of this stride; the bounds are then those at its end."""
        lr, objective = self.field.lr, self.field.objective
        theta = torch.from_numpy(stride.start[:-1])
        smallest, largest = extreme_curvatures(objective, theta.to(objective.dtype), PRODUCTS)
        sharpness = lr * largest
        steps = int(min(STEPS, max(1.0, SHORT / max(sharpness, 1e-12))))
        off, moved = self._off(theta, steps)
        missed, between = self._missed(stride)

        end = stride.last / lr
        rate = off / steps + missed / ((stride.last - stride.first) / lr)
        growth, slope = max(0.0, -smallest), self._slope_at(stride.end)
        self._carry(end - self._last, max(rate, self._rate), max(growth, self._growth))
        reach = max(slope, self._slope) * self._parameters + largest * self._parameters**2 / 2
        relative = (reach + between) / max(abs(stride.end[-1]), 1e-300)
        self.deviation = max(self.deviation, relative) if relative == relative else math.inf
        self._rate, self._growth, self._slope, self._last = rate, growth, slope, end
        step = round(stride.first / lr)
        self.windows.append(Window(step, steps, off / max(moved, 1e-300), sharpness))

    def _off(self, start: Tensor, steps: int) -> tuple[float, float]:
        """How far so many exact steps lead from the flow, and how far they lead at all."""
        objective, lr = self.field.objective, self.field.lr
        theta = start.clone()
        for _ in range(steps):
            _, gradient = objective.value_and_gradient(theta.to(objective.dtype))
            theta -= lr * gradient.double()
        self.evaluations += steps
        flow = _runge_kutta(self.field, start.numpy(), steps * lr)
        return float((theta - flow).norm()), float((theta - start).norm())

    def _missed(self, stride: Stride) -> tuple[float, float]:
        """How far a stride ends from a finer one; and how far its loss is off in the middle."""
        from scipy.integrate import solve_ivp

        finer = stride.relative / FINER
        middle = (stride.first + stride.last) / 2
        found = solve_ivp(
            self.field,
            (stride.first, stride.last),
            stride.start,
            stride.method,
            t_eval=[middle, stride.last],
            rtol=max(finer, 1e-12),
            atol=finer * 1e-2,
        )
        if not found.success:
            return math.inf, math.inf
        missed = float(np.linalg.norm((found.y[:, 1] - stride.end)[:-1]))
        return missed, float(abs(found.y[-1, 0] - stride.middle[-1]))

    def _slope_at(self, state: Vector) -> float:
        objective = self.field.objective
        _, gradient = objective.value_and_gradient(torch.from_numpy(state[:-1]).to(objective.dtype))
        return float(gradient.double().norm())

    def _carry(self, gap: float, rate: float, growth: float) -> None:
        """Grow the deviation of the parameters over `gap` steps."""
        power = min(self.field.lr * growth * gap, 700.0)
        mean = math.expm1(power) / power if power > 0 else 1.0
        self._parameters = self._parameters * math.exp(power) + rate * gap * mean

    @property
    def holds(self) -> bool:
        """Whether the deviation is below what was asked."""
        return self.deviation <= self.tolerance

    def certificate(self, note: str = "") -> Certificate:
        """What has been measured."""
        return Certificate(self.deviation, exact=False, windows=tuple(self.windows), note=note)


def _runge_kutta(field: Field, theta: Vector, h: float) -> Tensor:
    """One step of the classical method of order four, which for so small an h is the flow."""
    state = np.append(theta, 0.0)
    k1 = field(0.0, state)
    k2 = field(0.0, state + h / 2 * k1)
    k3 = field(0.0, state + h / 2 * k2)
    k4 = field(0.0, state + h * k3)
    return torch.from_numpy((state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4))[:-1])
