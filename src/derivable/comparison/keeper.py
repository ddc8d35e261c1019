"""`Keeper`: saves a comparison while it runs."""

from __future__ import annotations

from derivable.comparison.result import Facts, Trained
from derivable.comparison.steps import Steps
from derivable.descent import Checkpoint, Descent, Rate
from derivable.protocol import Model

DescentOrCheckpoint = Descent | Checkpoint  # a descent that has ended, or one under way


class Keeper:
    """Saves a comparison while it runs, so that a later one can continue; this one saves nothing.

    `derivable.run.Run` saves it in a folder. Descents of several seeds call it from several
    threads, each for a seed of its own.
    """

    def begin(self, facts: Facts) -> None:
        """Save the facts, before the first model. May refuse another table than that before."""

    def trained(self, model: Model) -> Trained | None:
        """The result of the model, if it was finished before."""
        return None

    def finish(self, result: Trained) -> None:
        """Save the result of a model that is finished."""

    def rate(self, model: Model) -> Rate | None:
        """The learning rate that was chosen before, if one was."""
        return None

    def keep_rate(self, model: Model, rate: Rate) -> None:
        """Save the learning rate that was chosen."""

    def keep_steps(self, steps: Steps) -> None:
        """Save the number of steps that was chosen."""

    def found(self, model: Model, seed: int) -> DescentOrCheckpoint | None:
        """The descent of the model from this seed as it was saved before, if it was."""
        return None

    def keep(self, model: Model, seed: int, found: DescentOrCheckpoint) -> None:
        """Save the descent: between two blocks of steps, and at its end."""
