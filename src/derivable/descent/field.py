"""The vector field of the modified gradient flow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from derivable.objective import Objective

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]


class Field:
    """-(g + (lr / 2) H g), and with it how the loss falls, at a state (theta, loss), (P + 1,).

    `drift`, a velocity (P,) at a time, is added to it where there is one.
    """

    def __init__(
        self, objective: Objective, lr: float, drift: Callable[[float], Vector] | None = None
    ) -> None:
        self.objective, self.lr, self.drift, self.evaluations = objective, lr, drift, 0

    def __call__(self, t: float, state: Vector) -> Vector:
        """The velocity of the state at time t."""
        self.evaluations += 1
        theta = torch.from_numpy(state[:-1]).to(self.objective.dtype)
        gradient = self.objective.value_and_gradient(theta)[1].clone()
        bent = self.objective.hvp(theta, gradient)
        slope = gradient.double().numpy()
        velocity = -(slope + 0.5 * self.lr * bent.double().numpy())
        if self.drift:
            velocity += self.drift(t)
        return np.append(velocity, slope @ velocity)
