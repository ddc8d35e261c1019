"""`Descent`: what a descent found."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from torch import Tensor

from derivable.descent.checkpoint import Checkpoint
from derivable.descent.error_estimate import ErrorEstimate, Window
from derivable.descent.schedules import SCHEDULES, Schedule
from derivable.descent.snapshots import Snapshots
from derivable.extras import needed
from derivable.messages import packed, unpacked
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

    def pack(self) -> tuple[dict[str, Tensor], dict[str, str]]:
        """All of it but the layers of the network, as tensors and texts."""
        whole = replace(self.checkpoint, losses=self.losses, snapshots=self.snapshots)
        tensors, texts = whole.pack()
        estimate = {**asdict(self.error_estimate), "note": packed(self.error_estimate.note)}
        about = {
            "lr": _packed_rate(self.lr),
            "gradient_evaluations": self.gradient_evaluations,
            "error_estimate": estimate,
            "seconds": self.seconds,
            "compile_seconds": self.compile_seconds,
            "stopped": packed(self.stopped),
            "not_compiled": packed(self.not_compiled),
        }
        return tensors, {**texts, "descent": json.dumps(about)}

    @classmethod
    def unpack(cls, tensors: dict[str, Tensor], texts: dict[str, str], network: Network) -> Self:
        """What `pack` made of a descent that was not interrupted; of a network of these layers.

        Raises KeyError, ValueError or TypeError for anything else.
        """
        about = json.loads(texts["descent"])
        estimate, lr = about.pop("error_estimate"), _unpacked_rate(about.pop("lr"))
        windows = tuple(Window(**window) for window in estimate.pop("windows"))
        estimate["note"] = unpacked(estimate["note"])
        about |= {name: unpacked(about[name]) for name in ("stopped", "not_compiled")}
        end = Checkpoint.unpack(tensors, texts)
        assert end.snapshots is not None
        return cls(
            **about,
            lr=lr,
            network=network.trained(end.theta, end.buffers),
            losses=end.losses,
            steps=end.step - 1,
            method=end.method,
            objective=end.objective,
            error_estimate=ErrorEstimate(**estimate, windows=windows),
            interrupted=False,
            snapshots=end.snapshots,
            checkpoint=replace(end, losses=end.losses[:-1]),
        )


def _packed_rate(lr: Any) -> Any:
    """A learning rate as JSON: a number, or one of the library's schedules by its name."""
    if not callable(lr):
        return lr
    kinds = {kind: name for name, kind in SCHEDULES.items()}
    return [kinds[type(lr)], asdict(lr)]


def _unpacked_rate(lr: Any) -> Any:
    """What `_packed_rate` made of it."""
    return SCHEDULES[lr[0]](**lr[1]) if isinstance(lr, list) else lr
