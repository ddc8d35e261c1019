"""Causes of rounding: a smaller dtype in backward, or cancellation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch

from derivable.examiner.checks.calls import random_grad_output
from derivable.examiner.checks.linearity import representable as smallest_dtype
from derivable.examiner.checks.returned import fit
from derivable.examiner.diagnose.case import Case, once
from derivable.examiner.diagnose.evidence import (
    EvidenceWithFields,
    Found,
)
from derivable.examiner.measure import EPS
from derivable.examiner.measure.space import real, size, unreal
from derivable.examiner.points import Kind, kind


@dataclass(frozen=True)
class Representable(EvidenceWithFields):
    """The wrong entries are exact numbers of a smaller dtype."""

    key = "evidence.representable"
    dtype: str
    count: int


@dataclass(frozen=True)
class Staircase(EvidenceWithFields):
    """The gradient moves in steps; their size relative to it."""

    key = "evidence.staircase"
    formats: ClassVar = {"size": ".1g"}
    size: float


@dataclass(frozen=True)
class Nearly(EvidenceWithFields):
    """The largest relative deviation of a gradient that is nearly right."""

    key = "evidence.nearly"
    formats: ClassVar = {"size": ".2g"}
    size: float


@dataclass(frozen=True)
class Cancellation(EvidenceWithFields):
    """The relative deviations at smaller and smaller arguments."""

    key = "evidence.cancellation"
    shares: str


class Small(NamedTuple):
    """Deviations that are small everywhere: the largest, relative to its entry."""

    exact: Representable | None  # if the wrong entries are numbers of a smaller dtype
    share: float


@once
def small(case: Case) -> Small | None:
    """The deviations, if they are small and irregular at every wrong sample."""
    if case.examined.eps > EPS:
        return None
    exact: Representable | None = None
    shares: list[float] = []
    for sample in case.wrong:
        known = sample.sure & (sample.measured.value != 0)
        if not bool(known.any()):
            return None
        scale = sample.measured.value[known].abs().max()
        gap = (sample.returned - sample.measured.value).abs()
        if bool((sample.wrong & ~known & (gap > 1e-6 * scale)).any()):
            return None
        if not float(gap[sample.sure].max()) < 0.01 * float(scale):
            return None
        dtype = smallest_dtype(sample.returned[sample.wrong])
        if dtype:
            exact = exact or Representable(dtype, int(sample.wrong.sum()))
            continue
        share = (gap / sample.measured.value.abs())[known]
        if float(share.max()) > 0.02 and float(sample.wrong[known].double().mean()) < 0.8:
            return None  # rounding would affect all entries
        shares.append(float(share.max()))
    return Small(exact, max(shares, default=0.0))


def representable(case: Case) -> Found:
    """The wrong entries are exact numbers of a smaller dtype."""
    found = small(case)
    return (found.exact,) if found and found.exact else None


def staircase(case: Case) -> Found:
    """The gradient moves in steps, when the inputs move smoothly."""
    found = small(case)
    step = _staircase(case) if found and not found.exact else 0.0
    return (Staircase(step),) if step else None


def nearly(case: Case) -> Found:
    """Nothing is off by more than a few per cent: a number that was rounded."""
    found = small(case)
    return (Nearly(found.share),) if found and not found.exact and found.share <= 0.02 else None


def cancellation(case: Case) -> Found:
    """The smaller the argument, the fewer digits are right: nearly equal numbers are subtracted."""
    if case.kinds != {Kind.TINY}:
        return None
    found: list[tuple[float, float]] = []  # the argument's size, and by how much it is off there
    for sample in case.all_samples():
        known = sample.sure & (sample.measured.value != 0)
        if kind(sample) is Kind.TINY and bool(known.any()):
            gap = (sample.returned - sample.measured.value)[known]
            share = gap.abs() / sample.measured.value[known].abs()
            found.append((float(sample.x.abs().mean()), float(share.max())))
    shares = [share for _, share in sorted(found, reverse=True)]
    gradual = any(1e-9 < share < 0.1 * shares[-1] for share in shares[:-1])
    if not gradual or shares != sorted(shares):
        return None
    return (Cancellation(", ".join(f"{share:.1g}" for share in shares)),)


def _staircase(case: Case) -> float:
    """The irregularity of the returned gradient along a line of inputs, relative to its size.

    The steps of a smaller dtype are wide: short distances do not show them, and over long ones the
    gradient itself is curved.
    """
    steps = {1e-6: 1e-11, 1e-4: 1e-9, 1e-3: 1e-7}  # and what a smooth course may leave there
    found = [noise for step, bend in steps.items() if (noise := _roughness(case, step)) > bend]
    return max(found, default=0.0)


def _roughness(case: Case, step: float) -> float:
    """What no quartic explains in the gradients at nine points `step` apart, relative to them."""
    sample, examined = case.first, case.examined
    generator = torch.Generator().manual_seed(6)
    x = real(sample.x)
    direction = torch.randn(size(sample.x), generator=generator).double() * x.abs().mean()
    found = []
    vector = random_grad_output(examined.run(sample.inputs))
    for i in range(9):
        inputs = list(sample.inputs)
        moved = x + step * (i - 4) * direction
        inputs[case.argument] = unreal(moved, sample.x)
        run = examined.run(inputs)
        gradient = fit(examined.vjp(run, inputs, vector), case.argument, sample.x)
        if gradient is None:
            return 0.0
        found.append(real(gradient))
    table = torch.stack(found)
    scale = table.abs().max()
    for _ in range(5):
        table = table.diff(dim=0)
    return float(table.square().mean().sqrt() / 252**0.5 / scale) if float(scale) else 0.0
