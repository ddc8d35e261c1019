"""The finding for the values of one argument's gradient: its cause, and where it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from derivable.examiner.checks.values import GIVEN, Evaluation, ExaminedTarget, Sample
from derivable.examiner.diagnose.case import Case
from derivable.examiner.diagnose.evidence import EvidenceWithFields
from derivable.examiner.diagnose.hypotheses import GUESSES, Fit, Tier, conclude
from derivable.examiner.diagnose.purpose import contract_to_declare
from derivable.examiner.finding import Finding, Worst
from derivable.examiner.points import (
    GIVEN_SIZES,
    ORDINARY,
    OTHER_RANGES,
    SMALLEST_SIZES,
    Kind,
    kind,
)


@dataclass(frozen=True)
class CountWrong(EvidenceWithFields):
    """How many entries of the Jacobian are wrong."""

    key = "evidence.count_wrong"
    count: int
    all: int


def value_finding(
    examined: ExaminedTarget, argument: int, evaluations: Sequence[Evaluation]
) -> Finding | None:
    """The finding for the values of one argument's gradient, if they are wrong anywhere."""
    samples = [
        s
        for evaluation in evaluations
        for s in evaluation.samples
        if s.argument == argument and s.count
    ]
    if not samples:
        return None
    if examined.low_precision:  # the rounding of the inputs is small beside what is wrong
        samples = [s for s in samples if s.off > GIVEN] or samples
    groups = [
        [s for s in samples if kind(s) in kinds]
        for kinds in (ORDINARY, SMALLEST_SIZES, OTHER_RANGES)
    ]
    case = Case(examined, argument, next(filter(None, groups), samples), list(evaluations))
    fits = conclude(case)
    if case.kinds <= SMALLEST_SIZES:
        fits = _of_lone_sizes(fits)
    elif case.kinds <= ORDINARY and _some_sizes_right(case, fits):
        evidence = fits[0].evidence if fits else ()
        fits = [Fit("sizes", Tier.EXPERIMENT, evidence), *fits]
    fits = fits or conclude(case, GUESSES)
    if not fits and case.kinds <= ORDINARY - GIVEN_SIZES:
        fits = [Fit("sizes", Tier.SHARE, ())]
    return _finding(case, fits or [Fit("unrecognised", Tier.SHARE, ())])


def without_causes(examined: ExaminedTarget, evaluations: Sequence[Evaluation]) -> list[Finding]:
    """One finding without a cause for each wrong gradient, for a diagnosis that failed."""
    found: dict[int, Finding] = {}
    for sample in (sample for evaluation in evaluations for sample in evaluation.wrong):
        if sample.argument not in found:
            case = Case(examined, sample.argument, [sample], [])
            found[sample.argument] = _finding(case, [Fit("unrecognised", Tier.SHARE, ())])
    return list(found.values())


def _of_lone_sizes(fits: Sequence[Fit]) -> list[Fit]:
    """The finding as one about sizes, if only points with a size of 1, or all sizes 2, show it."""
    rest = [fit for fit in fits if fit.cause in ("factor", "missing_sum")]
    return [Fit("sizes", Tier.EXPERIMENT, fits[0].evidence if fits else ()), *rest]


def _some_sizes_right(case: Case, fits: Sequence[Fit]) -> bool:
    """Whether it is right at the given sizes, and wrong at others: not where a cause explains it.

    That nothing is returned is reported of all sizes only.
    """
    if case.kinds & GIVEN_SIZES:
        return False
    if fits and fits[0].cause == "none":
        return True
    if case.kinds & {Kind.UNEQUAL_SIZES, Kind.EQUAL_SIZES}:
        return False
    return any(not s.count for s in case.all_samples() if kind(s) is Kind.SIZES)


def _finding(case: Case, fits: Sequence[Fit]) -> Finding:
    sample, best = case.first, fits[0]
    count = CountWrong(sample.count, int((sample.wrong | sample.sure).sum()))
    return Finding(
        case.examined.adapter.name, best.cause, case.name, sample.point,
        tuple(e.message for e in (*best.evidence, count, *contract_to_declare(case))),
        worst_of(sample),
        tuple(fit.cause for fit in fits[1:3]), inputs=tuple(sample.inputs),
    )  # fmt: skip


def worst_of(sample: Sample) -> Worst:
    """The wrong entry with the largest absolute deviation."""
    off = (sample.returned - sample.measured.value).abs().nan_to_num(torch.inf, torch.inf)
    off = torch.where(sample.wrong, off, -1.0)
    place = int(off.argmax())
    row, column = divmod(place, sample.returned.shape[1])
    entry = column // 2 if sample.x.is_complex() else column
    shape = tuple(sample.x.shape)
    index = torch.unravel_index(torch.tensor(entry), shape) if shape else ()
    return Worst(
        tuple(int(i) for i in index),
        float(sample.returned[row, column]),
        float(sample.measured.value[row, column]),
        float(sample.measured.error[row, column]),
    )
