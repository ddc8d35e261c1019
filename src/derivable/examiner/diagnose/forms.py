"""Slopes as formulas: sums of known functions that equal the returned and the measured slope."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from derivable.examiner.checks.values import Sample
from derivable.examiner.diagnose.case import Case, once
from derivable.examiner.diagnose.evidence import (
    EvidenceWithFields,
    Found,
    RatioFormula,
    number,
)
from derivable.examiner.diagnose.slopes import Points, points

Terms = dict[str, float]
ACCURATE = 1e-7
MOST = 96  # points that are compared


@dataclass(frozen=True)
class Formulas(EvidenceWithFields):
    """Both slopes as formulas."""

    key = "evidence.formulas"
    measured: str
    returned: str


@dataclass(frozen=True)
class Missing(EvidenceWithFields):
    """The term that is missing."""

    key = "evidence.missing"
    formula: str


@dataclass(frozen=True)
class PowerRule(EvidenceWithFields):
    """The power rule, applied to base**name."""

    key = "evidence.power_rule"
    formats: ClassVar = {"base": ""}
    name: str
    base: float


def _basis(x: Tensor, name: str) -> dict[str, Tensor]:
    """Functions of which slopes of one variable usually consist."""
    sigmoid, tanh = x.sigmoid(), x.tanh()
    bent = 0.7978845608028654 * (x + 0.044715 * x**3)  # inside the tanh of GELU
    softplus = torch.nn.functional.softplus(x)
    gate, mish = bent.tanh(), softplus.tanh()
    found = {
        "tanh(u)": gate, "{}*(1 - tanh(u)**2)": x * (1 - gate**2),
        "{}**3*(1 - tanh(u)**2)": x**3 * (1 - gate**2), "1 - tanh(u)**2": 1 - gate**2,
        "tanh(softplus({}))": mish, "{}*(1 - tanh(softplus({}))**2)": x * (1 - mish**2),
        "{}*(1 - tanh(softplus({}))**2)*sigmoid({})": x * (1 - mish**2) * sigmoid,
        "1": torch.ones_like(x), "{}": x, "{}**2": x**2, "{}**3": x**3, "{}**4": x**4,
        "1/{}": 1 / x, "1/{}**2": 1 / x**2, "1/{}**3": 1 / x**3,
        "exp({})": x.exp(), "exp(-{})": (-x).exp(), "{}*exp({})": x * x.exp(),
        "{}*exp(-{})": x * (-x).exp(),
        "sin({})": x.sin(), "cos({})": x.cos(), "{}*sin({})": x * x.sin(),
        "{}*cos({})": x * x.cos(), "tanh({})": tanh, "tanh({})**2": tanh**2,
        "{}*tanh({})**2": x * tanh**2, "{}*(1 - tanh({})**2)": x * (1 - tanh**2),
        "sigmoid({})": sigmoid, "sigmoid({})**2": sigmoid**2, "{}*sigmoid({})": x * sigmoid,
        "{}*sigmoid({})**2": x * sigmoid**2, "{}*sigmoid({})*(1 - sigmoid({}))":
            x * sigmoid * (1 - sigmoid),
        "exp(-{}**2)": (-(x**2)).exp(), "{}*exp(-{}**2)": x * (-(x**2)).exp(),
        "exp(-{}**2/2)": (-(x**2) / 2).exp(), "{}*exp(-{}**2/2)": x * (-(x**2) / 2).exp(),
        "erf({}/sqrt(2))": torch.erf(x / 2**0.5), "1/(1 + {}**2)": 1 / (1 + x**2),
        "{}/(1 + {}**2)": x / (1 + x**2), "1/(1 + {}**2)**2": 1 / (1 + x**2) ** 2,
        "sign({})": x.sign(), "abs({})": x.abs(), "1/(1 + abs({}))**2": 1 / (1 + x.abs()) ** 2,
        "1/(1 + abs({}))": 1 / (1 + x.abs()),
    }  # fmt: skip
    if bool((x > 0).all()):
        found |= {"log({})": x.log(), "sqrt({})": x.sqrt(), "1/sqrt({})": x.rsqrt(),
                  "{}*log({})": x * x.log(), "log({})/{}": x.log() / x}  # fmt: skip
    return {text.replace("{}", name): values for text, values in found.items()}


def exponential(case: Case) -> Found:
    """The power rule, which is for x**a, applied to a**x."""
    found = points(case, case.wrong) if all(_entrywise(s) for s in case.wrong) else None
    if found is None or case.name not in found.variables:
        return None
    x = found.variables[case.name]
    usable = bool((found.measured != 0).all()) and len(x.unique()) > 3
    if not usable or not bool(torch.isfinite(found.returned).all()):
        return None
    design = torch.stack([torch.ones_like(x), x], dim=1)
    logs = found.measured.abs().log().unsqueeze(1)
    solution = torch.linalg.lstsq(design, logs).solution
    rate = solution[1, 0]  # log(a)
    if bool((design @ solution - logs).abs().max() > 1e-6) or not rate:
        return None
    rule = x * found.measured / (rate * rate.exp())
    if bool((found.returned - rule).abs().max() > 1e-6 * rule.abs().max()):
        return None
    return (PowerRule(case.name, float(rate.exp())),)


class Difference(Enum):
    """The difference of two sums of terms."""

    POWER = auto()  # one term has another power
    TERM = auto()  # one of several terms is another one
    COEFFICIENT = auto()  # the same terms with other coefficients
    LOST = auto()  # terms are lost
    LONGER = auto()  # other terms are returned, and more of them
    ONLY_TERM = auto()  # the one term is another one
    OTHERS = auto()  # other terms are returned
    RATIO = auto()  # one divided by the other is a known function
    GAP = auto()  # what is missing is a known function


class Written(NamedTuple):
    """Both slopes as formulas, and how they differ."""

    difference: Difference
    evidence: Formulas | RatioFormula | Missing
    plain: bool  # of smooth functions of the one input, which explain more than a threshold


@once
def _formulas(case: Case) -> Written | None:
    """The difference of both slopes as sums of at most three known functions of the input."""
    samples = [s for s in case.wrong if s.x.shape == case.first.x.shape]
    if not all(_entrywise(sample) for sample in samples):
        return None
    found = points(case, samples)
    if found is None or len(found.returned) < 8 or case.name not in found.variables:
        return None
    found = Points(
        found.returned[:MOST], found.measured[:MOST],
        {name: v[:MOST] for name, v in found.variables.items()},
    )  # fmt: skip
    lone = {case.name: found.variables[case.name]}
    measured = _written(found.measured, lone)
    returned = _written(found.returned, lone)
    if measured and returned:
        smooth = not any(word in f"{measured}{returned}" for word in ("sign", "abs"))
        return _compared(measured, returned, smooth)
    ratio = _ratio(found)
    if ratio:
        return Written(Difference.RATIO, RatioFormula(ratio), False)
    gap = _written(found.measured - found.returned, found.variables, most=2)
    if gap:
        return Written(Difference.GAP, Missing(_text(gap)), False)
    inputs = {name: x for name, x in found.variables.items() if name != "output"}
    if len(inputs) > 3:
        return None  # the pairs of products would be too many
    products = _products(inputs)
    measured, returned = _sum_of(found.measured, products), _sum_of(found.returned, products)
    return _compared(measured, returned, False) if measured and returned else None


def written(*differences: Difference, plain: bool = False) -> Callable[[Case], Found]:
    """A test: both slopes can be written as formulas, and differ in one of these ways."""

    def differ(case: Case) -> Found:
        found = _formulas(case)
        fits = found is not None and found.difference in differences and found.plain >= plain
        return (found.evidence,) if found and fits else None

    return differ


def _products(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Products of powers of two variables, or of one and the difference of two others."""
    lone = dict(inputs)
    for (a, x), (b, y) in itertools.combinations(inputs.items(), 2):
        lone[f"({a} - {b})"] = x - y
    powers = [(name, x, p) for name, x in lone.items() for p in (1, 2, 3)]
    found = {"1": torch.ones_like(next(iter(inputs.values())))}
    for a, x, p in powers:
        up = _power(a, p)
        found |= {up: x**p, f"1/{up}": x**-p}
        for b, y, q in powers:
            if a != b:
                found[f"{up}/{_power(b, q)}"] = x**p / y**q
            if a < b:
                found[f"{up}*{_power(b, q)}"] = x**p * y**q
    return found


