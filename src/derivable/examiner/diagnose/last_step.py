"""Causes in the last step: the returned gradient is that of a function of the output.

An example is a norm whose backward is that of the squared norm. Then returned / measured is the
slope of that function at the output, the same for all entries of the argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from derivable.examiner.checks.values import Sample
from derivable.examiner.diagnose import scalars
from derivable.examiner.diagnose.case import Case
from derivable.examiner.diagnose.evidence import EvidenceWithFields, Found, number


@dataclass(frozen=True)
class OfStep(EvidenceWithFields):
    """It is the gradient of this function of the output."""

    key = "evidence.of_step"
    formula: str


class Step(NamedTuple):
    """A function of the output whose slope is output**power / coefficient."""

    text: str
    power: float
    coefficient: float


STEPS = (
    Step("output**2", 1.0, 0.5),
    Step("sqrt(output)", -0.5, 2.0),
    Step("log(output)", -1.0, 1.0),
    Step("output**3", 2.0, 1 / 3),
    Step("1 / output", -2.0, -1.0),
)


class Rows(NamedTuple):
    """Returned / measured, and the output, for each output of a sample: (m,) each."""

    sample: Sample
    ratio: Tensor
    output: Tensor


def last_step(case: Case) -> Found:
    """Returned / measured is the slope of one of the steps, at every output."""
    rows = [_rows(sample) for sample in case.wrong]
    known = [one for one in rows if one is not None]
    if len(known) < len(rows) or sum(len(one.ratio) for one in known) < 2:
        return None
    for step in STEPS:
        factors: scalars.Factors = []
        for sample, ratio, output in known:
            found = ratio / output.abs() ** step.power * output.sign() ** (step.power % 2)
            if float((found - found[0]).abs().max()) > 1e-6 * float(found.abs().max()):
                break
            factors.append((sample, step.coefficient * float(found[0])))
        if len(factors) == len(known) and _repeated(factors):
            front = _coefficient(case, factors)
            return (OfStep(f"{front} * {step.text}" if front else step.text),)
    return None


def _rows(sample: Sample) -> Rows | None:
    """The ratio at each output, if it is the same for all entries; None if it is not."""
    if len(sample.outputs) != 1 or sample.outputs[0].is_complex() or sample.x.is_complex():
        return None
    measured, returned = sample.measured.value, sample.returned
    used = sample.sure & ((measured.abs() > 1e-6 * measured.abs().max()) | (returned != 0))
    if not bool((used.sum(1) > 1).all()) or bool((measured[used] == 0).any()):
        return None
    ratio = torch.where(used, returned / measured, torch.nan)
    middle = ratio.nanmean(1)
    output = sample.outputs[0].detach().double().reshape(-1)
    even = ((ratio - middle[:, None]).abs() <= 1e-6 * middle.abs()[:, None]) | ~used
    if not bool(even.all()) or not bool((middle != 0).all()) or not bool((output != 0).all()):
        return None
    return Rows(sample, middle, output)


def _repeated(factors: scalars.Factors) -> bool:
    """Whether samples of the same sizes, at least two of them, have the same factor.

    One output alone has a ratio that any step could explain.
    """
    first = factors[0][0]
    same = [c for s, c in factors if s.x.shape == first.x.shape]
    enough = len(same) > 1 or first.outputs[0].numel() > 1
    return enough and max(same) - min(same) <= 1e-6 * abs(same[0])


def _coefficient(case: Case, factors: scalars.Factors) -> str:
    """The number before the step; a formula of sizes, if it changes with them."""
    numbers = [c for _, c in factors]
    names = [text for text, c in scalars.formulas(case, factors) if abs(c - 1) < 1e-6]
    if max(numbers) - min(numbers) <= 1e-6 * abs(numbers[0]):
        return "" if abs(numbers[0] - 1) < 1e-6 else number(numbers[0])
    return names[0] if names else number(numbers[0])
