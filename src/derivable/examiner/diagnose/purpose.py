"""Causes that may be meant, and the small constant that keeps a division from failing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from derivable.examiner.diagnose.case import Case
from derivable.examiner.diagnose.evidence import Evidence, Fact, Found, Offset, Told
from derivable.examiner.inputs.contracts import Definite, Symmetric, structure
from derivable.examiner.measure.space import real
from derivable.examiner.points import GIVEN_SIZES, Kind, kind

ENTRYWISE = GIVEN_SIZES | {Kind.WIDE, Kind.SIGNED}
TINY = 1e-9  # by which neighbouring slopes of a bump may be out of order


def surrogate(case: Case) -> Found:
    """Forward moves in steps, such as rounding, and backward returns something all the same."""
    samples = [s for s in case.all_samples() if kind(s) in GIVEN_SIZES]
    flat = all(bool((s.measured.value[~s.measured.nowhere] == 0).all()) for s in samples)
    outputs = [torch.cat([o.detach().reshape(-1) for o in s.outputs]) for s in samples]
    if len(outputs) < 2 or not flat or any(o.shape != outputs[0].shape for o in outputs):
        return None
    if all(torch.equal(o, outputs[0]) for o in outputs):
        return None  # a constant
    return (Fact.STEPS, *_kind_of_surrogate(case))


@dataclass(frozen=True)
class StraightThrough(Told):
    """The gradient is grad_output itself."""

    key = "evidence.straight_through"


@dataclass(frozen=True)
class ClippedStraightThrough(Told):
    """The gradient is grad_output where the argument is in an interval, as far as was seen."""

    key = "evidence.straight_through_clipped"
    formats: ClassVar = {"low": ".2g", "high": ".2g"}
    name: str
    low: float
    high: float


@dataclass(frozen=True)
class SmoothBump(Told):
    """The slope is a smooth function of the argument, largest at `at`."""

    key = "evidence.spiking"
    formats: ClassVar = {"at": ".2g"}
    name: str
    at: float


@dataclass(frozen=True)
class ToDeclare(Told):
    """The contract that an argument seems to have."""

    key = "evidence.declare"
    name: str
    contract: str


def _kind_of_surrogate(case: Case) -> list[Evidence]:
    """What is returned entry by entry: 1, 1 in an interval, or a bump; nothing if none of them."""
    samples = [s for s in case.all_samples() if kind(s) in ENTRYWISE and not s.x.is_complex()]
    if not samples or any(s.returned.shape[0] != s.returned.shape[1] for s in samples):
        return []
    slopes = [s.returned.diagonal() for s in samples]
    if any(bool((s.returned != torch.diag(d)).any()) for s, d in zip(samples, slopes, strict=True)):
        return []
    x, order = torch.cat([real(s.x) for s in samples]).sort()
    slope = torch.cat(slopes)[order]
    if bool((slope == 1).all()):
        return [StraightThrough()]
    inside = (slope != 0).nonzero().flatten()
    if not len(inside) or not bool((slope >= 0).all()):
        return []
    first, last = int(inside[0]), int(inside[-1])
    if bool((slope[first : last + 1] == 1).all()):
        return [ClippedStraightThrough(case.name, float(x[first]), float(x[last]))]
    peak = int(slope.argmax())
    rises, falls = slope[: peak + 1].diff() >= -TINY, slope[peak:].diff() <= TINY
    bump = bool(rises.all()) and bool(falls.all())
    return [SmoothBump(case.name, float(x[peak]))] if bump else []


def to_declare(case: Case) -> list[Evidence]:
    """The contract that an argument seems to have, where a gradient is wrong only beside it."""
    if not case.kinds <= {Kind.CROOKED, Kind.LONGER}:
        return []
    name, given = case.first.where.fields["argument"], case.looks[0].inputs
    contract = structure(given[case.examined.subject.names(len(given)).index(name)])
    if contract is None:
        return []
    if isinstance(contract, Definite):
        contract = Symmetric()  # which is enough
    return [ToDeclare(name, contract.text)]


FORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "1 / returned": lambda t: 1 / t,
    "1 / returned**2": lambda t: 1 / t.square(),
    "returned": lambda t: t,
    "returned**2": lambda t: t.square(),
    "log(returned)": lambda t: t.abs().log(),
}


def offset(case: Case) -> Found:
    """A simple form of what is returned is that of the measured plus one constant."""
    pairs = [
        (s.returned[chosen], s.measured.value[chosen])
        for s in case.wrong
        if bool((chosen := s.sure & (s.measured.value != 0) & (s.returned != 0)).any())
    ]
    if not pairs or any(s.x.is_complex() for s in case.wrong):
        return None
    returned, measured = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    wrong = torch.cat([
        s.wrong[s.sure & (s.measured.value != 0) & (s.returned != 0)] for s in case.wrong
    ])  # fmt: skip
    if int(wrong.sum()) < 2 or not bool((returned * measured > 0).all()):
        return None
    for form, apply in FORMS.items():
        gap = apply(returned) - apply(measured)
        constant = gap[wrong].median()
        # What rounding leaves of the gap where the form itself is large.
        slack = 1e-3 * constant.abs() + 1e-11 * apply(measured).abs()
        if not constant or not bool(((gap - constant).abs() <= slack).all()):
            continue
        if not bool((slack[wrong] < 0.02 * constant.abs()).any()):
            continue
        return (Offset(form, float(constant)),)
    return None
