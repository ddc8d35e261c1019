"""Causes of a threshold: what is wrong lies on one side of a value of some variable."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from derivable.examiner.checks.exemptions import deviation
from derivable.examiner.checks.values import Sample
from derivable.examiner.diagnose.case import Case, blocks, once
from derivable.examiner.diagnose.evidence import EvidenceWithFields, Found
from derivable.examiner.diagnose.slopes import aligned_to
from derivable.examiner.measure.space import real, unreal
from derivable.examiner.points import SPECIAL, kind


@dataclass(frozen=True)
class WhereEquals(EvidenceWithFields):
    """Wrong where a variable has one value."""

    key = "evidence.where_equals"
    formats: ClassVar = {"at": "g"}
    name: str
    at: float


@dataclass(frozen=True)
class Threshold(EvidenceWithFields):
    """Wrong on one side of a threshold: above, below, outside, inside, band or out_of_band."""

    key = "evidence.side_{side}"
    formats: ClassVar = {"at": ".4g"}
    name: str
    at: float
    side: str


@once
def _threshold(case: Case) -> Threshold | WhereEquals | None:
    """Wrong exactly where a variable lies beyond a threshold, between two, or outside them."""
    best: tuple[int, str, str, float] | None = None
    bad: dict[str, list[Tensor]] = {}
    good: dict[str, list[Tensor]] = {}
    depth: dict[str, list[Tensor]] = {}
    for sample in case.all_samples():
        if kind(sample) in SPECIAL:
            continue  # compared with a coarser tolerance
        if not _abrupt(sample):
            return None
        for name, values, wrong, off in _marked(case, sample):
            depth.setdefault(name, []).append(off[wrong])
            bad.setdefault(name, []).append(values[wrong])
            good.setdefault(name, []).append(values[~wrong])
    for name in bad:
        w, r = torch.cat(bad[name]), torch.cat(good[name])
        if len(w) < 2 or len(r) < 3 or math.comb(len(w) + len(r), len(w)) < 500:
            continue  # so few may lie apart by chance
        for side, threshold in _separations(w, r):
            off = torch.cat(depth[name])
            nearest = (w.abs() - abs(threshold)).abs().argsort()[:2]
            if float(off[nearest].max()) < 1e-3 * float(off.max()):
                continue  # the deviation decreases gradually
            kinds = torch.cat([w, r]).unique()
            mask = len(kinds) <= 3 and bool((kinds == 0).any())
            labels = len(kinds) <= 3 and not mask
            order = (0 if name == case.name else 1 if mask else 3 if labels else 2,
                     name, side, threshold)  # fmt: skip
            if best is None or order[0] < best[0]:
                best = order
    if best is None:
        return None
    _, name, side, threshold = best
    if len(torch.cat([*bad[name], *good[name]]).unique()) <= 3:  # a mask
        return WhereEquals(name, float(torch.cat(bad[name])[0]))
    if name == case.name and side in ("above", "below", "outside", "inside"):
        threshold = _sharpened(case, side, torch.cat(bad[name]), torch.cat(good[name]))
    return Threshold(name, threshold, side)


def under_mask(case: Case) -> Found:
    """Wrong where a variable that has at most three values has one of these."""
    found = _threshold(case)
    return (found,) if isinstance(found, WhereEquals) else None


def one_side(case: Case) -> Found:
    """Wrong on one side of a threshold."""
    found = _threshold(case)
    return (found,) if isinstance(found, Threshold) else None


def _abrupt(sample: Sample) -> bool:
    """Whether wrong entries deviate abruptly from right ones, and not gradually."""
    chosen = sample.wrong & sample.sure
    off = (sample.returned - sample.measured.value).abs()[chosen]
    if not len(off) or bool((sample.returned[chosen] == 0).all()):
        return True
    return float(off.quantile(0.1)) > 1e-4 * float(off.max())


def _marked(case: Case, sample: Sample) -> Iterator[tuple[str, Tensor, Tensor, Tensor]]:
    """Per variable: its value at each relevant entry, whether that is wrong, and by how much."""
    if sample.x.is_complex() or any(o.is_complex() for o in sample.outputs):
        return
    names = case.examined.adapter.names(len(sample.inputs))
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
                aligned = aligned_to(value, out, arg, relevant, value is sample.x)
                if aligned is not None and (len(aligned) < 2 or len(aligned.unique()) > 1):
                    yield name, aligned, block.wrong[relevant], off
        floats = [v for v in sample.inputs if isinstance(v, Tensor) and v.is_floating_point()]
        if len(floats) == 2:  # losses turn at the difference of their two inputs
            a, b = (aligned_to(v, out, arg, relevant, v is sample.x) for v in floats)
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
