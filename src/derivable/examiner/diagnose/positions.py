"""Causes of position: right values at wrong positions, or of another argument or output."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from derivable.examiner.checks.values import Sample
from derivable.examiner.diagnose.case import Block, Case, blocks, fitted, once
from derivable.examiner.diagnose.evidence import (
    Evidence,
    EvidenceWithFields,
    Fact,
    Found,
    OfArgument,
    OfEachOther,
    times,
)


@dataclass(frozen=True)
class OfOutput(EvidenceWithFields):
    """For output i, the grad_output of output i + `other` is used."""

    key = "evidence.swapped_output"
    other: int


@dataclass(frozen=True)
class Exchanged(EvidenceWithFields):
    """Right if two axes are exchanged."""

    key = "evidence.transposed"
    a: str
    b: str


@dataclass(frozen=True)
class Moved(EvidenceWithFields):
    """The measured values, flipped, rolled or reshaped along an axis."""

    key = "evidence.moved"
    how: str
    axis: str


@once
def _swapped(case: Case) -> Any:
    """Whose derivative is returned: ((kind, which), factors), or None."""

    def others(sample: Sample, block: Block) -> dict[Any, Tensor]:
        found: dict[Any, Tensor] = {}
        mine = blocks(sample)
        position = next(i for i, b in enumerate(mine) if b.returned.data_ptr() ==
                        block.returned.data_ptr())  # fmt: skip
        for other in case.others(sample):
            name = case.examined.name(other.argument, sample.inputs)
            found["argument", name] = blocks(other)[position].measured
        for i, other_block in enumerate(mine):
            if i != position:
                found["output", (i - position) % len(mine)] = other_block.measured
        return found

    return fitted(case, others)


def of_argument(case: Case) -> Found:
    """The gradient of another argument is returned."""
    fit = _swapped(case)
    if fit is None or fit[0][0] != "argument":
        return None
    (_, other), factors = fit
    return (OfArgument(case.name, other), *times(factors))


def exchanged_pair(case: Case) -> Found:
    """The gradients of two arguments are exchanged."""
    pairs = [_exchanged_with(case, sample) for sample in case.wrong]
    if None in pairs or len(set(pairs)) != 1:
        return None
    sample, other = case.first, pairs[0]
    assert other is not None
    measured = next(s for s in case.others(sample) if s.argument == other).measured.value
    names = case.examined.adapter.names(len(sample.inputs))
    first, second = sorted((case.argument, other))
    opposite = (Fact.OR_SIGNS,) if _same(measured, -sample.measured.value) else ()
    return (OfEachOther(names[first], names[second]), *opposite)


def _exchanged_with(case: Case, sample: Sample) -> int | None:
    """The argument that gets the gradient of this one, and whose gradient this one gets."""
    for other in case.others(sample):
        mine = _same(sample.returned, other.measured.value)
        if mine and _same(other.returned, sample.measured.value) and other.count:
            return other.argument
    return None


def _same(first: Tensor, second: Tensor) -> bool:
    if first.shape != second.shape or not bool(torch.isfinite(first).all()):
        return False
    scale = float(second.abs().nan_to_num(0.0).max()) if second.numel() else 0.0
    return scale > 0 and bool(((first - second).abs() <= 1e-6 * scale).all())


def of_output(case: Case) -> Found:
    """The grad_output of another output is used."""
    fit = _swapped(case)
    if fit is None or fit[0][0] != "output":
        return None
    (_, step), factors = fit
    two = len(case.first.outputs) == 2
    return (Fact.TWO_OUTPUTS if two else OfOutput(step), *times(factors))


class Turned(NamedTuple):
    """Two axes that are exchanged, and whether forward only moves values along them."""

    evidence: tuple[Evidence, ...]
    crossed: bool


@once
def _turned(case: Case) -> Turned | None:
    """Two axes of equal size exchanged, of the output, of the argument or between them."""

    def exchanged(sample: Sample, block: Block) -> dict[Any, Tensor]:
        shape = block.measured.shape
        found: dict[Any, Tensor] = {
            (block.names[a], block.names[b]): block.measured.transpose(a, b)
            for a, b in itertools.combinations(range(len(shape)), 2)
            if shape[a] == shape[b] > 1
        }
        out, arg = shape[: block.axes], shape[block.axes :]
        if len(arg) > 2:
            for order in itertools.permutations(range(len(arg))):
                axes = [*range(block.axes), *(block.axes + i for i in order)]
                turned = block.measured.permute(axes)
                if turned.shape == shape and list(order) != sorted(order):
                    found["axes", str(order)] = turned
        if out == arg and len(out) == 2 and out[0] == out[1]:
            found["output and argument", ""] = block.measured.permute(1, 0, 3, 2)
        return found

    fit = fitted(case, exchanged)
    if fit is None:
        return None
    (a, b), factors = fit
    crossed = all(_shifts(block, a, b) for s in case.wrong for block in blocks(s, case.name)
                  if bool(block.wrong.any()))  # fmt: skip
    return Turned((Exchanged(a, b), *times(factors)), crossed)


def moved_on(case: Case) -> Found:
    """Forward permutes values, and backward applies the permutation again, not its inverse."""
    turned = _turned(case)
    return turned.evidence if turned and turned.crossed else None


def transposed(case: Case) -> Found:
    """Two axes of equal size are exchanged."""
    turned = _turned(case)
    return turned.evidence if turned else None


def _shifts(block: Block, a: str, b: str) -> bool:
    """Whether forward only moves values, or slides one kernel over them, along these axes."""
    if a not in block.names or b not in block.names:
        return False
    first, second = block.names.index(a), block.names.index(b)
    if not first < block.axes <= second:
        return False
    rows = int(torch.Size(block.measured.shape[: block.axes]).numel())
    flat = block.measured.reshape(rows, -1)
    scale = float(flat.abs().max())
    if bool(((flat.abs() > 1e-9 * scale).sum(1) <= 1).all()):
        return True
    matrix = block.measured.movedim((first, second), (-2, -1))
    if min(matrix.shape[-2:]) < 3:
        return False
    gap = matrix[..., 1:, 1:] - matrix[..., :-1, :-1]
    return bool(gap.abs().max() <= 1e-6 * scale)


def reordered(case: Case) -> Found:
    """The same values flipped, rolled, or reshaped in another order."""

    def moved(sample: Sample, block: Block) -> dict[Any, Tensor]:
        found: dict[Any, Tensor] = {}
        shape = block.measured.shape
        for axis, length in enumerate(shape):
            if length < 2:
                continue
            found["flipped", block.names[axis]] = block.measured.flip(axis)
            for shift in {1, -1, 2, -2, length // 2}:
                if 0 < abs(shift) < length:
                    found[f"rolled by {shift}", block.names[axis]] = block.measured.roll(
                        shift, axis
                    )
        # A convolution with a flipped kernel: outputs and inputs in reverse order.
        for a, b in itertools.product(range(block.axes), range(block.axes, len(shape))):
            if max(shape[a], shape[b]) > 1:
                names = f"{block.names[a]}, {block.names[b]}"
                found["flipped", names] = block.measured.flip(a, b)
        if block.axes > 2 and len(shape) - block.axes > 2:
            sliding = block.measured.flip(block.axes - 2, block.axes - 1, -2, -1)
            found["flipped", "the last two axes of both"] = sliding
        whole = range(block.axes, len(shape))
        if len(whole):
            found["flipped", "all axes"] = block.measured.flip(*whole)
        for side in (range(block.axes), whole):
            for order in itertools.permutations(side) if 2 <= len(side) <= 4 else ():
                if list(order) == sorted(order):
                    continue
                axes = list(range(len(shape)))
                axes[side.start : side.stop] = order
                turned = block.measured.permute(axes).reshape(shape)
                found["reshaped", str(tuple(i - side.start for i in order))] = turned
        return found

    fit = fitted(case, moved)
    if fit is None:
        return None
    (how, axis), factors = fit
    return (Moved(how, axis), *times(factors))


def permuted(case: Case) -> Found:
    """The same values in any other order."""
    every = all(_permuted(b) for s in case.wrong for b in blocks(s) if bool(b.wrong.any()))
    return (Fact.PERMUTED,) if every else None


def _permuted(block: Block) -> bool:
    """Whether, for a random grad_output, the gradient holds the right values in another order."""
    rows = int(torch.Size(block.measured.shape[: block.axes]).numel())
    u = torch.randn(rows, generator=torch.Generator().manual_seed(12)).double()
    measured, returned = (u @ t.reshape(rows, -1) for t in (block.measured, block.returned))
    if len(measured) < 3 or not bool(torch.isfinite(returned).all()):
        return False
    typical = measured.abs().max()
    gap = (measured.sort().values - returned.sort().values).abs().max()
    distinct = len((measured / typical * 1e6).round().unique())
    return (
        distinct > 2
        and bool(gap <= 1e-6 * typical)
        and bool(gap < 1e-2 * (measured - returned).abs().max())
    )


def repeated(case: Case) -> Found:
    """Entries that several outputs contribute to are wrong, and only these."""
    seen = False
    for sample in case.wrong:
        for block in blocks(sample, case.name):
            rows = int(torch.Size(block.measured.shape[: block.axes]).numel())
            measured = block.measured.reshape(rows, -1)
            returned, sure = block.returned.reshape(rows, -1), block.sure.reshape(rows, -1)
            wrong = (block.wrong & block.relevant).reshape(rows, -1)
            floor = 1e-9 * float(measured.abs().max()) if measured.numel() else 0.0
            shares = (measured.abs() > floor).sum(0)  # (n,)
            bad = wrong.any(0)
            if not bool(bad.any()):
                continue
            if bool((shares[bad] < 2).any()):
                return None
            lost = wrong & sure
            dropped = (returned[lost].abs() <= floor).float().mean()
            kept = (~lost & (measured.abs() > floor))[:, bad].sum(0)
            overwritten = bool(dropped == 1.0) and bool((kept == 1).all())
            strong = measured.abs() > floor
            if overwritten and not bool((strong.sum(1) <= 1).all()):
                # In a lookup the last written value remains, unlike in a truncated sum over time.
                last = rows - 1 - strong.flip(0).double().argmax(0)  # (n,)
                overwritten = not bool(lost[last, torch.arange(len(last))][bad].any())
            single = (shares == 1) & ~bad
            averaged = bool(
                ((returned * shares - measured).abs()[:, bad] <= 1e-6 * measured.abs().max()).all()
            )
            if not (overwritten or averaged) or not (bool(single.any()) or _integers(sample)):
                return None
            seen = True
    return (Fact.REPEATED,) if seen else None


def _integers(sample: Sample) -> bool:
    return any(isinstance(v, Tensor) and not v.is_floating_point() and v.dtype != torch.bool
               for v in sample.inputs)  # fmt: skip
