"""The check of units: a homogeneous forward has the same gradient at scaled inputs.

If forward is homogeneous, such as a distance, a maximum or a linear map, inputs multiplied by a
power of two give outputs multiplied by it, with the same bits. The gradient is then unchanged, and
a formula that overflows in between, such as x / sqrt(x * x + y * y), loses it. A forward that is
not homogeneous is skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.checks.calls import random_grad_output
from derivable.examiner.checks.returned import Problem, fit
from derivable.examiner.checks.values import ExaminedTarget
from derivable.examiner.measure.extrapolation import largest_of, size_of
from derivable.examiner.measure.space import joined, real, unreal
from derivable.examiner.message import Message
from derivable.examiner.targets.target import Inputs

SCALES = (2.0**532, 2.0**-532)  # whose squares overflow and underflow


def units(examined: ExaminedTarget, inputs: Inputs) -> list[Problem]:
    """Problems with the gradients of a homogeneous forward at very small and very large inputs."""
    if not examined.values:
        return []
    groups = [[i] for i in examined.wanted]
    if len(groups) > 1:
        groups = [examined.wanted, *groups]
    # First with a factor of 2, because an adaptive solver may never end at an extreme scale.
    groups = [group for group in groups if _in_proportion(examined, inputs, group, 2.0)]
    gradients = _gradients(examined, inputs, examined.wanted)
    aside = _aside(inputs, examined.wanted)
    problems: dict[int, Problem] = {}
    for scale in SCALES:
        for group in groups:
            if not all(_in_proportion(examined, at, group, scale) for at in (inputs, aside)):
                continue
            scaled = _scaled(inputs, group, scale)
            there = _gradients(examined, scaled, group)
            for i in group:
                problem = _changed(i, gradients.get(i), there.get(i), scale)
                examined.comparisons += 1
                if problem is not None:
                    problem.inputs = scaled
                    problems.setdefault(i, problem)
    return list(problems.values())


def _scaled(inputs: Inputs, group: Sequence[int], scale: float) -> list[Any]:
    return [v * scale if i in group else v for i, v in enumerate(inputs)]


def _aside(inputs: Inputs, wanted: Sequence[int]) -> list[Any]:
    """Inputs near the given ones, because zeros among these may make any function homogeneous."""
    generator = torch.Generator().manual_seed(19)
    moved = list(inputs)
    for i in wanted:
        x = real(inputs[i])
        noise = 0.05 * torch.rand(len(x), generator=generator).double()
        moved[i] = unreal(x + noise * x.abs().clamp_min(size_of(x) or 1.0), inputs[i])
    return moved


def _in_proportion(
    examined: ExaminedTarget, inputs: Inputs, group: Sequence[int], scale: float
) -> bool:
    """Whether forward's outputs are scaled as its inputs are, to the last bit."""

    def outputs(at: Inputs) -> Tensor:
        run = examined.run(at)
        return joined([run.outputs[i] for i in run.differentiable])

    before = outputs(inputs)
    expected = before * scale
    if not bool(before.any()) or not bool(torch.isfinite(expected).all()):
        return False
    return torch.equal(outputs(_scaled(inputs, group, scale)), expected)


def _gradients(
    examined: ExaminedTarget, inputs: Inputs, chosen: Sequence[int]
) -> dict[int, Tensor]:
    """The gradients of the chosen arguments for a random grad_output."""
    run = examined.run(inputs)
    returned = examined.vjp(run, inputs, random_grad_output(run))
    fitted = {i: fit(returned, i, inputs[i]) for i in chosen}
    return {i: real(g) for i, g in fitted.items() if g is not None}


def _changed(
    argument: int, before: Tensor | None, after: Tensor | None, scale: float
) -> Problem | None:
    """The problem if finite entries of a gradient have changed; None if they agree."""
    if before is None or after is None or before.shape != after.shape:
        return None
    usual = largest_of(before)
    off = torch.isfinite(before) & ~((after - before).abs() <= 1e-6 * usual)
    if not bool(off.any()):
        return None
    evidence = Message("evidence.units", {"count": int(off.sum()), "all": len(off)})
    point = Message("point.units", {"scale": f"{scale:.1g}"})
    return Problem("not_finite", argument, (evidence,), point=point)
