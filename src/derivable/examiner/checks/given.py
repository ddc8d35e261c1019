"""Checks of the gradients at the given inputs, and at other inputs of the same sizes."""

from __future__ import annotations

from collections.abc import Iterator

from derivable.examiner.checks.check import Check, Results, ResultsSoFar, Setup
from derivable.examiner.checks.evaluate import evaluate
from derivable.examiner.checks.large import directions
from derivable.examiner.checks.returned import EXAMPLE
from derivable.examiner.message import Message


class Values(Check):
    """Compares every entry of the Jacobian at the given inputs and at others of the same sizes."""

    name, share = "values", 0.5

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """One evaluation each."""
        yield evaluate(setup, setup.inputs, EXAMPLE)
        yield evaluate(
            setup, setup.probes.other_values(), Message("point.other_values"), strictly=False
        )


class AlongDirections(Check):
    """Compares along random directions, for inputs too large for the other checks."""

    name, share = "directions", 1.0

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """One comparison per argument and direction."""
        yield Results(directions(setup.examined, setup.inputs))


class Directions(AlongDirections):
    """Compares along random directions if a whole Jacobian is too large or too expensive."""

    share = Check.share

    def applies(self, setup: Setup, so_far: ResultsSoFar) -> bool:
        """Only if the Jacobian at the given inputs was not computed."""
        return so_far.given is not None and not so_far.given.whole
