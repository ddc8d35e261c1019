"""Causes that may be on purpose: surrogates, contracts, a constant that keeps a division finite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from derivable.examiner.diagnose.case import Case
from derivable.examiner.diagnose.evidence import Evidence, EvidenceWithFields, Fact, Found
from derivable.examiner.inputs.contracts import Definite, Symmetric, structure
from derivable.examiner.measure.space import joined, real
from derivable.examiner.points import GIVEN_SIZES, Kind, kind

ENTRYWISE = (Kind.EXAMPLE, Kind.OTHER_VALUES, Kind.WIDE, Kind.SIGNED)
TINY = 1e-9  # by which neighbouring slopes of a bump may be out of order


@dataclass(frozen=True)
class ClippedStraightThrough(EvidenceWithFields):
    """Backward passes grad_output on where the argument lies between two numbers."""

    key = "evidence.straight_through_clipped"
    name: str
    low: str
    high: str


@dataclass(frozen=True)
class Spiking(EvidenceWithFields):
    """Backward returns a bump around one number."""

    key = "evidence.spiking"
    name: str
    at: str


@dataclass(frozen=True)
class Declare(EvidenceWithFields):
    """The contract that an argument seems to have."""

    key = "evidence.declare"
    name: str
    contract: str


@dataclass(frozen=True)
class Offset(EvidenceWithFields):
    """A form of the returned gradient is off by a constant."""

    key = "evidence.offset"
    formats: ClassVar = {"offset": ".3g"}
    form: str
    offset: float


def surrogate(case: Case) -> Found:
    """Forward moves in steps, such as rounding, and backward returns something all the same."""
    samples = [s for s in case.all_samples() if kind(s) in GIVEN_SIZES]
    flat = all(bool((s.measured.value[~s.measured.nowhere] == 0).all()) for s in samples)
    outputs = [torch.cat([o.detach().reshape(-1) for o in s.outputs]) for s in samples]
    if len(outputs) < 2 or not flat or any(o.shape != outputs[0].shape for o in outputs):
        return None
    if all(torch.equal(o, outputs[0]) for o in outputs) and not _another_constant(case):
        return None  # a constant
    return (Fact.STEPS, *_kind_of_surrogate(case))


def _another_constant(case: Case) -> bool:
    """Whether forward, constant here, is another constant at inputs of the other sign.

    So it is for a spike at potentials that are all below its threshold.
    """

    def outputs(factor: float) -> Tensor:
        inputs = list(case.evaluations[0].inputs)
        inputs[case.argument] = factor * inputs[case.argument].detach()
        run = case.examined.run(inputs)
        return joined([run.outputs[i] for i in run.differentiable])

    try:
        here, there, nearby = outputs(1.0), outputs(-1.0), outputs(-1.0001)
    except Exception:  # forward may refuse them
        return False
    return torch.equal(there, nearby) and not torch.equal(here, there)


def _kind_of_surrogate(case: Case) -> tuple[Evidence, ...]:
    """What is returned entry by entry: 1, 1 in an interval, or a bump; nothing if none of them."""
    samples = [s for s in case.all_samples() if kind(s) in ENTRYWISE and not s.x.is_complex()]
    diagonal = [s for s in samples if s.returned.shape[0] == s.returned.shape[1]]
    if not samples or len(diagonal) < len(samples):
        return ()
    slopes = [s.returned.diagonal() for s in samples]
    if any(bool((s.returned != torch.diag(d)).any()) for s, d in zip(samples, slopes, strict=True)):
        return ()
    x, order = torch.cat([real(s.x) for s in samples]).sort()
    slope = torch.cat(slopes)[order]
    inside = slope != 0
    if bool((slope == 1).all()):
        return (Fact.STRAIGHT_THROUGH,)
    if not bool(inside.any()) or not bool((slope >= 0).all()):
        return ()
    first, last = int(inside.double().argmax()), len(x) - 1 - int(inside.flip(0).double().argmax())
    if bool((slope[first : last + 1] == 1).all()):
        low, high = f"{float(x[first]):.2g}", f"{float(x[last]):.2g}"
        return (ClippedStraightThrough(case.name, low, high),)
    peak = int(slope.argmax())
    rises, falls = slope[: peak + 1].diff() >= -TINY, slope[peak:].diff() <= TINY
    if bool(rises.all()) and bool(falls.all()):
        return (Spiking(case.name, f"{float(x[peak]):.2g}"),)
    return ()


def contract_to_declare(case: Case) -> tuple[Evidence, ...]:
    """The argument seems to have a contract, because the gradient is wrong only outside of it."""
    sample = case.first
    if kind(sample) not in (Kind.ASYMMETRIC, Kind.LONGER):
        return ()
    name, given = sample.point.fields["argument"], case.evaluations[0].inputs
    position = case.examined.adapter.names(len(given)).index(name)
    contract = structure(given[position])
    if contract is None:
        return ()
    if isinstance(contract, Definite):
        contract = Symmetric()  # which is enough
    return (Declare(name, contract.text),)


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
