"""`smaller`: reduces the inputs of a recorded call, as far as forward accepts them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.inputs.probes import Probes
from derivable.examiner.targets.random_state import seeded
from derivable.examiner.targets.target import is_float

FEW = 64  # entries that are examined as they are: a Jacobian costs their square
# A side that is not made shorter, and what longer ones become: in this order, if they are free.
# The second time is for tensors of many dimensions.
TIMES = ((5, (5, 7, 4, 6, 3)), (2, (3, 2)))

Forward = Callable[[Sequence[Any]], Sequence[Any]]


def smaller(forward: Forward, inputs: Sequence[Any]) -> list[Any]:
    """Inputs like these with shorter sides, each as far as `forward` runs on them.

    forward  inputs -> outputs
    inputs   of one call; equal sides stay equal, and new values are drawn from the old ones, so
             that positive numbers stay positive, labels labels, and symmetric matrices symmetric
    """
    now = list(inputs)
    if any(isinstance(v, Tensor) and v.layout is not torch.strided for v in now):
        return now  # such as a sparse one, whose pattern would be lost
    for short, sides in TIMES:
        for side in _long_sides(now, short):
            if sum(v.numel() for v in now if is_float(v)) <= FEW:
                return now
            candidates = _shortened(now, side, sides)
            now = next((c for c in candidates if _runs(forward, c)), now)
    return now


def _long_sides(inputs: Sequence[Any], short: int) -> list[int]:
    """All lengths that are to be shortened: that of a batch first, then the longest."""
    shapes = [v.shape for v in inputs if isinstance(v, Tensor)]
    batch = next((shape[0] for shape in shapes if shape), 0)
    sides = {side for shape in shapes for side in shape if side > short}
    return sorted(sides, key=lambda side: (side != batch, -side))


def _shortened(inputs: Sequence[Any], side: int, sides: Sequence[int]) -> Iterator[list[Any]]:
    """The inputs with one length replaced; then in integer options, too."""
    wanted = [i for i, v in enumerate(inputs) if is_float(v)]
    taken = {length for v in inputs if isinstance(v, Tensor) for length in v.shape}
    short = next((n for n in sides if n < side and n not in taken), sides[-1])
    probes = Probes(inputs, wanted, 0, len(inputs))
    for options in (False, True):
        yield [
            new if isinstance(new, Tensor) and side in old.shape
            else old if isinstance(new, Tensor) else new
            for old, new in zip(inputs, probes.resized({side: short}, options), strict=True)
        ]  # fmt: skip


def _runs(forward: Forward, inputs: Sequence[Any]) -> bool:
    """Whether forward takes the inputs and returns finite numbers."""
    try:
        with warnings.catch_warnings(), torch.no_grad(), seeded(0):
            warnings.simplefilter("ignore")
            outputs = forward(inputs)
    except Exception:  # whatever the user's forward raises
        return False
    return all(bool(torch.isfinite(o).all()) for o in outputs if is_float(o))
