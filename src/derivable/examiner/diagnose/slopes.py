"""Causes that need values: a slope in the wrong place, another power, a lost factor or term."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from derivable.examiner.checks.exemptions import deviation
from derivable.examiner.checks.values import Sample
from derivable.examiner.diagnose.evidence import Case, Fit, blocks, number
from derivable.examiner.finding import Message
from derivable.examiner.measure.space import real, unreal


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
    names = case.examined.subject.names(len(sample.inputs))
    for block in blocks(sample, case.name):
        relevant = block.relevant & (block.measured != 0)
        if not bool(relevant.any()):
            continue
        out, arg = relevant.shape[: block.axes], relevant.shape[block.axes :]
        variables: dict[str, Tensor] = {}
        for name, value in zip(names, sample.inputs, strict=True):
            if isinstance(value, Tensor) and value.is_floating_point():
                aligned = _aligned(value, out, arg, relevant, value is sample.x)
                if aligned is not None:
                    variables[name] = aligned
        for output in sample.outputs:
            if tuple(output.shape) == tuple(out) and "output" not in variables:
                aligned = _aligned(output, out, arg, relevant, False)
                if aligned is not None:
                    variables["output"] = aligned
        yield Points(block.returned[relevant], block.measured[relevant], variables)


def _aligned(value: Tensor, out: Any, arg: Any, relevant: Tensor, own: bool) -> Tensor | None:
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


def power(case: Case) -> list[Fit]:
    """What is returned is c * x**p * y**q * ... times the measured: a power or factor lost."""
    found = points(case, [s for s in case.wrong if s.x.numel()])
    if found is None or not bool((found.returned != 0).all()):
        return []
    chosen = _monomial(found.returned / found.measured, _with_radius(found.variables))
    if chosen is None:
        return []
    formula, exponents = chosen
    said = Message("evidence.ratio_formula", {"formula": formula})
    inputs = {name: v for name, v in found.variables.items() if name != "output"
              or all(o.shape != case.first.x.shape for o in case.first.outputs)}  # fmt: skip
    own = _monomial(found.measured, inputs)
    # Another power where there is one already; where a power appears or is lost, it is a factor.
    pure = own is not None and any(
        own[1].get(n, 0.0) and own[1].get(n, 0.0) + p for n, p in exponents.items()
    )
    first, second = ("power", "chain_rule") if pure else ("chain_rule", "power")
    return [Fit(first, 4, (said,)), Fit(second, 5.5, (said,))]


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


def slope_place(case: Case) -> list[Fit]:
    """The slope at the output where it belongs to the input, or the reverse: by experiment."""
    sample = case.first
    if len(sample.outputs) != 1 or sample.outputs[0].shape != sample.x.shape:
        return []
    inputs = list(sample.inputs)
    inputs[case.argument] = sample.outputs[0].detach().to(sample.x.dtype)
    look = _look(case, inputs)
    if look is None:
        return []
    at_output = next((s for s in look if s.argument == case.argument), None)
    if at_output is None:
        return []
    fits = []
    known = sample.sure & at_output.sure
    # Where much is right as it is, a threshold says more.
    rank = 2.0 if float(sample.wrong[_relevant(sample)].double().mean()) > 0.8 else 7.0
    deviation = float((sample.returned - sample.measured.value)[sample.sure].abs().max())
    if _equal(sample.returned, at_output.measured.value, known, deviation):
        fits.append(Fit("slope_at_output", rank, (Message("evidence.slope_at_output"),)))
    if _equal(at_output.returned, sample.measured.value, known, deviation):
        fits.append(Fit("slope_at_input", rank, (Message("evidence.slope_at_input"),)))
    return fits


def _relevant(sample: Sample) -> Tensor:
    return sample.sure & ((sample.measured.value != 0) | (sample.returned != 0))


def _look(case: Case, inputs: list[Any]) -> list[Sample] | None:
    try:
        look = case.examined.look(inputs, case.first.where)
    except Exception:  # the output need not be a possible input
        return None
    return look.samples if look and look.whole else None


def _equal(first: Tensor, second: Tensor, known: Tensor, deviation: float = torch.inf) -> bool:
    if not bool(known.sum() > 0.25 * known.numel()) or int(known.sum()) < 4:
        return False
    scale = float(second[known].abs().max())
    return scale > 0 and bool(
        ((first - second)[known].abs() <= min(1e-6 * scale, 1e-3 * deviation)).all()
    )


def one_side(case: Case) -> list[Fit]:
    """Wrong exactly where a variable lies beyond a threshold, between two, or outside them."""
    best: tuple[int, str, str, float] | None = None
    bad: dict[str, list[Tensor]] = {}
    good: dict[str, list[Tensor]] = {}
    depth: dict[str, list[Tensor]] = {}
    for sample in case.all_samples():
        if sample.where.key in ("where.large", "where.tiny", "where.zero", "where.zeros"):
            continue  # looked at with a coarser eye
        if not _abrupt(sample):
            return []
        for name, values, wrong, off in _marked(case, sample):
            depth.setdefault(name, []).append(off[wrong])
            bad.setdefault(name, []).append(values[wrong])
            good.setdefault(name, []).append(values[~wrong])
    for name in bad:
        w, r = torch.cat(bad[name]), torch.cat(good[name])
        if len(w) < 2 or len(r) < 3 or math.comb(len(w) + len(r), len(w)) < 500:
            continue  # so few may lie apart by chance
        for kind, threshold in _separations(w, r):
            off = torch.cat(depth[name])
            nearest = (w.abs() - abs(threshold)).abs().argsort()[:2]
            if float(off[nearest].max()) < 1e-3 * float(off.max()):
                continue  # it fades out, as a smooth difference does
            kinds = torch.cat([w, r]).unique()
            mask = len(kinds) <= 3 and bool((kinds == 0).any())
            labels = len(kinds) <= 3 and not mask
            order = (0 if name == case.name else 1 if mask else 3 if labels else 2,
                     name, kind, threshold)  # fmt: skip
            if best is None or order[0] < best[0]:
                best = order
    if best is None:
        return []
    _, name, kind, threshold = best
    values = torch.cat([*bad[name], *good[name]]).unique()
    if len(values) <= 3:  # a mask
        at = f"{float(torch.cat(bad[name])[0]):g}"
        return [
            Fit("part_only", 3.7, (Message("evidence.where_equals", {"name": name, "at": at}),))
        ]
    if name == case.name and kind in ("above", "below", "outside", "inside"):
        threshold = _sharpened(case, kind, torch.cat(bad[name]), torch.cat(good[name]))
    fields = {"name": name, "at": f"{threshold:.4g}"}
    return [Fit("one_side", 3.8, (Message(f"evidence.side_{kind}", fields),))]


def _abrupt(sample: Sample) -> bool:
    """Whether wrong entries are clearly wrong, and do not fade into right ones."""
    chosen = sample.wrong & sample.sure
    off = (sample.returned - sample.measured.value).abs()[chosen]
    if not len(off) or bool((sample.returned[chosen] == 0).all()):
        return True
    return float(off.quantile(0.1)) > 1e-4 * float(off.max())


def _marked(case: Case, sample: Sample) -> Iterator[tuple[str, Tensor, Tensor, Tensor]]:
    """Per variable: its value at each relevant entry, whether that is wrong, and by how much."""
    if sample.x.is_complex() or any(o.is_complex() for o in sample.outputs):
        return
    names = case.examined.subject.names(len(sample.inputs))
    for block in blocks(sample, case.name):
        relevant = block.relevant | (block.wrong & ~torch.isfinite(block.returned))
        relevant &= block.sure
        if not bool(relevant.any()):
            continue
        out, arg = relevant.shape[: block.axes], relevant.shape[block.axes :]
        off = (block.returned - block.measured).abs()
        lost = bool((block.returned[block.wrong] == 0).all())  # then the whole of it is missing
        off = (off / block.measured.abs() if lost else off)[relevant]
        everything = [*zip(names, sample.inputs, strict=True)]
        everything += [("output", o) for o in sample.outputs[:1]]
        for name, value in everything:
            if isinstance(value, Tensor) and value.is_floating_point():
                aligned = _aligned(value, out, arg, relevant, value is sample.x)
                if aligned is not None and (len(aligned) < 2 or len(aligned.unique()) > 1):
                    yield name, aligned, block.wrong[relevant], off
        floats = [v for v in sample.inputs if isinstance(v, Tensor) and v.is_floating_point()]
        if len(floats) == 2:  # losses turn at the difference of their two inputs
            a, b = (_aligned(v, out, arg, relevant, v is sample.x) for v in floats)
            if a is not None and b is not None:
                yield "the difference of the inputs", a - b, block.wrong[relevant], off


def _separations(w: Tensor, r: Tensor) -> Iterator[tuple[str, float]]:
    """The thresholds that keep wrong values `w` and right ones `r` apart."""
    if float(w.min()) > float(r.max()):
        yield "above", _between(float(r.max()), float(w.min()))
    elif float(w.max()) < float(r.min()):
        yield "below", _between(float(w.max()), float(r.min()))
    elif float(w.abs().min()) > float(r.abs().max()):
        yield "outside", _between(float(r.abs().max()), float(w.abs().min()))
    elif float(w.abs().max()) < float(r.abs().min()):
        yield "inside", _between(float(w.abs().max()), float(r.abs().min()))
    elif len(w) > 3 and not bool(((r > w.min()) & (r < w.max())).any()):
        yield "band", float(w.mean())
    elif len(r) > 5 and not bool(((w > r.min()) & (w < r.max())).any()):
        yield "out_of_band", float(r.mean())


def _sharpened(case: Case, kind: str, w: Tensor, r: Tensor) -> float:
    """The threshold, from moving the wrong entry that is nearest to it towards the right ones."""
    folded = kind in ("outside", "inside")
    low, high = (w.abs(), r.abs()) if folded else (w, r)
    upper = kind in ("above", "outside")
    wrong, right = (low.min(), high.max()) if upper else (low.max(), high.min())
    for sample in case.wrong:
        x = real(sample.x)
        column = int(((x.abs() if folded else x) - wrong).abs().argmin())
        if abs(float((x.abs() if folded else x)[column] - wrong)) > 0.0:
            continue
        if not bool(sample.wrong[:, column].any()):
            continue
        row, sign = int(sample.wrong[:, column].double().argmax()), x[column].sign()
        for _ in range(14):
            moved = x.clone()
            moved[column] = middle = (wrong + right) / 2
            moved[column] *= sign if folded else 1.0
            inputs = list(sample.inputs)
            inputs[case.argument] = unreal(moved, sample.x)
            off = deviation(case.examined, sample, inputs, row, column)
            wrong, right = (middle, right) if off > 1e-6 else (wrong, middle)
        break
    return _between(min(float(wrong), float(right)), max(float(wrong), float(right)))


def _between(low: float, high: float) -> float:
    """The roundest number between two."""
    for digits in range(-1, 6):
        rounded = round((low + high) / 2, digits)
        if low <= rounded <= high:
            return rounded + 0.0  # no -0
    return (low + high) / 2


def scaled(case: Case) -> list[Fit]:
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
                fields = {"low": f"{low:.3g}", "high": f"{high:.3g}"}
                said = Message(f"evidence.scaled_{side}", fields)
                return [Fit("chain_rule", 6.5, (said,))]
    return []


def conjugated(case: Case) -> list[Fit]:
    """A complex conjugate too many or too few, on the way in or out."""
    chosen: set[str] | None = None
    for sample in case.wrong:
        if not sample.x.is_complex() and not any(o.is_complex() for o in sample.outputs):
            return []
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
    if not chosen:
        return []
    return [Fit("conjugate", 1, (Message(f"evidence.conjugate_{sorted(chosen)[0]}"),))]


def _signs(tensors: list[Tensor]) -> Tensor:
    """1 for a real entry, 1 and -1 for the two parts of a complex one."""
    return torch.cat(
        [real(torch.ones_like(t) * (1 - 1j if t.is_complex() else 1)) for t in tensors]
    )
