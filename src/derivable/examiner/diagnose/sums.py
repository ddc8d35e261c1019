"""Causes of summing: over the wrong axis, not at all, of grad_output instead of the product."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from derivable.examiner.checks.values import Sample
from derivable.examiner.diagnose.case import Block, Case, blocks, fitted, once
from derivable.examiner.diagnose.evidence import (
    EvidenceWithFields,
    Fact,
    Found,
    times,
)


@dataclass(frozen=True)
class Averaged(EvidenceWithFields):
    """The mean of `count` values, where their sum belongs."""

    key = "evidence.averaged"
    formats: ClassVar = {"factor": ""}
    factor: float
    count: int


@dataclass(frozen=True)
class Sums(EvidenceWithFields):
    """Only the sum of grad_output along these axes has an effect."""

    key = "evidence.sums"
    axes: tuple[str, ...]


@dataclass(frozen=True)
class Alone(EvidenceWithFields):
    """One entry of grad_output, the `first` or the `last`, is used for all."""

    key = "evidence.{which}_alone"
    which: str
    axes: str


@dataclass(frozen=True)
class SummedOver(EvidenceWithFields):
    """The axes over which it is summed, which are others than they should be."""

    key = "evidence.summed_over"
    axes: str


@dataclass(frozen=True)
class Coupling(EvidenceWithFields):
    """The axes along which outputs depend on other entries, and those of backward."""

    key = "evidence.coupling"
    measured: frozenset[str]
    returned: frozenset[str]


@dataclass(frozen=True)
class Uncoupled(Coupling):
    """Backward treats entries as independent along some of the measured axes."""

    key = "evidence.uncoupled"


def summed_grad_output(case: Case) -> Found:
    """The returned gradient depends only on a sum of grad_output over some axes."""
    shared: set[str] | None = None
    for sample in case.wrong:
        for block in blocks(sample, case.name):
            if not bool(block.wrong.any()):
                continue
            here = set()
            slack = 1e-7 * float(block.returned[block.sure].abs().max())
            if slack == 0.0:
                return None
            for axis in range(block.axes):
                length = block.returned.shape[axis]
                if length < 2:
                    continue
                if constant_along(block.returned, axis, slack) and not constant_along(
                    block.measured, axis, slack
                ):
                    here.add(block.names[axis])
            shared = here if shared is None else shared & here
    if not shared:
        return None
    return (Sums(tuple(sorted(shared))),)


def one_grad_output(case: Case) -> Found:
    """One entry of grad_output along some axes is used for all others."""

    def spread(sample: Sample, block: Block) -> dict[Any, Tensor]:
        found: dict[Any, Tensor] = {}
        axes = [a for a in range(block.axes) if block.measured.shape[a] > 1]
        for count in range(1, len(axes) + 1):
            for chosen in itertools.combinations(axes, count):
                whole = block.measured.sum(dim=chosen)
                for index in (0, -1):
                    candidate = torch.zeros_like(block.measured)
                    place: list[Any] = [slice(None)] * candidate.ndim
                    for axis in chosen:
                        place[axis] = index
                    candidate[tuple(place)] = whole
                    names = ", ".join(block.names[a] for a in chosen)
                    found[index, names] = candidate
        return found

    fit = fitted(case, spread)
    if fit is None:
        return None
    (index, names), factors = fit
    return (Alone("first" if index == 0 else "last", names), *times(factors))


def constant_along(tensor: Tensor, axis: int, slack: float) -> bool:
    """Whether all entries along an axis are the same."""
    return bool((tensor - tensor.narrow(axis, 0, 1)).abs().max() <= slack)


def broadcast_sum(case: Case) -> Found:
    """The contributions of the outputs, summed over other axes than the broadcast ones."""

    def sums(sample: Sample, block: Block) -> dict[Any, Tensor]:
        rows = int(torch.Size(block.measured.shape[: block.axes]).numel())
        measured = block.measured.reshape(rows, -1)
        columns = measured.shape[1]
        shape = block.measured.shape[: block.axes]
        if rows <= columns or bool(((measured != 0).sum(1) > 1).any()):
            return {}
        weight = measured.sum(1)  # (rows,): what each output contributes
        found: dict[Any, Tensor] = {}
        index = torch.arange(rows)
        for count in range(1, block.axes + 1):
            for kept in itertools.combinations(range(block.axes), block.axes - count):
                if int(torch.Size([shape[a] for a in kept]).numel()) != columns:
                    continue
                target = torch.zeros(rows, dtype=torch.long)
                for a in kept:
                    after = int(torch.Size(shape[a + 1 :]).numel())
                    target = target * shape[a] + index // after % shape[a]
                candidate = torch.zeros_like(measured)
                candidate[index, target] = weight
                names = [block.names[a] for a in range(block.axes) if a not in kept]
                found[", ".join(names)] = candidate.reshape(block.measured.shape)
        if rows % columns == 0:  # reshape(columns, -1).sum(-1), whatever axes that mixes
            candidate = torch.zeros_like(measured)
            candidate[index, index // (rows // columns)] = weight
            found[""] = candidate.reshape(block.measured.shape)
        return found

    fit = fitted(case, sums)
    if fit is None:
        return None
    axes, factors = fit
    return (SummedOver(axes) if axes else Fact.SUMMED_NEIGHBOURS, *times(factors))


def averaged(case: Case) -> Found:
    """A broadcast argument whose gradient is divided by what should have been summed over."""
    lengths = []
    for sample in case.wrong:
        for block in blocks(sample, case.name):
            if not bool(block.relevant.any()):
                continue
            c = block.explained(block.measured)
            rows = int(torch.Size(block.measured.shape[: block.axes]).numel())
            columns = max(1, block.measured.numel() // max(rows, 1))
            measured = block.measured.reshape(rows, -1)
            alone = bool(((measured != 0).sum(1) <= 1).all())
            if c is None or rows <= columns or not alone:
                return None
            lengths.append((c, rows // columns))
    if not lengths or any(abs(c * n - 1) > 1e-6 for c, n in lengths):
        return None
    return (Averaged(*lengths[0]),)


@once
def _couplings(case: Case) -> tuple[frozenset[str], frozenset[str]] | None:
    """The axes of the argument along which outputs depend on others; those of backward."""
    seen: set[tuple[frozenset[str], frozenset[str]]] = set()
    for sample in case.wrong:
        for block in blocks(sample, case.name):
            if not bool(block.wrong.any()):
                continue
            pairs = _aligned(block)
            if not pairs:
                return None
            seen.add(
                (_coupled(block.measured, block, pairs), _coupled(block.returned, block, pairs))
            )
    if len(seen) != 1:
        return None
    measured, returned = seen.pop()
    return None if measured == returned else (measured, returned)


def coupling(case: Case) -> Found:
    """Backward couples entries along other axes than forward."""
    axes = _couplings(case)
    return (Coupling(*axes),) if axes and not axes[1] < axes[0] else None


def uncoupled(case: Case) -> Found:
    """Backward treats entries as independent that are not."""
    axes = _couplings(case)
    return (Uncoupled(*axes),) if axes and axes[1] < axes[0] else None


def _aligned(block: Block) -> list[tuple[int, int]]:
    """Pairs (output axis, argument axis) with the same position and size."""
    shape = block.measured.shape
    out, arg = shape[: block.axes], shape[block.axes :]
    if out == arg:
        return [(a, block.axes + a) for a in range(block.axes)]
    left = [(a, block.axes + a) for a in range(min(len(out), len(arg))) if out[a] == arg[a] > 1]
    return left if len(out) == len(arg) else []


def _coupled(tensor: Tensor, block: Block, pairs: list[tuple[int, int]]) -> frozenset[str]:
    """The argument's axes along which an output depends on entries other than its own."""
    scale = float(block.measured[block.sure].abs().max())
    strong = (tensor.abs() > 1e-7 * scale) & block.sure
    found = set()
    for own, (a, b) in enumerate(pairs):
        apart = _differs(tensor, a, b)
        for other, (c, d) in enumerate(pairs):
            if other != own:
                apart = apart & ~_differs(tensor, c, d)
        if bool((strong & apart).any()):
            found.add(block.names[b])
    return frozenset(found)