def _power(name: str, exponent: int) -> str:
    return name if exponent == 1 else f"{name}**{exponent}"


def _entrywise(sample: Sample) -> bool:
    """Whether each output depends on one entry of the argument."""
    scale = float(sample.measured.value[sample.sure].abs().max()) if sample.sure.any() else 0.0
    strong = (sample.measured.value.abs() > 1e-9 * scale) & sample.sure
    return bool((strong.sum(0) <= 1).all())


def _compared(measured: Terms, returned: Terms, plain: bool) -> Written | None:
    """The difference of two sums of terms; None if it is a factor."""
    shared = set(measured) & set(returned)
    only, instead = set(measured) - shared, set(returned) - shared
    if not only and not instead and len(measured) == 1:
        return None
    evidence = Formulas(_text(measured), _text(returned))
    return Written(_difference(only, instead, bool(shared)), evidence, plain)


def _difference(only: set[str], instead: set[str], shared: bool) -> Difference:
    """The difference of two sums: the terms of either alone, and whether they share some."""
    if len(only) == len(instead) == 1:
        if _stem(*only) == _stem(*instead):
            return Difference.POWER
        return Difference.TERM if shared else Difference.ONLY_TERM
    if not only and not instead:
        return Difference.COEFFICIENT
    if not shared and len(instead) > len(only):
        return Difference.LONGER
    return Difference.LOST if shared or len(only) > len(instead) else Difference.OTHERS


def _stem(term: str) -> str:
    """A term without its power: tanh(x) of tanh(x)**2, x of 1/x**3."""
    return re.sub(r"\*\*[\d.]+$", "", term.removeprefix("1/"))


