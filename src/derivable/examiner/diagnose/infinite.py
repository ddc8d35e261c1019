"""Causes in gradients that are nan, infinite, or 0 where a finite derivative was measured."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from derivable.examiner.diagnose.case import Case
from derivable.examiner.diagnose.evidence import EvidenceWithFields, Found
from derivable.examiner.points import OTHER_RANGES, SPECIAL, Kind, kind


@dataclass(frozen=True)
class NotFinite(EvidenceWithFields):
    """How many entries are nan or infinite."""

    key = "evidence.not_finite"
    count: int
    all: int


@dataclass(frozen=True)
class Underflow(EvidenceWithFields):
    """How many entries are 0 where the derivative is not."""

    key = "evidence.underflow"
    count: int


def nothing_finite(case: Case) -> Found:
    """No wrong entry is finite."""
    if any(bool(torch.isfinite(s.returned[s.wrong]).any()) for s in case.wrong):
        return None
    return _not_finite(case)


def at_special_values(case: Case) -> Found:
    """A wrong entry is not finite, and only large, tiny or zero inputs show wrong values."""
    return _not_finite(case) if case.kinds <= OTHER_RANGES | SPECIAL else None


def _not_finite(case: Case) -> Found:
    for sample in case.wrong:
        bad = sample.wrong & ~torch.isfinite(sample.returned)
        lost = sample.wrong & (sample.returned == 0)
        if bool(bad.any()):
            return (NotFinite(int(bad.sum()), bad.numel()),)
        whole = bool(lost.any()) and not bool((sample.wrong & ~lost).any())
        if kind(sample) is Kind.LARGE and whole:
            return (Underflow(int(lost.sum())),)
    return None
