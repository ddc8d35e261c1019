"""`descend`: train a network by plain gradient descent, and its result."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from derivable.descent.steps import Progress, take_steps
from derivable.errors import DataError, SettingError, ShapeError
from derivable.function import Function
from derivable.network import Network
from derivable.objective import OBJECTIVES, fastest
from derivable.shapes import require_tensors

METHODS = ("steps",)


@dataclass(frozen=True)
class Descent:
    """What a descent found."""

    network: Network  # a copy of the one that was given, with the last parameters
    losses: Tensor  # (steps + 1,): losses[k] is the training loss after k steps
    lr: float
    steps: int
    method: str
    objective: str  # the name of the objective that ran
    gradient_evaluations: int
    seconds: float

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        """The last parameters, in the order w1, b1, w2, b2, ..."""
        return tuple(p.detach() for p in self.network.parameters())

    @property
    def train_loss(self) -> float:
        """The training loss after the last step."""
        return self.losses[-1].item()

    def __repr__(self) -> str:
        return (
            f"Descent(loss {self.losses[0].item():.6g} -> {self.train_loss:.6g} in "
            f"{self.steps:,} {self.method} of lr={self.lr:g}, {self.seconds:.2f} s, "
            f"{self.objective} objective)"
        )


def descend(
    network: Network,
    loss: type[Function],
    x: Tensor,
    y: Tensor,
    *,
    lr: float,
    steps: int,
    method: str = "steps",
    objective: str = "fastest",
    progress: Progress = lambda step, loss: None,
) -> Descent:
    """Full-batch gradient descent of `loss(network(x), y)`, from the network's own parameters.

    x (N, D) and y (N, K) are tensors of the network's dtype. `method` is "steps": one exact
    step at a time. `objective` is "by hand" (Functions and Contexts, the plain reference),
    "features-major" (the same numbers several times faster, to rounding) or "fastest" (whichever
    of the two can run it). `progress(step, loss)` is called now and then. A loss of several
    numbers is summed. The network that is given is not changed.

    Raises ShapeError, NotATensorError, DataError (not finite) or SettingError before the first
    step, and DivergedError when the loss stops being finite.
    """
    _check_settings(lr, steps, method, objective)
    _check_table(network, x, y)
    make = fastest if objective == "fastest" else OBJECTIVES[objective]
    with torch.no_grad():
        goal = make(network, loss, x, y)
        start = time.perf_counter()
        theta, losses = take_steps(goal, network.theta, lr=lr, steps=steps, progress=progress)
        seconds = time.perf_counter() - start
    return Descent(
        network=network.with_theta(theta),
        losses=losses,
        lr=lr,
        steps=steps,
        method=method,
        objective=goal.name,
        gradient_evaluations=steps + 1,
        seconds=seconds,
    )


def _check_settings(lr: float, steps: int, method: str, objective: str) -> None:
    if not (math.isfinite(lr) and lr > 0):
        raise SettingError(f"lr must be a positive number, got {lr}")
    if not isinstance(steps, int) or steps < 0:
        raise SettingError(f"steps must be a whole number, 0 or more, got {steps!r}")
    if method not in METHODS:
        raise SettingError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    if objective not in ("fastest", *OBJECTIVES):
        known = ", ".join(["fastest", *OBJECTIVES])
        raise SettingError(f"objective must be one of {known}; got {objective!r}")


def _check_table(network: Network, x: Tensor, y: Tensor) -> None:
    """Refuse, by name, a table that the network cannot be trained on."""
    first, *_, last = network.parameters()  # w of the first layer, b of the last
    require_tensors("descend", x=x, y=y)
    for name, value in (("x", x), ("y", y)):
        if value.dtype != first.dtype:
            raise DataError(
                f"{name} has dtype {value.dtype} and the network {first.dtype}; "
                f"convert one of them, for example {name}.to({first.dtype})"
            )
        if not torch.isfinite(value).all():
            row = int(torch.nonzero(~torch.isfinite(value))[0, 0])
            raise DataError(
                f"{name} is not finite: its first NaN or infinite value is in row {row}; "
                "drop or fill such rows first"
            )
    inputs, outputs = first.size(0), last.size(-1)
    if x.ndim != 2 or x.size(1) != inputs or x.size(0) == 0:
        raise ShapeError(f"x must have shape (N, {inputs}) with N > 0, got {tuple(x.shape)}")
    if tuple(y.shape) != (x.size(0), outputs):
        raise ShapeError(
            f"y must have shape ({x.size(0)}, {outputs}), one row per row of x and one column "
            f"per output, got {tuple(y.shape)}"
        )
