"""What a method of descent returns, and what it may ask for on its way."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path as File
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from derivable.descent.snapshots import Snapshots
from derivable.errors import DataError
from derivable.files import load_tensors, save_tensors

if TYPE_CHECKING:
    from derivable.display.words import Words

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
        if math.isinf(self.deviation):
            words = "not measured against exact steps"
        return f"{words}; {self.note}" if self.note else words

    def said(self, words: Words) -> str:
        """The same without the note, in the language of a page."""
        if self.exact:
            return words("exact")
        if math.isinf(self.deviation):
            return words("unmeasured")
        return words("deviates", deviation=words.short(self.deviation))

    def after(self, start: Checkpoint) -> Certificate:
        """That of all losses, where this one is of those since `start`: deviations add up."""
        if start.deviation == 0:
            return self
        note = self.note
        if math.isinf(start.deviation):
            first = f"the first {start.step:,} steps were interrupted before they were measured"
            note = f"{first}; {note}" if note else first
        return replace(self, deviation=start.deviation + self.deviation, exact=False, note=note)


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
    evaluations: int = 0  # of the gradient, so far
    seconds: float = 0.0  # so far
    note: str = ""  # of the certificate, so far
    deviation: float = 0.0  # the same

    @property
    def step(self) -> int:
        """The number of steps that were taken."""
        return len(self.losses)

    @property
    def exact(self) -> bool:
        """Whether what goes on from it ends with the bits of what was never stopped."""
        steps_instead = self.method == "flow" and self.note != ""
        return steps_instead or self.method not in ("spectral", "flow", "lbfgs")

    def save(self, file: File | str) -> None:
        """Write it as safetensors, whole or not at all."""
        save_tensors(file, *self.pack())

    @classmethod
    def load(cls, file: File | str) -> Checkpoint:
        """Read what `save` wrote. Raises DataError where the file is no checkpoint."""
        try:
            return cls.unpack(*load_tensors(file))
        except (DataError, KeyError, ValueError, TypeError) as error:
            raise DataError(f"{file} is no checkpoint of a descent: {error}") from None

    def pack(self) -> tuple[dict[str, Tensor], dict[str, str]]:
        """All of it as tensors and words."""
        tensors = {"theta": self.theta, "losses": self.losses}
        tensors |= {f"memory.{name}": value for name, value in self.memory.items()}
        words = {"method": self.method, "objective": self.objective, "note": self.note}
        words |= {"evaluations": str(self.evaluations), "seconds": repr(self.seconds)}
        words["deviation"] = repr(self.deviation)
        if self.snapshots:
            tensors |= {"snapshots": self.snapshots.thetas, "snapshots.at": self.snapshots.steps}
            words["snapshots.every"] = str(self.snapshots.every)
        return tensors, words

    @classmethod
    def unpack(cls, tensors: dict[str, Tensor], words: dict[str, str]) -> Checkpoint:
        """What `pack` made of it. Raises KeyError, ValueError or TypeError for anything else."""
        snapshots = None
        if "snapshots" in tensors:
            at, thetas = tensors["snapshots.at"], tensors["snapshots"]
            snapshots = Snapshots(int(words["snapshots.every"]), at=at.tolist(), taken=list(thetas))
        return cls(
            theta=tensors["theta"],
            losses=tensors["losses"],
            method=words["method"],
            objective=words["objective"],
            memory={
                name.removeprefix("memory."): value
                for name, value in tensors.items()
                if name.startswith("memory.")
            },
            snapshots=snapshots,
            evaluations=int(words.get("evaluations", 0)),
            seconds=float(words.get("seconds", 0.0)),
            note=words.get("note", ""),
            deviation=float(words.get("deviation", 0.0)),
        )


@dataclass(frozen=True)
class Plan:
    """What a method is asked for: so many steps from `theta`, `done` of which lie behind it."""

    theta: Tensor  # (P,)
    lr: float
    steps: int
    most: float  # a larger loss is not finite, in numbers of the network's type
    losses: Tensor  # (done,): the loss before each step so far
    tolerance: float
    progress: Progress  # called between blocks
    keep: Callable[[Path], None]  # the same
    memory: dict[str, Tensor]
    taken: Snapshots  # so far
    note: str = ""  # of the certificate, so far

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
