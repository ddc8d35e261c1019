"""What a method of descent returns, and what it may ask for on its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path as File

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from derivable.descent.snapshots import Snapshots
from derivable.errors import DataError

Progress = Callable[[int, float], None]  # (steps done, loss there)


@dataclass(frozen=True)
class Window:
    """Exact steps that were taken beside a fast method, from one place on its path."""

    step: int  # where they start
    steps: int  # how many
    deviation: float  # of the parameters at their end, as a part of how far the steps moved
    sharpness: float  # lr times the largest eigenvalue of the Hessian there


@dataclass(frozen=True)
class Certificate:
    """How far a fast method is from exact steps.

    `deviation` is that of every loss, relative: 0 where `exact` says that steps were taken, or
    known to rounding; otherwise it was measured, with a margin (`certificate.py` says how).
    """

    deviation: float
    exact: bool
    windows: tuple[Window, ...] = ()
    note: str = ""

    def __str__(self) -> str:
        words = "exact" if self.exact else f"within {self.deviation:.0e} of exact steps"
        return f"{words}; {self.note}" if self.note else words


EXACT = Certificate(0.0, exact=True)
OF_ITS_OWN = replace(EXACT, note="steps of its own, not of gradient descent")  # an optimiser's


@dataclass(frozen=True)
class Checkpoint:
    """Where a descent was between two blocks of steps; `descend(..., start=checkpoint)` goes on.

    With exact steps, momentum, Nesterov and Adam, that ends with the bits of a run that was never
    stopped.
    """

    theta: Tensor  # (P,), in the dtype of the objective
    losses: Tensor  # (step,): the loss before each step so far
    method: str
    objective: str
    memory: dict[str, Tensor] = field(default_factory=dict)  # what an optimiser carries on
    snapshots: Snapshots | None = None

    @property
    def step(self) -> int:
        """The number of steps that were taken."""
        return len(self.losses)

    def save(self, file: File | str) -> None:
        """Write it as safetensors, whole or not at all."""
        part = File(f"{file}.part")
        tensors = {"theta": self.theta, "losses": self.losses}
        tensors |= {f"memory.{name}": value for name, value in self.memory.items()}
        words = {"method": self.method, "objective": self.objective}
        if self.snapshots:
            tensors |= {"snapshots": self.snapshots.thetas, "snapshots.at": self.snapshots.steps}
            words["snapshots.every"] = str(self.snapshots.every)
        save_file({name: value.contiguous() for name, value in tensors.items()}, part, words)
        part.replace(file)

    @classmethod
    def load(cls, file: File | str) -> Checkpoint:
        """Read what `save` wrote. Raises DataError where the file is no checkpoint."""
        try:
            with safe_open(file, framework="pt") as content:
                tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118 (it is no mapping)
                words = content.metadata() or {}
            theta, losses = tensors.pop("theta"), tensors.pop("losses")
            method, objective = words["method"], words["objective"]
            snapshots = None
            if "snapshots" in tensors:
                at, thetas = tensors.pop("snapshots.at"), tensors.pop("snapshots")
                snapshots = Snapshots(int(words["snapshots.every"]), at.tolist(), list(thetas))
        except Exception as error:  # safetensors has errors of its own for each kind of damage
            raise DataError(f"{file} is no checkpoint of a descent: {error}") from None
        memory = {name.removeprefix("memory."): value for name, value in tensors.items()}
        return cls(theta, losses, method, objective, memory, snapshots)


@dataclass(frozen=True)
class Plan:
    """What a method is asked for: so many steps from `theta`, `done` of which lie behind it."""

    theta: Tensor  # (P,)
    lr: float
    steps: int
    losses: Tensor  # (done,): the loss before each step so far
    tolerance: float
    progress: Progress  # called between blocks
    keep: Callable[[Path], None]  # the same
    memory: dict[str, Tensor]
    taken: Snapshots  # so far

    @property
    def done(self) -> int:
        """The number of steps that were taken before."""
        return len(self.losses)

    def snapshots(self) -> Snapshots:
        """Those so far, or the first one; for a method to go on with."""
        snapshots = self.taken.copy()
        snapshots.take(self.done, self.theta)
        return snapshots

    def room(self) -> Tensor:
        """A tensor for all losses (steps + 1,), in float64, with those before filled in."""
        losses = torch.full((self.steps + 1,), torch.nan, dtype=torch.float64)
        losses[: self.done] = self.losses
        return losses


@dataclass(frozen=True)
class Path:
    """What a method found: all losses it passed, and where it is."""

    theta: Tensor  # (P,)
    losses: Tensor  # (steps + 1,), fewer if it was interrupted
    gradient_evaluations: int
    snapshots: Snapshots
    certificate: Certificate = EXACT
    interrupted: bool = False
    memory: dict[str, Tensor] = field(default_factory=dict)