def _ratio(found: Points) -> str:
    """The ratio returned / measured, or its inverse, as one known function of one variable."""
    usable = (found.returned != 0) & (found.measured != 0)
    if not bool(usable.all()):
        return ""
    for inverse in (False, True):
        ratio = found.measured / found.returned if inverse else found.returned / found.measured
        for name, x in found.variables.items():
            basis = _basis(x, name) | {
                f"1 - {name}**2": 1 - x**2, f"{name}*(1 - {name})": x * (1 - x),
                f"1 - tanh({name})**2": 1 - x.tanh() ** 2,
                f"sigmoid({name})*(1 - sigmoid({name}))": x.sigmoid() * (1 - x.sigmoid()),
                f"sqrt(1 - {name}**2)": (1 - x**2).clamp_min(0).sqrt(),
                f"1 - {name}": 1 - x, f"1 + {name}": 1 + x, f"1 + {name}**2": 1 + x**2,
            }  # fmt: skip
            for text, values in basis.items():
                if text == "1" or not bool(torch.isfinite(values).all()):
                    continue
                c = float((ratio * values).sum() / values.square().sum())
                if c and bool(((ratio - c * values).abs() <= 1e-6 * ratio.abs()).all()):
                    front = "" if abs(c - 1) < 1e-6 else f"{number(c)} * "
                    return f"1 / ({front}{text})" if inverse else f"{front}{text}"
    return ""


def _written(values: Tensor, variables: Mapping[str, Tensor], most: int = 3) -> Terms:
    """`values` as a sum of at most `most` known functions; empty if it is none."""
    columns: dict[str, Tensor] = {}
    for name, x in variables.items():
        columns |= _basis(x, name)
    return _sum_of(values, columns, most)


def _sum_of(values: Tensor, columns: Mapping[str, Tensor], most: int = 3) -> Terms:
    """`values` as a sum of at most `most` of `columns`; empty if it is none."""
    columns = {n: v for n, v in columns.items() if bool(torch.isfinite(v).all())}
    length = float(values.norm())
    if not length or not bool(torch.isfinite(values).all()):
        return {}
    names = [n for n, v in columns.items() if 0 < float(v.norm()) < 1e100]
    table = torch.stack([columns[n] / columns[n].norm() for n in names], dim=1)  # (p, b)
    for group in _candidates(table, values / length, most):
        terms = _solve(values, columns, [names[i] for i in group])
        if terms:
            return terms
    return {}


def _candidates(table: Tensor, target: Tensor, most: int) -> Iterator[tuple[int, ...]]:
    """Groups of columns that may span `target`, small groups first; unit columns, unit target."""
    share = table.T @ target  # (b,)
    for i in (share.abs() > 1 - 1e-9).nonzero().flatten().tolist():
        yield (i,)
    if most >= 2:
        yield from _pairs(table, target)
    if most >= 3:
        for i in share.abs().argsort(descending=True)[:12].tolist():
            # What is left of the others, and of the target, without column i.
            rest = table - torch.outer(table[:, i], table.T @ table[:, i])
            lengths = rest.norm(dim=0)
            left = target - share[i] * table[:, i]
            if float(left.norm()) < 1e-9:
                continue
            usable = (lengths > 1e-4).nonzero().flatten()
            for a, b in _pairs(rest[:, usable] / lengths[usable], left / left.norm()):
                yield i, int(usable[a]), int(usable[b])


def _pairs(table: Tensor, target: Tensor) -> list[tuple[int, int]]:
    """The pairs of columns whose plane holds `target`."""
    share, cross = table.T @ target, table.T @ table  # (b,), (b, b)
    apart = 1 - cross.square()
    inside = share[:, None] ** 2 + share**2 - 2 * share[:, None] * share * cross
    fits = ((1 - inside / apart.clamp_min(1e-12)).abs() < 1e-9) & (apart > 1e-8)
    return [(int(a), int(b)) for a, b in fits.triu(1).nonzero()[:20]]


def _solve(values: Tensor, columns: Mapping[str, Tensor], group: Sequence[str]) -> Terms:
    """Least squares on a few columns, if it is exact and no coefficient is noise."""
    design = torch.stack([columns[name] for name in group], dim=1)
    lengths = design.norm(dim=0)
    if not bool((lengths > 0).all()):
        return {}
    scaled = design / lengths
    gram = scaled.T @ scaled
    if len(group) > 1 and float(torch.linalg.cond(gram)) > 1e8:
        return {}
    solution = torch.linalg.solve(gram, scaled.T @ values) / lengths
    if bool(((design @ solution - values).abs() > ACCURATE * values.abs().max()).any()):
        return {}
    shares = solution.abs() * lengths
    if bool((shares < 1e-4 * shares.max()).any()):
        return {}
    return {name: float(c) for name, c in zip(group, solution, strict=True)}


def _text(terms: Terms) -> str:
    words = []
    for name, c in terms.items():
        front = number(c)
        words.append(front if name == "1" else name if front == "1" else
                     f"-{name}" if front == "-1" else f"{front} {name}")  # fmt: skip
    return " + ".join(words).replace("+ -", "- ")
