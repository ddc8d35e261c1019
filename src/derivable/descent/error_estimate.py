"""How far a fast method is from exact steps."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Window:
    """Exact steps that were taken beside a fast method, from one point of its trajectory."""

    step: int  # where they start
    steps: int  # how many
    deviation: float  # of the parameters at their end, as a part of how far the steps moved
    sharpness: float  # lr times the largest eigenvalue of the Hessian there


@dataclass(frozen=True)
class ErrorEstimate:
    """How far a fast method is from exact steps, and how that was measured.

    `deviation` is that of every loss, relative: 0 where `exact` says that steps were taken, or
    known to rounding; otherwise it was measured in `windows`, with a margin (`drift.py` says how).
    It is an estimate and no bound.
    """

    deviation: float
    exact: bool
    windows: tuple[Window, ...] = ()
    note: str = ""

    def __str__(self) -> str:
        text = "exact" if self.exact else f"within {self.deviation:.0e} of exact steps"
        if math.isinf(self.deviation):
            text = "not measured against exact steps"
        return f"{text}; {self.note}" if self.note else text

    def after(self, steps: int, deviation: float) -> ErrorEstimate:
        """That of all losses, where the first `steps` deviate by `deviation`: both add up."""
        if deviation == 0:
            return self
        note = self.note
        if math.isinf(deviation):
            first = f"the first {steps:,} steps were interrupted before they were measured"
            note = f"{first}; {note}" if note else first
        return replace(self, deviation=deviation + self.deviation, exact=False, note=note)


EXACT = ErrorEstimate(0.0, exact=True)
OF_ITS_OWN = replace(EXACT, note="steps of its own, not of gradient descent")  # an optimiser's
