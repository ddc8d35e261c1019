"""Special values: far beyond the given ones, of signs that these lack, large, tiny and zero."""

from __future__ import annotations

from collections.abc import Iterator

from derivable.examiner.checks.check import Check, Results, Seen, Setup
from derivable.examiner.checks.edges import edges
from derivable.examiner.checks.evaluate import evaluate, named
from derivable.examiner.checks.values import GROSS, WIDE
from derivable.examiner.checks.zeros import counted_at_zero
from derivable.examiner.message import Message


class Beyond(Check):
    """Values on a wide grid, other signs, and matrices without the structure of the given ones."""

    name = "values at large"

    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """One evaluation each."""
        for inputs, where in setup.probes.wide():
            yield evaluate(setup, inputs, named(setup, where), WIDE)
            if setup.examined.unfinished:
                yield Results(notes=[Message("note.unfinished")])
                break
        for inputs, where in (*setup.probes.signed(), *setup.probes.crooked()):
            yield evaluate(setup, inputs, named(setup, where), WIDE)


class SpecialValues(Check):
    """Large, tiny and zero entries: nan, infinity and gross errors."""

    name = "special values"

    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """One evaluation each, at the smallest sizes."""
        probes = setup.probes
        probes.crossing = {i for i in probes.positive if setup.meant.through_zero(i)}
        for inputs, where in probes.at(seen.small(setup)).extreme():
            yield evaluate(setup, inputs, named(setup, where), GROSS, strictly=False)
        if setup.by_hand and seen.runs:
            yield Results(counted_at_zero(setup.examined, setup.inputs))


class Edges(Check):
    """One entry at exactly 0, 1 or -1."""

    name = "edges"

    def applies(self, setup: Setup, seen: Seen) -> bool:
        """In float64, and where backward is meant to be the derivative."""
        return setup.exact and not setup.surrogate

    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """What is not finite, and what is a note."""
        yield Results(*edges(setup.examined, seen.small(setup)))
