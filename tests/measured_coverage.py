"""How often error bounds hold, for tests/test_measure.py and benchmarks/measure.py."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from derivable.examiner.measure import Budget, numerical_jacobian
from tests.measured_functions import Case

FACTOR = 5  # of errors, by which the examiner's checks compare


@dataclass(frozen=True)
class Coverage:
    """What was found of the entries of many Jacobians.

    settled   entries whose error is small beside the largest derivative, see `Measured.settled`
    outside   of these, entries where a one-sided derivative is further than five errors from
              what is between `low` and `high`
    kinks     entries that are called kinks
    nowhere   entries that are reported to have no derivative
    relative  the median of error / |value| of settled entries
    calls     the median of evaluations of one function
    """

    functions: int
    entries: int
    settled: int
    outside: int
    kinks: int
    nowhere: int
    relative: float
    calls: float


def coverage(cases: Iterable[Case]) -> Coverage:
    """Differentiate each case, and compare with the derivatives to 50 digits."""
    functions = entries = settled = outside = kinks = nowhere = 0
    relative: list[float] = []
    calls: list[int] = []
    for case in cases:
        budget = Budget()
        measured = numerical_jacobian(case.f, case.x, budget=budget)
        functions, entries = functions + 1, entries + measured.value.numel()
        calls.append(budget.spent)
        nowhere += int(measured.nowhere.sum())
        kinks += int((measured.kinks & ~measured.nowhere).sum())
        sure = measured.settled & ~measured.nowhere
        settled += int(sure.sum())
        if not case.exists:
            outside += int(sure.sum())  # there is nothing that could be known
            continue
        slack = FACTOR * measured.error
        low, high = torch.minimum(case.below, case.above), torch.maximum(case.below, case.above)
        inside = (low >= measured.low - slack) & (high <= measured.high + slack)
        outside += int((sure & ~inside).sum())
        shares = (measured.error / measured.value.abs())[sure & (measured.value != 0)]
        relative += shares.tolist()
    middle = statistics.median(relative) if relative else float("nan")
    return Coverage(
        functions, entries, settled, outside, kinks, nowhere, middle, statistics.median(calls)
    )
