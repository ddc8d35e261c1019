"""Values: the gradients at the given inputs, and at others of the same sizes."""

from __future__ import annotations

from collections.abc import Iterator

from derivable.examiner.checks.check import Check, Results, Seen, Setup
from derivable.examiner.checks.evaluate import evaluate
from derivable.examiner.checks.large import directions
from derivable.examiner.checks.returned import EXAMPLE
from derivable.examiner.message import Message


class Values(Check):
    """The whole Jacobian, entry by entry, at the given inputs and at others like them."""

    name, share = "values", 0.5

    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """One evaluation each."""
        yield evaluate(setup, setup.inputs, EXAMPLE)
        yield evaluate(setup, setup.probes.again(), Message("where.again"), strictly=False)


class AlongDirections(Check):
    """Random directions alone, for inputs too large for the other checks."""

    name, share = "directions", 1.0

    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """One comparison per argument and direction."""
        yield Results(directions(setup.examined, setup.inputs))


class Directions(AlongDirections):
    """Random directions, where a whole Jacobian is too large or costs too much."""

    share = Check.share

    def applies(self, setup: Setup, seen: Seen) -> bool:
        """Where the Jacobian at the given inputs was not taken."""
        return seen.given is not None and not seen.given.whole
