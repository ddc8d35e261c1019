"""The check of calls: the same call twice, interleaved, with other numbers in the same tensors."""

from __future__ import annotations

from collections.abc import Iterator

from derivable.examiner.checks.calls import check_calls
from derivable.examiner.checks.check import Check, Results, ResultsSoFar, Setup


class Calls(Check):
    """Checks repetition, changes in place, and state shared by calls."""

    name = "calls"

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """One part with all problems of calls."""
        yield Results(check_calls(setup.examined, setup.inputs, setup.probes.other_values()))