def _differs(tensor: Tensor, a: int, b: int) -> Tensor:
    """Where the indices of two axes differ, as a mask that broadcasts."""
    grid = torch.arange(tensor.shape[a])[:, None] != torch.arange(tensor.shape[b])
    shape = [1] * tensor.ndim
    shape[a], shape[b] = grid.shape
    return grid.view(shape)


@once
def _moved(case: Case) -> tuple[frozenset[str], frozenset[str]] | None:
    """The axes along which the two gradients change when one entry of the argument is moved."""
    sample = case.first
    if sample.x.ndim < 2 or len(sample.returned) > 4 or sample.x.is_complex():
        return None
    index = tuple(length // 2 for length in sample.x.shape)
    inputs = list(sample.inputs)
    moved = sample.x.detach().clone()
    moved[index] += 0.3 * float(moved.abs().mean() or 1.0)
    inputs[case.argument] = moved
    try:
        evaluation = case.examined.evaluate(inputs, sample.point)
    except Exception:  # forward may refuse the moved inputs
        return None
    after = (
        next((s for s in evaluation.samples if s.argument == case.argument), None)
        if evaluation
        else None
    )
    if after is None:
        return None
    measured = _spread(after.measured.value - sample.measured.value, sample, index)
    returned = _spread(after.returned - sample.returned, sample, index)
    names = [f"{case.name}.shape[{axis}]" for axis in range(sample.x.ndim)]
    return frozenset(names[a] for a in measured), frozenset(names[a] for a in returned)


def coupling_by_experiment(case: Case) -> Found:
    """Where one entry is moved, backward changes along an axis along which forward does not."""
    axes = _moved(case)
    return (Coupling(*axes),) if axes and axes[1] - axes[0] else None


def uncoupled_by_experiment(case: Case) -> Found:
    """Where one entry is moved, forward changes along an axis along which backward does not."""
    axes = _moved(case)
    return (Uncoupled(*axes),) if axes and axes[0] - axes[1] else None


def _spread(change: Tensor, sample: Sample, index: tuple[int, ...]) -> set[int]:
    """The axes along which a gradient changed away from the entry that was moved."""
    shape = tuple(sample.x.shape)
    scale = float(sample.measured.value.abs().max())
    changed = (change.abs() > 1e-7 * scale).any(0).reshape(shape)
    found = set()
    for axis in range(len(shape)):
        here = list(index)
        line = changed[tuple(slice(None) if a == axis else here[a] for a in range(len(shape)))]
        others = torch.arange(shape[axis]) != index[axis]
        if bool(line[others].any()):
            found.add(axis)
    return found
