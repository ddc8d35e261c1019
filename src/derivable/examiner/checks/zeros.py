"""The number of gradients where an input is zero, at which `if b:` in a rule branches.

Other checks use zero only if it seems to be in the domain of an argument. Here no values are
compared, so that zero is tried for every argument.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from derivable.examiner.checks.calls import random_grad_output
from derivable.examiner.checks.returned import Problem, contract
from derivable.examiner.checks.values import ExaminedTarget
from derivable.examiner.message import Message
from derivable.examiner.targets.target import Inputs


def counted_at_zero(examined: ExaminedTarget, inputs: Inputs) -> list[Problem]:
    """Problems with the number of gradients where one input is zero, in one or all entries."""
    for i in examined.wanted:
        for point, value in _zeroed(inputs[i], examined.name(i, inputs)):
            moved = [value if j == i else v for j, v in enumerate(inputs)]
            problems = _counted(examined, moved)
            for problem in problems:
                problem.point, problem.inputs = point, moved
            if problems:
                return problems
    return []


def _zeroed(x: Tensor, name: str) -> Iterator[tuple[Message, Tensor]]:
    if x.numel() > 1:
        single = x.clone()
        single.reshape(-1)[0] = 0
        yield Message("point.zero", {"argument": name}), single
    yield Message("point.zeros", {"argument": name}), torch.zeros_like(x)


def _counted(examined: ExaminedTarget, inputs: Inputs) -> list[Problem]:
    try:
        run = examined.run(inputs)
        if not run.differentiable or not all(
            bool(torch.isfinite(run.outputs[i]).all()) for i in run.differentiable
        ):
            return []
        returned = examined.vjp(run, inputs, random_grad_output(run))
    except Exception:  # forward and backward may raise at zero
        return []
    examined.comparisons += 1
    return [p for p in contract(examined, returned, inputs) if p.cause == "count"]
