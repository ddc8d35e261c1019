"""Causes in the residual, measured - returned: few numbers, a constant along an axis, low rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch

from derivable.examiner.checks.values import Sample
from derivable.examiner.diagnose.case import Case, blocks, once
from derivable.examiner.diagnose.evidence import (
    EvidenceWithFields,
    Found,
)
from derivable.examiner.diagnose.sums import constant_along
from derivable.examiner.points import ORDINARY, kind


@dataclass(frozen=True)
class Sparse(EvidenceWithFields):
    """One number is missing in some entries."""

    key = "evidence.sparse"
    formats: ClassVar = {"number": ""}
    number: float
    count: int


@dataclass(frozen=True)
class Residual(EvidenceWithFields):
    """How much of the derivative is missing, in per cent."""

    key = "evidence.residual"
    formats: ClassVar = {"size": ".3g"}
    size: float


@dataclass(frozen=True)
class ResidualConstant(EvidenceWithFields):
    """What is missing is the same along an axis."""

    key = "evidence.residual_constant"
    axis: str


@dataclass(frozen=True)
class ResidualRank(EvidenceWithFields):
    """What is missing has a lower rank than the derivative."""

    key = "evidence.residual_rank"
    rank: int
    whole: int


@dataclass(frozen=True)
class AlongAxis(EvidenceWithFields):
    """What is missing is, along an axis, the same (`mean`), a `multiple` of the input, or `both`.

    `size` is how much of the derivative it is, in per cent.
    """

    key = "evidence.along_{kind}"
    formats: ClassVar = {"size": ".3g"}
    kind: str
    axis: str
    name: str
    size: float


class Gap(NamedTuple):
    """What is missing: its share, its rank, and the axes along which it is constant."""

    share: float
    ranks: list[tuple[int, int]]  # of what is missing and of the whole, per sample
    constant: set[str]


@once
def _gap(case: Case) -> Gap | None:
    """What is missing at every wrong sample, if all of it could be measured."""
    sizes, ranks, constant = [], [], None
    for sample in case.wrong:
        measured, returned = sample.measured.value, sample.returned
        if not bool(sample.sure.all()) or min(measured.shape) < 3:
            return None
        gap = measured - returned
        size = float(gap.norm() / measured.norm().clamp_min(1e-300))
        values = torch.linalg.svdvals(gap)
        rank = int((values > 1e-6 * values[0]).sum())
        full = torch.linalg.svdvals(measured)
        whole = int((full > 1e-6 * full[0]).sum())
        ranks.append((rank, whole))
        sizes.append(size)
        here = {
            name
            for block in blocks(sample, case.name)
            for axis, name in list(enumerate(block.names))[block.axes :]
            if block.measured.shape[axis] > 1
            and constant_along(block.measured - block.returned, axis, 1e-7 * float(gap.abs().max()))
        }
        constant = here if constant is None else constant & here
    return Gap(sizes[0], ranks, constant or set())


def residual_constant(case: Case) -> Found:
    """What is missing is the same along an axis."""
    gap = _gap(case)
    if gap is None or not gap.constant or gap.share >= 3:
        return None
    return (Residual(100 * gap.share), ResidualConstant(sorted(gap.constant)[0]))


def residual_rank(case: Case) -> Found:
    """What is missing has at most half of the rank of the derivative."""
    gap = _gap(case)
    if gap is None or gap.share >= 3 or not all(2 * own <= whole for own, whole in gap.ranks):
        return None
    return (Residual(100 * gap.share), ResidualRank(*gap.ranks[0]))


def sparse(case: Case) -> Found:
    """One or two numbers are missing, such as the -1 at each label of a cross entropy."""
    shares = []
    for sample in case.wrong:
        wrong = sample.wrong & sample.sure
        gap = (sample.measured.value - sample.returned)[wrong]
        if len(gap) < 2:
            return None
        slack = 1e-6 * float(gap.abs().max())
        first, last = gap.min(), gap.max()
        if bool((torch.minimum(gap - first, last - gap) > slack).any()):
            return None  # more than two numbers
        values = sample.returned[wrong]
        kinds = len((values / values.abs().max().clamp_min(1e-300) * 1e7).round().unique())
        if (kinds < 4 and len(case.wrong) == 1) or kinds < 2:
            return None  # hardly more kinds of values than of gaps: a factor explains as much
        shares.append((float(gap[gap.abs().argmax()]), len(gap), kinds))
    if not any(kinds >= 4 for _, _, kinds in shares):
        return None
    return (Sparse(*shares[0][:2]),)


def along_axis(case: Case) -> Found:
    """What is missing is, along one axis, made of 1 and the argument: a lost mean or projection."""
    fits: set[tuple[int, str]] = set()
    fails: set[tuple[int, str]] = set()
    for sample in case.wrong:
        if sample.x.is_complex() or not bool(sample.sure.all()):
            return None
        for axis, length in enumerate(sample.x.shape):
            if length < 3:
                continue
            for which, degree in (("mean", 1), ("multiple", 1), ("both", 2)):
                if length <= degree or (which == "both" and length < 4):
                    continue
                (fits if _spanned(sample, axis, which) else fails).add((axis, which))
    if not fits - fails:
        return None
    axis, which = sorted(fits - fails, key=lambda pair: pair[1] == "both")[0]
    gap = (case.first.measured.value - case.first.returned).norm()
    size = float(gap / case.first.measured.value.norm().clamp_min(1e-300))
    return (AlongAxis(which, f"{case.name}.shape[{axis}]", case.name, 100 * size),)


def _spanned(sample: Sample, axis: int, which: str) -> bool:
    """Whether each row of the gap along `axis` is a combination of 1, of x, or of both."""
    rows = len(sample.returned)
    gap = (sample.measured.value - sample.returned).reshape(rows, *sample.x.shape)
    gap = gap.movedim(1 + axis, -1)  # (m, ..., length)
    x = sample.x.detach().double().movedim(axis, -1).expand(gap.shape)
    ones = torch.ones_like(x)
    basis = {"mean": [ones], "multiple": [x], "both": [ones, x]}[which]
    design = torch.stack(basis, dim=-1)  # (m, ..., length, 1 or 2)
    solution = torch.linalg.lstsq(design, gap.unsqueeze(-1)).solution
    rest = gap - (design @ solution).squeeze(-1)
    return bool(rest.abs().max() <= 1e-6 * gap.abs().max())


@once
def _share(case: Case) -> float | None:
    """The share of the derivative that is missing, where most of it is there."""
    sample = case.first
    known = sample.sure
    measured, returned = sample.measured.value[known], sample.returned[known]
    size = float(measured.norm())
    if not size or not float(returned.norm()):
        return None
    missing = float((measured - returned).norm()) / size
    alike = float(measured @ returned) / (size * float(returned.norm()))
    return missing if missing <= 0.75 and alike >= 0.7 else None


def nearly_all(case: Case) -> Found:
    """Less than a twentieth is missing, at ordinary inputs: a number may be rounded."""
    share = _share(case)
    little = share is not None and share < 0.05 and kind(case.first) in ORDINARY
    return (Residual(100 * share),) if share is not None and little else None


def most(case: Case) -> Found:
    """Most of the derivative is there: a part of it is lost or wrong."""
    share = _share(case)
    return (Residual(100 * share),) if share is not None else None
