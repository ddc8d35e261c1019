"""How far a fast method is from exact steps."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from derivable.descent.messages import say
from derivable.messages import Message


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
        return str(self.stated)

    @property
    def stated(self) -> Message:
        """The estimate as a message, with its note."""
        text = say("exact") if self.exact else say("within", deviation=self.deviation)
        if math.isinf(self.deviation):
            text = say("unmeasured")
        return say("with_note", text=text, note=self.note) if self.note else text

    def after(self, steps: int, deviation: float) -> ErrorEstimate:
        """That of all losses, where the first `steps` deviate by `deviation`: both add up."""
        if deviation == 0:
            return self
        note = self.note
        if math.isinf(deviation):
            first = say("first_interrupted", steps=steps)
            note = say("with_note", text=first, note=note) if note else first
        return replace(self, deviation=deviation + self.deviation, exact=False, note=note)


EXACT = ErrorEstimate(0.0, exact=True)
OF_ITS_OWN = replace(EXACT, note=say("of_its_own"))  # an optimiser's
