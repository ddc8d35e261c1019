"""Checks at special values: far from the given ones, of other signs, large, tiny and zero."""

from __future__ import annotations

from collections.abc import Iterator

from derivable.examiner.checks.check import Check, Results, ResultsSoFar, Setup
from derivable.examiner.checks.edges import edges
from derivable.examiner.checks.evaluate import evaluate, named
from derivable.examiner.checks.values import GROSS, WIDE
from derivable.examiner.checks.zeros import counted_at_zero
from derivable.examiner.message import Message


class OtherRanges(Check):
    """Compares at values on a wide grid, other signs, and matrices that are not symmetric."""

    name = "values at large"

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """One evaluation each."""
        for inputs, point in setup.probes.wide():
            yield evaluate(setup, inputs, named(setup, point), WIDE)
            if setup.examined.unconverged:
                yield Results(notes=[Message("note.unfinished")])
                break
        for inputs, point in (*setup.probes.signed(), *setup.probes.asymmetric()):
            yield evaluate(setup, inputs, named(setup, point), WIDE)


class SpecialValues(Check):
    """Looks for nan, infinity and gross errors at large, tiny and zero entries."""

    name = "special values"

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """One evaluation each, at the smallest sizes."""
        probes = setup.probes
        probes.crossing = {i for i in probes.positive if setup.applicability.through_zero(i)}
        for inputs, point in probes.at(so_far.small(setup)).extreme():
            yield evaluate(setup, inputs, named(setup, point), GROSS, strictly=False)
        if setup.by_hand and so_far.runs:
            yield Results(counted_at_zero(setup.examined, setup.inputs))


class Edges(Check):
    """Looks for gradients that are not finite where one entry is exactly 0, 1 or -1."""

    name = "edges"

    def applies(self, setup: Setup, so_far: ResultsSoFar) -> bool:
        """Only in float64, and not for a surrogate."""
        return setup.exact and not setup.surrogate

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """One part with all problems and notes."""
        yield Results(*edges(setup.examined, so_far.small(setup)))
