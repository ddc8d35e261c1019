"""`Budget`: how many calls of forward and backward an examination may make."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 8.0  # wall-clock time per processor time, on a machine with other load


class BudgetSpent(BaseException):
    """The budget is spent, or the time is over.

    No subclass of Exception, because checks catch exceptions of forward.
    """


class Budget:
    """Calls that may still be made, for an examination and for the check that runs.

    calls    of forward and backward, at most
    seconds  of computing in this thread after which `spend` raises, however few the calls; other
             programs do not count, unless it has waited for PATIENCE times as long
    """

    def __init__(self, calls: float = math.inf, seconds: float = math.inf) -> None:
        self.calls = calls
        self.spent = 0
        self._limit = calls
        self._cpu = time.thread_time() + seconds
        self._clock = time.monotonic() + PATIENCE * seconds

    @property
    def left(self) -> float:
        """The calls that the check that runs may still make."""
        return max(0.0, self._limit - self.spent)

    @property
    def timed_out(self) -> bool:
        """Whether the seconds are over."""
        return time.thread_time() > self._cpu or time.monotonic() > self._clock

    def spend(self, calls: int = 1) -> None:
        """Count calls that are about to be made; raises BudgetSpent if that is too many."""
        if self.spent + calls > self._limit or self.timed_out:
            raise BudgetSpent
        self.spent += calls

    @contextmanager
    def share(self, share: float, least: int) -> Iterator[None]:
        """Inside, at most this share of the calls that are left, or `least`, may be spent."""
        before = self._limit
        allowed = max(share * (before - self.spent), least)
        self._limit = min(before, self.spent + allowed)
        try:
            yield
        finally:
            self._limit = before
