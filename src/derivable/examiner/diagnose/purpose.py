"""Causes that may be meant, and the small constant that keeps a division from failing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from derivable.examiner.diagnose.case import Case
from derivable.examiner.diagnose.evidence import Fact, Found, Told
from derivable.examiner.points import GIVEN_SIZES, kind


@dataclass(frozen=True)
class Offset(Told):
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
    if all(torch.equal(o, outputs[0]) for o in outputs):
        return None  # a constant
    return (Fact.STEPS,)


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
