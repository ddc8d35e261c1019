"""Causes that are one number: a sign, a factor, a rounded constant, a zero."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch

from derivable.examiner.checks.exemptions import shapes
from derivable.examiner.checks.values import Sample
from derivable.examiner.diagnose.evidence import Case, Fit, blocks, number
from derivable.examiner.finding import Message
from derivable.examiner.inputs.probes import describe


def scalar(case: Case) -> list[Fit]:
    """What is returned is c * measured, with a c that may depend on the sizes."""
    factors: list[tuple[Sample, float]] = []
    for sample in case.wrong:
        found = set()
        several = len(sample.outputs) > 1
        for block in blocks(sample, case.name):
            if not bool(block.relevant.any()) or (several and not bool(block.wrong.any())):
                continue
            c = block.explained(block.measured)
            if c is None:
                zero = bool((block.returned[block.sure].abs() == 0).all())
                c = 0.0 if zero else None
            if c is None:
                return []
            found.add(round(c, 9))
        if len(found) != 1:
            return []
        factors.append((sample, found.pop()))
    return _named(case, factors) if factors else []


def _named(case: Case, factors: list[tuple[Sample, float]]) -> list[Fit]:
    """Name the factors, from the sizes of the samples."""
    numbers = [c for _, c in factors]
    first = blocks(case.first)[0]
    entries = int((first.relevant & first.wrong).sum())
    said = Message(
        "evidence.ratio", {"factor": number(numbers[0]), "count": entries, "all": entries}
    )
    if all(c == 0 for c in numbers):
        all_blocks = blocks(case.first)
        parts = [i for i, b in enumerate(all_blocks) if bool(b.wrong.any())]
        if len(parts) < len(all_blocks):
            wrong = ", ".join(str(i) for i in parts)
            lost = (Message("evidence.outputs", {"names": wrong}), Message("evidence.all_zero"))
            return [Fit("part_only", 1, lost), Fit("missing_term", 1.5, lost)]
        return [Fit("none", 1, (Message("evidence.all_zero"),))]
    if entries == 1:
        said = Message("evidence.ratio_one", {"factor": number(numbers[0])})
    outputs = case.first.outputs
    more: tuple[Message, ...] = ()
    if len(outputs) == 1 and torch.equal(outputs[0], case.first.x):  # such as a reversal layer
        more = (Message("evidence.identity", {"name": case.name}),)
    if all(abs(c + 1) < 1e-6 for c in numbers):
        return [Fit("sign", 1, (said, *more))]
    if max(numbers) - min(numbers) < 1e-7 * abs(numbers[0]):
        if abs(numbers[0] - 1) < 0.02:
            return [Fit("constant", 1.5, (said,)), Fit("factor", 2.5, (said,))]
        alike = [n for n, c in formulas(case, factors) if abs(c - 1) < 1e-6]
        known = alike if len({tuple(s.x.shape) for s, _ in factors}) == 1 else []
        if known:
            more = (Message("evidence.or_sizes", {"names": ", ".join(known[:3])}), *more)
        return [Fit("factor", 1, (said, *more))]
    for (one, c), (other, d) in itertools.combinations(factors, 2):
        if shapes(one.inputs) == shapes(other.inputs) and abs(c - d) > 1e-7 * abs(c):
            return []  # it depends on the values
    names = formulas(case, factors)
    called = case.examined.subject.names(len(case.first.inputs))
    distinct = {number(c): describe(s.inputs, called) for s, c in reversed(factors)}
    spoken = [
        Message("evidence.ratio_sizes", {"factor": factor, "shapes": where})
        for factor, where in [*reversed(distinct.items())][:2]
    ]
    if names:
        name = Message("evidence.factor_is", {"formula": names[0][0]})
        return [Fit("factor", 1, (name, *spoken))]
    return [Fit("factor", 2, (said, *spoken))]


def formulas(case: Case, factors: Sequence[tuple[Sample, float]]) -> list[tuple[str, float]]:
    """Products of sizes that give the factor at every sample, the simplest first."""
    tables = [_quantities(case, sample) for sample, _ in factors]
    names = [n for n in tables[0] if all(n in t for t in tables)]
    found: list[tuple[int, str, float]] = []
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
        for table, (_, c) in zip(tables, factors, strict=True):
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
            found.append((len(chosen) * 2 + (not plain) * 3, front + text, ratios[0]))
    return [(text, ratio) for _, text, ratio in sorted(found, key=lambda f: f[0])]


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
    names = case.examined.subject.names(len(sample.inputs))
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
