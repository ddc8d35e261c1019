"""Causes that are one number: a sign, a factor, a rounded constant, a zero."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from derivable.examiner.checks.exemptions import shapes
from derivable.examiner.checks.values import Sample
from derivable.examiner.diagnose.case import Case, blocks, once
from derivable.examiner.diagnose.evidence import (
    EvidenceWithFields,
    Fact,
    FactorIs,
    Found,
    OutputsOnly,
    number,
)
from derivable.examiner.inputs.probes import describe

Factors = list[tuple[Sample, float]]  # each wrong sample with its factor


@dataclass(frozen=True)
class Ratio(EvidenceWithFields):
    """Returned / measured is `factor` in all `count` entries that are wrong."""

    key = "evidence.ratio"
    formats: ClassVar = {"factor": ""}
    factor: float
    count: int


@dataclass(frozen=True)
class RatioAtSizes(EvidenceWithFields):
    """The factor at inputs of these shapes."""

    key = "evidence.ratio_sizes"
    factor: str
    shapes: str


@dataclass(frozen=True)
class PerhapsSizes(EvidenceWithFields):
    """Sizes that are the same number as the factor, at the one shape that was evaluated."""

    key = "evidence.or_sizes"
    names: str


@dataclass(frozen=True)
class Identity(EvidenceWithFields):
    """Forward returns this input as it is."""

    key = "evidence.identity"
    name: str


@once
def factors(case: Case) -> Factors | None:
    """The c with which what is returned is c * measured, at every wrong sample; else None."""
    found: Factors = []
    for sample in case.wrong:
        here = set()
        several = len(sample.outputs) > 1
        for block in blocks(sample, case.name):
            if not bool(block.relevant.any()) or (several and not bool(block.wrong.any())):
                continue
            c = block.explained(block.measured)
            if c is None:
                zero = bool((block.returned[block.sure].abs() == 0).all())
                c = 0.0 if zero else None
            if c is None:
                return None
            here.add(round(c, 9))
        if len(here) != 1:
            return None
        found.append((sample, here.pop()))
    return found or None


def _numbers(case: Case) -> list[float]:
    return [c for _, c in factors(case) or []]


def _is_one(numbers: Sequence[float]) -> bool:
    """Whether all samples have the same factor, and it is neither 0 nor -1."""
    if not numbers or all(c == 0 for c in numbers) or all(abs(c + 1) < 1e-6 for c in numbers):
        return False
    return max(numbers) - min(numbers) < 1e-7 * abs(numbers[0])


def _ratio(case: Case) -> Ratio:
    """The factor of the sample that is shown, and in how many entries."""
    first = blocks(case.first)[0]
    return Ratio(_numbers(case)[0], int((first.relevant & first.wrong).sum()))


def zero(case: Case) -> Found:
    """Zero is returned for every output."""
    numbers = _numbers(case)
    if not numbers or any(numbers):
        return None
    return (Fact.ALL_ZERO,) if all(bool(b.wrong.any()) for b in blocks(case.first)) else None


def zero_for_some(case: Case) -> Found:
    """Zero is returned for some of the outputs, and the others are right."""
    numbers = _numbers(case)
    wrong = [bool(b.wrong.any()) for b in blocks(case.first)]
    if not numbers or any(numbers) or all(wrong):
        return None
    names = ", ".join(str(i) for i, bad in enumerate(wrong) if bad)
    return (OutputsOnly(names), Fact.ALL_ZERO)


def sign(case: Case) -> Found:
    """The factor is -1."""
    numbers = _numbers(case)
    if not numbers or not all(abs(c + 1) < 1e-6 for c in numbers):
        return None
    return (_ratio(case), *_reversal(case))


def nearly_one(case: Case) -> Found:
    """The factor is a number close to 1, such as that of a rounded constant."""
    numbers = _numbers(case)
    return (_ratio(case),) if _is_one(numbers) and abs(numbers[0] - 1) < 0.02 else None


def constant(case: Case) -> Found:
    """The factor is one number, far from 1."""
    numbers = _numbers(case)
    if not _is_one(numbers) or abs(numbers[0] - 1) < 0.02:
        return None
    found = factors(case) or []
    alike = [n for n, c in formulas(case, found) if abs(c - 1) < 1e-6]
    known = alike if len({tuple(s.x.shape) for s, _ in found}) == 1 else []
    sizes = (PerhapsSizes(", ".join(known[:3])),) if known else ()
    return (_ratio(case), *sizes, *_reversal(case))


def _reversal(case: Case) -> tuple[Identity, ...]:
    """That forward returns its input, where it does: a reversal layer, perhaps."""
    outputs = case.first.outputs
    same = len(outputs) == 1 and torch.equal(outputs[0], case.first.x)
    return (Identity(case.name),) if same else ()


def of_sizes(case: Case) -> Found:
    """The factor is a formula of the sizes."""
    found = _varying(case)
    names = formulas(case, found) if found else []
    return (FactorIs(names[0][0]), *_at_two_shapes(case, found)) if names else None


def varying(case: Case) -> Found:
    """The factor is another one at other sizes."""
    found = _varying(case)
    return (_ratio(case), *_at_two_shapes(case, found)) if found else None


@once
def _varying(case: Case) -> Factors:
    """The factors, where they depend on the sizes and on nothing else; else none."""
    found, numbers = factors(case) or [], _numbers(case)
    same = bool(numbers) and max(numbers) - min(numbers) < 1e-7 * abs(numbers[0])
    if not found or same or not any(numbers) or all(abs(c + 1) < 1e-6 for c in numbers):
        return []
    for (one, c), (other, d) in itertools.combinations(found, 2):
        if shapes(one.inputs) == shapes(other.inputs) and abs(c - d) > 1e-7 * abs(c):
            return []  # it depends on the values
    return found


def _at_two_shapes(case: Case, found: Factors) -> list[RatioAtSizes]:
    """Two of the factors, with the shapes at which they were found."""
    called = case.examined.adapter.names(len(case.first.inputs))
    distinct = {number(c): describe(s.inputs, called) for s, c in reversed(found)}
    return [RatioAtSizes(c, shapes) for c, shapes in [*reversed(distinct.items())][:2]]


def formulas(case: Case, found: Factors) -> list[tuple[str, float]]:
    """Products of sizes that give the factor at every sample, the simplest first."""
    tables = [_quantities(case, sample) for sample, _ in found]
    names = [n for n in tables[0] if all(n in t for t in tables)]
    named: list[tuple[int, str, float]] = []
    powers = {"{}": 1.0, "1/{}": -1.0, "sqrt({})": 0.5, "1/sqrt({})": -0.5, "{}**2": 2.0,
              "1/{}**2": -2.0}  # fmt: skip
    singles = [((name,), (form,)) for name in names for form in powers]
    pairs = [
        (pair, forms)
        for pair in itertools.combinations(names, 2)
        for forms in itertools.product(("{}", "1/{}"), repeat=2)
    ]
    for chosen, forms in [*singles, *pairs]:
        ratios = []
        for table, (_, c) in zip(tables, found, strict=True):
            product = 1.0
            for name, form in zip(chosen, forms, strict=True):
                product *= float(table[name]) ** powers[form]
            ratios.append(c / product if product else float("inf"))
        spread = max(ratios) - min(ratios)
        if not spread < 1e-6 * abs(ratios[0]):
            continue
        text = _product(chosen, forms)
        plain = abs(abs(ratios[0]) - 1) < 1e-6
        front = "" if abs(ratios[0] - 1) < 1e-6 else f"{number(ratios[0])} * "
        if ratios[0] and abs(ratios[0]) < 1e4:
            named.append((len(chosen) * 2 + (not plain) * 3, front + text, ratios[0]))
    return [(text, ratio) for _, text, ratio in sorted(named, key=lambda f: f[0])]


def _product(names: Sequence[str], forms: Sequence[str]) -> str:
    """`a * b`, `a / b` or `1/(n - 1)`."""
    bare = [f"({n})" if " " in n else n for n in names]
    if len(bare) == 1:
        return forms[0].format(bare[0] if forms[0] != "{}" else names[0])
    above = [n for n, form in zip(bare, forms, strict=True) if form == "{}"]
    below = [n for n, form in zip(bare, forms, strict=True) if form != "{}"]
    if len(below) == 2:
        return f"1 / ({' * '.join(below)})"
    return " / ".join([" * ".join(above), *below])


def _quantities(case: Case, sample: Sample) -> dict[str, int]:
    """The sizes that a factor may be made of, by name."""
    found: dict[str, int] = {}
    names = case.examined.adapter.names(len(sample.inputs))
    outputs = [f"output[{i}]" for i in range(len(sample.outputs))]
    outputs = ["output"] if len(outputs) == 1 else outputs
    for called, value in zip(names, sample.inputs, strict=False):
        if isinstance(value, torch.Tensor):
            for axis, length in enumerate(value.shape):
                found[f"{called}.shape[{axis}]"] = length
            if value.ndim > 1:
                found[f"{called}.numel()"] = value.numel()
    for called, output in zip(outputs, sample.outputs, strict=True):
        for axis, length in enumerate(output.shape):
            found[f"{called}.shape[{axis}]"] = length
    own = {f"{name} - 1": n - 1 for name, n in found.items() if n > 1}
    return {name: n for name, n in {**found, **own}.items() if n > 0}
