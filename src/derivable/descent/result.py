"""`Descent`: what a descent found."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from derivable.descent.path import Certificate, Checkpoint
from derivable.descent.snapshots import Snapshots
from derivable.network import Network


@dataclass(frozen=True)
class Descent:
    """What a descent found."""

    network: Network  # a copy of the one that was given, with the last parameters
    losses: Tensor  # (steps + 1,), float64: losses[k] is the training loss after k steps
    lr: float | None
    steps: int  # that were taken; fewer than asked where it was interrupted
    method: str
    objective: str  # the name of the objective that ran
    gradient_evaluations: int
    certificate: Certificate  # how far from exact steps, measured
    seconds: float  # without compile_seconds
    compile_seconds: float  # that compiled loops took to be ready
    interrupted: bool
    snapshots: Snapshots  # parameters at some of the steps, first and last included
    checkpoint: Checkpoint  # from where `descend(..., start=...)` goes on

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        """The last parameters, in the order w1, b1, w2, b2, ..."""
        return tuple(p.detach() for p in self.network.parameters())

    @property
    def train_loss(self) -> float:
        """The training loss after the last step."""
        return self.losses[-1].item()

    def __repr__(self) -> str:
        rate = "" if self.lr is None else f" of lr={self.lr:g}"
        stopped = ", interrupted" if self.interrupted else ""
        return (
            f"Descent(loss {self.losses[0].item():.6g} -> {self.train_loss:.6g} in "
            f"{self.steps:,} steps{rate}, method {self.method}, {self.objective} objective, "
            f"{self.seconds:.2f} s, {self.certificate}{stopped})"
        )
