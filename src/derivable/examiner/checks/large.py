"""Examples too large for whole Jacobians: compared along random directions."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from derivable.examiner.checks.calls import random_grad_output
from derivable.examiner.checks.returned import Problem, fit
from derivable.examiner.checks.values import ExaminedTarget
from derivable.examiner.measure.space import real, size
from derivable.examiner.message import Message
from derivable.examiner.targets.derivatives import TargetDerivatives
from derivable.examiner.targets.target import Inputs

DIRECTIONS = 3


def directions(examined: ExaminedTarget, inputs: Inputs) -> list[Problem]:
    """Problems where <grad_output, J v> differs from <backward(grad_output), v> for random v."""
    run = examined.run(inputs)
    vector = random_grad_output(run)
    returned = examined.vjp(run, inputs, vector)
    numeric = TargetDerivatives(examined.adapter, inputs, run.differentiable)
    problems = []
    for i in examined.wanted:
        gradient = fit(returned, i, inputs[i])
        if gradient is None or not examined.values:
            continue
        g = real(gradient)
        for seed in range(DIRECTIONS):
            generator = torch.Generator().manual_seed(100 + seed)
            direction = torch.randn(size(inputs[i]), generator=generator).double()
            examined.comparisons += 1
            evidence = _compare(numeric, i, direction, g, vector)
            if evidence is None:
                continue
            entry, entry_evidence = _worst(numeric, i, g, vector, tuple(inputs[i].shape))
            direction[entry] = 0.0
            alone = (
                entry_evidence is not None and _compare(numeric, i, direction, g, vector) is None
            )
            cause = "part_only" if alone else "unrecognised"
            problems.append(
                Problem(cause, i, (evidence, entry_evidence) if entry_evidence else (evidence,))
            )
            break
    return problems


def _compare(
    numeric: TargetDerivatives, argument: int, direction: Tensor, gradient: Tensor, vector: Tensor
) -> Message | None:
    """The message if the two differ along `direction`; None if they agree."""
    measured = numeric.along(argument, direction)
    expected = float(vector @ measured.value)
    error = 5 * float((vector * measured.error).square().sum().sqrt()) + 1e-12 * float(
        vector.norm() * measured.value.norm()
    )
    terms = gradient * direction
    got = float(terms.sum())
    slack = error + 1e-9 * float(terms.square().sum().sqrt())
    if not torch.isfinite(measured.value).all() or abs(got - expected) <= slack:
        return None
    if error > 1e-3 * float(terms.square().sum().sqrt()):
        return None  # the numerical derivative is too inaccurate
    fields = {"returned": f"{got:.8g}", "measured": f"{expected:.8g}", "error": f"{error:.1g}"}
    return Message("evidence.direction", fields)


def _worst(
    numeric: TargetDerivatives,
    argument: int,
    gradient: Tensor,
    vector: Tensor,
    shape: tuple[int, ...],
) -> tuple[int, Message | None]:
    """The position of one wrong entry, found by bisection, and the evidence about it."""
    low, high = 0, len(gradient)
    generator = torch.Generator().manual_seed(1)
    signs = torch.randn(len(gradient), generator=generator).double()
    while high - low > 1:
        middle = (low + high) // 2
        direction = torch.zeros_like(gradient)
        direction[low:middle] = signs[low:middle]
        if _compare(numeric, argument, direction, gradient, vector) is not None:
            high = middle
        else:
            low = middle
    direction = torch.zeros_like(gradient)
    direction[low] = 1.0
    evidence = _compare(numeric, argument, direction, gradient, vector)
    if evidence is None:
        return low, None
    entry = low * math.prod(shape) // len(gradient)  # of two parts where it is complex
    index = tuple(int(i) for i in torch.unravel_index(torch.tensor(entry), shape))
    return low, Message("evidence.direction_entry", {"index": index, **evidence.fields})
