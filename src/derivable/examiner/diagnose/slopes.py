"""Causes that depend on values: a slope at the wrong point, another power, a lost factor."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from derivable.examiner.checks.values import Sample
from derivable.examiner.diagnose.case import Case, blocks, once
from derivable.examiner.diagnose.evidence import (
    EvidenceWithFields,
    Fact,
    Found,
    RatioFormula,
    number,
)
from derivable.examiner.measure.space import real


@dataclass(frozen=True)
class ConjugateOf(EvidenceWithFields):
    """What is conjugated too often or not at all: `both`, the `result` or `grad_output`."""

    key = "evidence.conjugate_{of}"
    of: str


@dataclass(frozen=True)
class OwnFactors(EvidenceWithFields):
    """Each output, or each entry of the argument, has a factor of its own."""

    key = "evidence.scaled_{side}"
    formats: ClassVar = {"low": ".3g", "high": ".3g"}
    side: str
    low: float
    high: float


class Points(NamedTuple):
    """Matched entries: what was returned and measured there, and the values it may depend on."""

    returned: Tensor  # (p,)
    measured: Tensor  # (p,)
    variables: dict[str, Tensor]  # (p,) each


def points(case: Case, samples: list[Sample]) -> Points | None:
    """The entries of the Jacobians that are not zero, with the tensors aligned to them."""
    parts: list[Points] = []
    for sample in samples:
        parts += list(_entries(case, sample))
    if not parts:
        return None
    names = [n for n in parts[0].variables if all(n in p.variables for p in parts)]
    joined = {n: torch.cat([p.variables[n] for p in parts]) for n in names}
    returned = torch.cat([p.returned for p in parts])
    measured = torch.cat([p.measured for p in parts])
    return Points(returned, measured, joined) if len(returned) >= 6 else None


def _with_radius(variables: dict[str, Tensor]) -> dict[str, Tensor]:
    """The variables, and the sum of squares of each two inputs."""
    names = [name for name in variables if name != "output"]
    radii = {
        f"({a}**2 + {b}**2)": variables[a].square() + variables[b].square()
        for a, b in itertools.combinations(names, 2)
    }
    return {**variables, **radii}


def _entries(case: Case, sample: Sample) -> Iterator[Points]:
    if sample.x.is_complex() or any(o.is_complex() for o in sample.outputs):
        return
    names = case.examined.adapter.names(len(sample.inputs))
    for block in blocks(sample, case.name):
        relevant = block.relevant & (block.measured != 0)
        if not bool(relevant.any()):
            continue
        out, arg = relevant.shape[: block.axes], relevant.shape[block.axes :]
        variables: dict[str, Tensor] = {}
        for name, value in zip(names, sample.inputs, strict=True):
            if isinstance(value, Tensor) and value.is_floating_point():
                aligned = aligned_to(value, out, arg, relevant, value is sample.x)
                if aligned is not None:
                    variables[name] = aligned
        for output in sample.outputs:
            if tuple(output.shape) == tuple(out) and "output" not in variables:
                aligned = aligned_to(output, out, arg, relevant, False)
                if aligned is not None:
                    variables["output"] = aligned
        yield Points(block.returned[relevant], block.measured[relevant], variables)


def aligned_to(value: Tensor, out: Any, arg: Any, relevant: Tensor, own: bool) -> Tensor | None:
    """The entry of `value` that belongs to each relevant entry of a Jacobian, if one does."""
    value = value.detach().double()
    if not out and not arg:
        return value.reshape(1).expand(int(relevant.sum())) if value.numel() == 1 else None
    if own:
        return value.view(*[1] * len(out), *arg).expand(relevant.shape)[relevant]
    if len(out) and tuple(value.shape) == tuple(out):
        return value.view(*out, *[1] * len(arg)).expand(relevant.shape)[relevant]
    if tuple(value.shape) == tuple(arg):
        return value.view(*[1] * len(out), *arg).expand(relevant.shape)[relevant]
    try:
        grown = torch.broadcast_to(value, tuple(out) if len(out) else tuple(arg))
    except RuntimeError:
        return None
    shape = (*out, *[1] * len(arg)) if len(out) else tuple(arg)
    return grown.reshape(shape).expand(relevant.shape)[relevant]


class Monomial(NamedTuple):
    """What is returned, divided by the measured; and whether only a power is another one."""

    evidence: RatioFormula
    pure: bool


@once
def _lost_monomial(case: Case) -> Monomial | None:
    """What is returned is c * x**p * y**q * ... times the measured."""
    found = points(case, [s for s in case.wrong if s.x.numel()])
    if found is None or not bool((found.returned != 0).all()):
        return None
    chosen = _monomial(found.returned / found.measured, _with_radius(found.variables))
    if chosen is None:
        return None
    formula, exponents = chosen
    inputs = {name: v for name, v in found.variables.items() if name != "output"
              or all(o.shape != case.first.x.shape for o in case.first.outputs)}  # fmt: skip
    own = _monomial(found.measured, inputs)
    # Another power where there is one already; where a power appears or is lost, it is a factor.
    pure = own is not None and any(
        own[1].get(n, 0.0) and own[1].get(n, 0.0) + p for n, p in exponents.items()
    )
    return Monomial(RatioFormula(formula), pure)


def another_power(case: Case) -> Found:
    """Another power than that of the derivative, where that is a power."""
    found = _lost_monomial(case)
    return (found.evidence,) if found and found.pure else None


def lost_factor(case: Case) -> Found:
    """A power of the inputs times the derivative, or a part of it."""
    found = _lost_monomial(case)
    return (found.evidence,) if found and not found.pure else None


def _monomial(ratio: Tensor, variables: dict[str, Tensor]) -> tuple[str, dict[str, float]] | None:
    """`ratio` as c * product of variables to half-integer powers; None if it is not that."""
    names = [n for n, v in variables.items() if bool((v != 0).all()) and len(v.abs().unique()) > 2]
    # A ratio that is nearly 1 is explained by what it differs from 1, and not by 1 itself.
    slack = min(1e-5, 1e-3 * float(ratio.abs().log().abs().max()))
    for count in (1, 2, 3):
        for group in itertools.combinations(names, count):
            columns = [variables[n].abs().log() for n in group]
            design = torch.stack([torch.ones_like(ratio), *columns], dim=1)
            solution = torch.linalg.lstsq(design, ratio.abs().log().unsqueeze(1)).solution[:, 0]
            powers = [round(2 * float(p)) / 2 for p in solution[1:]]
            if not all(powers) or max(abs(p) for p in powers) > 6:
                continue
            product = sum(p * c for p, c in zip(powers, columns, strict=True))
            spreads = [float(p * c.std()) for p, c in zip(powers, columns, strict=True)]
            if float(torch.as_tensor(product).std()) < 1e-3 * max(map(abs, spreads)):
                continue  # nearly 1 everywhere, such as x * w / output
            rest = ratio.abs().log() - product
            if not bool((rest - rest.mean()).abs().max() < slack):
                continue
            factor = float(rest.mean().exp()) * (1 if bool((ratio > 0).all()) else
                                                 -1 if bool((ratio < 0).all()) else 1)  # fmt: skip
            words = [n if p == 1 else f"{n}**{p:g}" for n, p in zip(group, powers, strict=True)]
            front = [] if abs(factor - 1) < 1e-6 else [number(factor)]
            return " * ".join(front + words), dict(zip(group, powers, strict=True))
    return None


class SlopeAt(NamedTuple):
    """Whether it is the slope at the output, or the formula for the output applied to the input."""

    output: bool
    input: bool
    everywhere: bool  # whether most of it is wrong; else a threshold explains more


@once
def _slope_at(case: Case) -> SlopeAt:
    """The slope at the output where it belongs to the input, or the reverse: by experiment."""
    sample = case.first
    none = SlopeAt(False, False, False)
    if len(sample.outputs) != 1 or sample.outputs[0].shape != sample.x.shape:
        return none
    inputs = list(sample.inputs)
    inputs[case.argument] = sample.outputs[0].detach().to(sample.x.dtype)
    evaluation = _look(case, inputs) or []
    at_output = next((s for s in evaluation if s.argument == case.argument), None)
    if at_output is None:
        return none
    known = sample.sure & at_output.sure
    deviation = float((sample.returned - sample.measured.value)[sample.sure].abs().max())
    return SlopeAt(
        _equal(sample.returned, at_output.measured.value, known, deviation),
        _equal(at_output.returned, sample.measured.value, known, deviation),
        float(sample.wrong[_relevant(sample)].double().mean()) > 0.8,
    )


def slope_at_output(case: Case) -> Found:
    """It is the derivative at x = output."""
    return (Fact.SLOPE_AT_OUTPUT,) if _slope_at(case).output else None


def slope_at_input(case: Case) -> Found:
    """The formula for the output is applied to the input."""
    return (Fact.SLOPE_AT_INPUT,) if _slope_at(case).input else None


def everywhere(test: Callable[[Case], Found]) -> Callable[[Case], Found]:
    """The same, where most of the gradient is wrong."""

    def wholly(case: Case) -> Found:
        found = test(case)
        return found if _slope_at(case).everywhere else None

    return wholly


def _relevant(sample: Sample) -> Tensor:
    return sample.sure & ((sample.measured.value != 0) | (sample.returned != 0))


def _look(case: Case, inputs: list[Any]) -> list[Sample] | None:
    try:
        evaluation = case.examined.evaluate(inputs, case.first.point)
    except Exception:  # the output need not be a possible input
        return None
    return evaluation.samples if evaluation and evaluation.whole else None


def _equal(first: Tensor, second: Tensor, known: Tensor, deviation: float = torch.inf) -> bool:
    if not bool(known.sum() > 0.25 * known.numel()) or int(known.sum()) < 4:
        return False
    scale = float(second[known].abs().max())
    return scale > 0 and bool(
        ((first - second)[known].abs() <= min(1e-6 * scale, 1e-3 * deviation)).all()
    )


def scaled(case: Case) -> Found:
    """Each output, or each entry, has a factor of its own: a slope of a later or earlier step."""
    for side in ("output", "argument"):
        factors = []
        for sample in case.wrong:
            for block in blocks(sample, case.name):
                if not bool(block.relevant.any()) or not bool(block.wrong.any()):
                    continue
                rows = int(torch.Size(block.measured.shape[: block.axes]).numel())
                measured, returned = (t.reshape(rows, -1) for t in (block.measured, block.returned))
                known = block.sure.reshape(rows, -1)
                if side == "argument":
                    measured, returned, known = measured.T, returned.T, known.T
                if measured.shape[1] < 2 or not bool(known.all()):
                    break
                if bool(((measured != 0).sum(1) < 2).all()):
                    break
                weight = (measured * returned).sum(1) / measured.square().sum(1).clamp_min(1e-300)
                gap = (returned - weight.unsqueeze(1) * measured).abs().max()
                deviation = (returned - measured).abs().max()
                if not bool(gap <= 1e-3 * deviation):
                    break
                factors.append(weight)
            else:
                continue
            break
        else:
            if factors:
                low, high = float(factors[0].min()), float(factors[0].max())
                return (OwnFactors(side, low, high),)
    return None


def conjugated(case: Case) -> Found:
    """A complex conjugate too many or too few, on the way in or out."""
    chosen: set[str] | None = None
    for sample in case.wrong:
        if not sample.x.is_complex() and not any(o.is_complex() for o in sample.outputs):
            return None
        columns = _signs([sample.x])
        rows = _signs(sample.outputs)
        candidates = {
            "both": rows[:, None] * sample.measured.value * columns,
            "result": sample.measured.value * columns,
            "grad_output": rows[:, None] * sample.measured.value,
        }
        here = {
            name for name, candidate in candidates.items()
            if _equal(sample.returned, candidate, sample.sure)
        }  # fmt: skip
        chosen = here if chosen is None else chosen & here
    return (ConjugateOf(sorted(chosen)[0]),) if chosen else None


def _signs(tensors: list[Tensor]) -> Tensor:
    """1 for a real entry, 1 and -1 for the two parts of a complex one."""
    return torch.cat(
        [real(torch.ones_like(t) * (1 - 1j if t.is_complex() else 1)) for t in tensors]
    )
