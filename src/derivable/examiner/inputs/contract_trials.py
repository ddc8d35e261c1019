"""What forward and backward do beside a contract that the given value fulfils."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.inputs.contracts import Contract, Definite, Symmetric
from derivable.examiner.measure.space import joined, parted, real
from derivable.examiner.targets.derivatives import TargetDerivatives
from derivable.examiner.targets.random_state import seeded
from derivable.examiner.targets.target import SEED, Adapter, Inputs

ASIDE = 1e-3  # of an argument's size: how far it leaves its contract to see what forward does
TRIANGLES = (0.1, 1e-6)  # the same for whole triangles: a large change may not be positive definite
PAIR = 1e-6  # and for single entries
MOST_SIDES = 12  # of a matrix whose entries are changed one by one
EXACTLY = 1e-7  # relative deviation of a derivative along the contract


def refuses(adapter: Adapter, inputs: Inputs, position: int, contract: Contract) -> bool:
    """Whether forward raises a little beside the contract, and not as far along it."""
    x = inputs[position]
    generator = torch.Generator().manual_seed(29)
    aside = torch.randn(x.shape, generator=generator, dtype=torch.float64).to(x.dtype)
    moved = x + ASIDE * x.abs().max() * aside
    along = contract.restore(contract.nearest(moved)) if not isinstance(contract, Definite) else (
        contract.nearest(moved)
    )  # fmt: skip
    if contract.holds(moved) or not contract.holds(along):
        return False
    at = (_outputs(adapter, inputs, position, value) for value in (along, moved))
    return next(at) is not None and next(at) is None


def reads_one_triangle(adapter: Adapter, inputs: Inputs, position: int, contract: Contract) -> bool:
    """Whether one triangle of a symmetric matrix changes nothing, and the other does."""
    if not isinstance(contract, Symmetric):
        return False
    x = inputs[position]
    at = _outputs(adapter, inputs, position, x)
    for size in TRIANGLES:
        aside = size * x.abs().max() * torch.ones_like(x)
        above, below = (
            _outputs(adapter, inputs, position, moved)
            for moved in (x + aside.triu(1), x + aside.tril(-1))
        )
        if at is not None and above is not None and below is not None:
            return _same(at, above) != _same(at, below)
    return False


def reads_one_of_each_pair(
    adapter: Adapter, inputs: Inputs, position: int, contract: Contract
) -> bool:
    """Whether outputs depend on one entry at most of each pair (i, j), (j, i) of a matrix.

    A factorisation with pivots reads the rows in any order, another one for each matrix of a batch,
    and a few of them only. Pairs of one row alone are no evidence, because forward
    may use this row, unless there is but one pair.
    """
    x = inputs[position]
    if not isinstance(contract, Symmetric) or not 2 <= x.shape[-1] <= MOST_SIDES:
        return False
    at = _outputs(adapter, inputs, position, x)
    read: list[set[int]] = []
    for i, j in torch.combinations(torch.arange(x.shape[-1])).tolist():
        changes = [_changed(adapter, inputs, position, entry, at) for entry in ((i, j), (j, i))]
        if None in changes or all(changes):
            return False
        if any(changes):
            read.append({i, j})
    return bool(read) and (x.shape[-1] == 2 or not set.intersection(*read))


def _changed(
    adapter: Adapter, inputs: Inputs, position: int, entry: tuple[int, int], at: Any
) -> bool | None:
    """Whether outputs change with one entry of the first matrix; None where forward raises."""
    moved = inputs[position].clone(memory_format=torch.contiguous_format)
    moved.view(-1, *moved.shape[-2:])[0, *entry] += PAIR * moved.abs().max()
    outputs = _outputs(adapter, inputs, position, moved)
    return None if at is None or outputs is None else not _same(at, outputs)


def returns_symmetric_part(
    adapter: Adapter, inputs: Inputs, position: int, contract: Contract
) -> bool:
    """Whether backward returns the symmetric part of a derivative that is not symmetric.

    A gradient that is transposed by mistake is not symmetric, nor is one of another formula.
    """
    if not isinstance(contract, Symmetric) or not adapter.by_hand:
        return False
    try:
        return _symmetric_part(adapter, inputs, position)
    except Exception:  # forward or backward may raise, or return another number of gradients
        return False


def _symmetric_part(adapter: Adapter, inputs: Inputs, position: int) -> bool:
    x = inputs[position]
    run = adapter.run(inputs, [position])
    outputs = [run.outputs[i] for i in run.differentiable]
    generator = torch.Generator().manual_seed(31)
    vector = torch.randn(len(joined(outputs)), generator=generator).double()
    returned = run.vjp(parted(vector, outputs))[position]
    if not isinstance(returned, Tensor) or returned.shape != x.shape or x.shape[-1] < 2:
        return False
    size = float(returned.abs().max())
    rounding = 64 * torch.finfo(returned.dtype).eps
    if size == 0 or not bool((returned - returned.mT).abs().max() <= rounding * size):
        return False
    numeric = TargetDerivatives(adapter, inputs, run.differentiable)

    def deviation(direction: Tensor) -> tuple[float, float]:
        """How far the returned derivative along it is off, and the error of the measured one."""
        measured = numeric.along(position, real(direction))
        off = float((measured.value @ vector) - (returned * direction).double().sum())
        return abs(off), float(5 * measured.error @ vector.abs())

    drawn = _directions(x)
    aside = next(drawn)
    off, error = deviation(aside - aside.mT)
    if not off > max(error, ASIDE * size):  # the derivative is symmetric itself
        return False
    along = (deviation(direction + direction.mT) for direction in drawn)
    return all(off <= min(error + EXACTLY * size, ASIDE * size) for off, error in along)


def _directions(x: Tensor) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(37)
    for _ in range(3):
        yield torch.randn(x.shape, generator=generator, dtype=torch.float64).to(x.dtype)


def _outputs(
    adapter: Adapter, inputs: Inputs, position: int, value: Tensor
) -> tuple[Any, ...] | None:
    """The outputs with `value` at `position`, from the same seed each time; None if it raises."""
    changed = [*inputs[:position], value, *inputs[position + 1 :]]
    try:
        with seeded(SEED):
            return adapter.value(changed)
    except Exception:  # whatever forward raises for what it does not take
        return None


def _same(first: Sequence[Any], second: Sequence[Any]) -> bool:
    return all(
        a.shape == b.shape and bool(torch.equal(a, b))
        for a, b in zip(first, second, strict=True)
        if isinstance(a, Tensor) and isinstance(b, Tensor)
    )
