"""`Checkpoint`: where a descent was, and all that it needs to go on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from derivable.descent.messages import say
from derivable.descent.snapshots import Snapshots
from derivable.errors import DataError
from derivable.messages import Message
from derivable.tensors import load_tensors, save_tensors


@dataclass(frozen=True)
class Checkpoint:
    """Where a descent was between two blocks of steps; `descend(..., start=checkpoint)` goes on.

    With exact steps, momentum, Nesterov and Adam, that ends with the bits of a run that was never
    stopped.
    """

    theta: Tensor = field(repr=False)  # (P,), in the dtype of the objective
    losses: Tensor = field(repr=False)  # (step,): the loss before each step so far
    method: str
    objective: str
    settings: dict[str, Any] = field(default_factory=dict)  # of the method
    loss: str = ""  # its name with its options; empty where it is not known
    penalty: float | None = None  # that of the problem; None where it is not known
    # what an optimiser carries on
    memory: dict[str, Tensor] = field(default_factory=dict, repr=False)
    # generators, running statistics
    buffers: dict[str, Tensor] = field(default_factory=dict, repr=False)
    # what callbacks carry on
    callbacks: dict[str, Tensor] = field(default_factory=dict, repr=False)
    snapshots: Snapshots | None = field(default=None, repr=False)
    evaluations: int = 0  # of the gradient, so far
    seconds: float = 0.0  # so far
    note: str = ""  # of the error estimate, so far
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

    def save(self, file: Path | str) -> None:
        """Write it as safetensors, whole or not at all."""
        save_tensors(file, *self.pack())

    @classmethod
    def load(cls, file: Path | str) -> Checkpoint:
        """Read what `save` wrote. Raises DataError where the file is no checkpoint."""
        try:
            return cls.unpack(*load_tensors(file))
        except (DataError, KeyError, ValueError, TypeError) as error:
            raise DataError(say("no_checkpoint", file=file, error=error)) from None

    def pack(self) -> tuple[dict[str, Tensor], dict[str, str]]:
        """All of it as tensors and texts."""
        tensors = {"theta": self.theta, "losses": self.losses}
        tensors |= {f"memory.{name}": value for name, value in self.memory.items()}
        tensors |= {f"buffers.{name}": value for name, value in self.buffers.items()}
        tensors |= {f"callbacks.{name}": value for name, value in self.callbacks.items()}
        texts = {"method": self.method, "objective": self.objective, "note": self.note}
        if isinstance(self.note, Message):
            texts |= {"note": self.note.texts.en, "note.fr": self.note.texts.fr}
        texts["loss"] = self.loss
        if self.penalty is not None:
            texts["penalty"] = repr(float(self.penalty))
        texts |= {"settings": json.dumps(self.settings), "evaluations": str(self.evaluations)}
        texts |= {"seconds": repr(self.seconds), "deviation": repr(self.deviation)}
        if self.snapshots:
            tensors |= {"snapshots": self.snapshots.thetas, "snapshots.at": self.snapshots.steps}
            texts["snapshots.every"] = str(self.snapshots.every)
        return tensors, texts

    @classmethod
    def unpack(cls, tensors: dict[str, Tensor], texts: dict[str, str]) -> Checkpoint:
        """What `pack` made of it. Raises KeyError, ValueError or TypeError for anything else."""
        snapshots = None
        if "snapshots" in tensors:
            at, thetas = tensors["snapshots.at"], tensors["snapshots"]
            snapshots = Snapshots(int(texts["snapshots.every"]), at=at.tolist(), taken=list(thetas))
        return cls(
            theta=tensors["theta"],
            losses=tensors["losses"],
            method=texts["method"],
            objective=texts["objective"],
            settings=json.loads(texts["settings"]),
            loss=texts["loss"],
            penalty=float(texts["penalty"]) if "penalty" in texts else None,
            memory=group("memory.", tensors),
            buffers=group("buffers.", tensors),
            callbacks=group("callbacks.", tensors),
            snapshots=snapshots,
            evaluations=int(texts["evaluations"]),
            seconds=float(texts["seconds"]),
            note=Message(texts["note"], texts["note.fr"]) if "note.fr" in texts else texts["note"],
            deviation=float(texts["deviation"]),
        )


def group(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Those whose names begin with `prefix`, without it."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
