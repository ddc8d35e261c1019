"""`Keeper`: what keeps a comparison while it runs."""

from __future__ import annotations

from derivable.comparison.result import Facts, Trained
from derivable.comparison.steps import Steps
from derivable.descent import Checkpoint, Descent, Rate
from derivable.protocol import Model

Found = Descent | Checkpoint  # a descent that ended, or where one is


class Keeper:
    """What keeps a comparison on its way, so that another goes on where it ended; this one nothing.

    `derivable.run.Run` keeps it in a folder. Descents of several seeds call it from several
    threads, each for a seed of its own.
    """

    def begin(self, facts: Facts) -> None:
        """Before the first model. May refuse a table that is not that of before."""

    def trained(self, model: Model) -> Trained | None:
        """The model, if it was finished before."""
        return None

    def finish(self, result: Trained) -> None:
        """A model is finished."""

    def rate(self, model: Model) -> Rate | None:
        """The learning rate that was chosen before."""
        return None

    def keep_rate(self, model: Model, rate: Rate) -> None:
        """The learning rate that was chosen now."""

    def keep_steps(self, steps: Steps) -> None:
        """The number of steps that was chosen now."""

    def found(self, model: Model, seed: int) -> Found | None:
        """How far the descent from this seed came before."""
        return None

    def keep(self, model: Model, seed: int, found: Found) -> None:
        """How far it came now: between two blocks of steps, and at its end."""
