"""`Descent`: what a descent found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from derivable.descent.checkpoint import Checkpoint
from derivable.descent.error_estimate import ErrorEstimate
from derivable.descent.schedules import Schedule
from derivable.descent.snapshots import Snapshots
from derivable.extras import needed
from derivable.network import Network
from derivable.shown import ShownDescent

if TYPE_CHECKING:
    import polars


@dataclass(frozen=True, repr=False)
class Descent(ShownDescent):
    """What a descent found."""

    network: Network  # a copy of the one that was given, with the last parameters
    losses: Tensor  # (steps + 1,), float64: losses[k] is the training loss after k steps
    lr: float | Schedule | None  # None where the method has none
    steps: int  # that were taken; fewer than asked where it was interrupted or stopped
    method: str
    objective: str  # the name of the objective or stepper that ran
    gradient_evaluations: int
    error_estimate: ErrorEstimate  # how far from exact steps, measured
    seconds: float  # without compile_seconds
    compile_seconds: float  # before the first step: to lay out the table, and to compile loops
    interrupted: bool
    stopped: str  # why a callback stopped it; empty where none did
    snapshots: Snapshots  # parameters at some of the steps, first and last included
    checkpoint: Checkpoint  # from where `descend(..., start=...)` goes on
    not_compiled: str = ""  # why "fastest" is no compiled pass; empty where it is

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        """The last parameters, in the order w1, b1, w2, b2, ..."""
        return tuple(p.detach() for p in self.network.parameters())

    @property
    def train_loss(self) -> float:
        """The training loss after the last step."""
        return self.losses[-1].item()

    def to_frame(self) -> polars.DataFrame:
        """The losses as a data frame with the columns step and loss."""
        with needed("to_frame"):
            import polars

        return polars.DataFrame({"step": range(len(self.losses)), "loss": self.losses.numpy()})
