"""The check of calls: the same call twice, interleaved, with other numbers in the same tensors."""

from __future__ import annotations

from collections.abc import Iterator

from derivable.examiner.checks.calls import check_calls
from derivable.examiner.checks.check import Check, Results, Seen, Setup


class Calls(Check):
    """Repetition, changes in place, and state shared by calls."""

    name = "calls"

    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """Some comparisons of one call with another."""
        yield Results(check_calls(setup.examined, setup.inputs, setup.probes.again()))
