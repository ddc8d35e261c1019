"""`Budget`: how many evaluations of a function may still be made, counted and not timed."""

from __future__ import annotations

import sys

UNLIMITED = sys.maxsize


class BudgetSpent(BaseException):
    """Raised by `Budget.spend` when less is left than is asked for.

    Not an `Exception`: code that calls a user's function catches every `Exception` of it, and must
    not take this for one. `budget` is the budget that is spent, with `spent` and `calls`.
    """

    def __init__(self, budget: Budget) -> None:
        super().__init__(f"{budget.spent} of {budget.calls} evaluations are spent")
        self.budget = budget


class Budget:
    """A number of evaluations, shared by everything that is given the same object.

    One examination has one budget; `share(calls)` gives each of its checks a part, and what a part
    spends is spent of the whole too.

    calls  the number of evaluations that may be made, >= 0; unlimited if left out
    """

    def __init__(self, calls: int = UNLIMITED, whole: Budget | None = None) -> None:
        self.calls = calls
        self.spent = 0
        self._whole = whole

    @property
    def left(self) -> int:
        """How many evaluations may still be made, here and in the whole."""
        own = self.calls - self.spent
        return own if self._whole is None else min(own, self._whole.left)

    def spend(self, calls: int = 1) -> None:
        """Count `calls` evaluations; raises BudgetSpent, counting none, if fewer are left."""
        if calls > self.left:
            raise BudgetSpent(self)
        budget: Budget | None = self
        while budget is not None:
            budget.spent += calls
            budget = budget._whole

    def share(self, calls: int) -> Budget:
        """A budget of at most `calls` evaluations that are spent of this one too."""
        return Budget(calls, self)
