"""Deviations that the floating-point arithmetic of forward has, and backward only inherits.

The logarithm of a scale is an example: exp(-720) is denormal, its square is 0, a distance divided
by it is infinite, and exp(-inf) is a finite 0 again. 0 * inf is then nan in backward, in most
spellings of a right formula. What is not finite there shows no mistake in backward, as it does
where every number on the way is moderate: exp(-x) / (1 + exp(-x))**2 beside torch.sigmoid(x).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from derivable.examiner.measure import EPS
from derivable.examiner.measure.space import parted, real
from derivable.examiner.message import Message
from derivable.examiner.points import OTHER_RANGES, Kind, kind
from derivable.examiner.targets.extent import extent, extreme
from derivable.examiner.targets.target import Adapter, FunctionAdapter, Inputs

if TYPE_CHECKING:
    from derivable.examiner.checks.values import ExaminedTarget, Sample

BEYOND = OTHER_RANGES | {Kind.LARGE, Kind.TINY}
MOST_ROWS = 8  # of a Jacobian that are computed by autograd
CLOSER = 1e-3  # of a deviation: as near to autograd are entries that have its rounding


def accept(examined: ExaminedTarget, sample: Sample) -> list[Message]:
    """Accept wrong entries where forward overflows, or where autograd returns the same.

    Returns a note, the first time that entries are not finite.
    """
    if examined.right_inputs:
        _as_by_autograd(examined, sample)
    lost = sample.wrong & ~torch.isfinite(sample.returned)
    if not bool(lost.any()):
        return []
    key = ""
    if overflows(examined, sample.inputs, sample.point):
        key = "note.overflow"
    elif kind(sample) in BEYOND and _autograd_is_not_finite(examined, sample):
        key = "note.overflow_of_autograd"
    if not key:
        return []
    sample.wrong &= ~lost
    sample.unsettled |= lost
    if examined.overflows:
        return []
    examined.overflows = True
    returned = f"{float(sample.returned[lost][0]):g}"
    return [Message(key, {"point": sample.point, "returned": returned})]


def overflows(examined: ExaminedTarget, inputs: Inputs, point: Message) -> bool:
    """Whether forward overflows at `inputs`.

    At a large argument also whether it does so at one of the other sign: then it takes the
    exponential of the argument, and underflows here. There numbers count beside which 1 is nothing.
    """
    if point.key != Kind.LARGE.value:
        return _leaves_range(examined.adapter, inputs, math.inf)
    turned = [
        -v if i in examined.wanted and examined.name(i, inputs) == point.fields["argument"] else v
        for i, v in enumerate(inputs)
    ]
    return any(_leaves_range(examined.adapter, trial, 1 / EPS) for trial in (inputs, turned))


def by_autograd(examined: ExaminedTarget, inputs: Inputs, vector: Tensor) -> dict[int, Tensor]:
    """The gradients for one grad_output by autograd through forward's own operations.

    Without those of which autograd sees no operations.
    """
    adapter = examined.adapter
    if not isinstance(adapter, FunctionAdapter) or adapter.random:
        return {}
    leaves = [
        v.detach().clone().requires_grad_() if i in examined.wanted else v
        for i, v in enumerate(inputs)
    ]
    adapter.budget.spend(2)
    try:
        outputs = adapter.traced(leaves)
        given = [g.to(o.dtype) for g, o in zip(parted(vector, outputs), outputs, strict=True)]
        found = torch.autograd.grad(
            outputs, [leaves[i] for i in examined.wanted], given, allow_unused=True
        )
    except Exception:  # such as an output that autograd does not follow
        return {}
    pairs = zip(examined.wanted, found, strict=True)
    return {i: real(gradient) for i, gradient in pairs if gradient is not None}


def _leaves_range(adapter: Adapter, inputs: Inputs, limit: float) -> bool:
    try:
        return extreme(inputs) or extent(adapter, inputs, limit).large
    except Exception:  # forward may raise where an argument has the other sign
        return False


def _as_by_autograd(examined: ExaminedTarget, sample: Sample) -> None:
    """Accept entries that autograd through forward returns as well: they have its rounding."""
    off = (sample.returned - sample.measured.value).abs()
    rows = [int(row) for row in sample.wrong.any(1).nonzero()]
    for row in rows[:MOST_ROWS]:
        vector = torch.zeros(len(sample.returned)).double()
        vector[row] = 1.0
        found = by_autograd(examined, sample.inputs, vector).get(sample.argument)
        if found is None:
            return
        sample.wrong[row] &= ~((found - sample.returned[row]).abs() <= CLOSER * off[row])
    if not bool(sample.wrong[rows[:MOST_ROWS]].any()):
        sample.wrong[:] = False  # the other rows have the same accuracy


def _autograd_is_not_finite(examined: ExaminedTarget, sample: Sample) -> bool:
    """Whether autograd through forward's own operations returns nan or infinity, too."""
    ones = torch.ones(len(sample.returned)).double()
    found = by_autograd(examined, sample.inputs, ones)
    return any(not bool(torch.isfinite(gradient).all()) for gradient in found.values())
