"""The number of gradients where an input is zero: `if b:` in forward or backward branches there.

Special values are else asked of an argument only where its domain seems to hold them; zero in a
positive argument may lie outside of it. Here no value is compared, so that it may be asked of all.
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
    """As many gradients as inputs where one input is zero, in one entry or in all of them."""
    for i in examined.wanted:
        for where, value in _zeroed(inputs[i], examined.name(i, inputs)):
            moved = [value if j == i else v for j, v in enumerate(inputs)]
            problems = _counted(examined, moved)
            for problem in problems:
                problem.where, problem.inputs = where, moved
            if problems:
                return problems
    return []


def _zeroed(x: Tensor, name: str) -> Iterator[tuple[Message, Tensor]]:
    if x.numel() > 1:
        single = x.clone()
        single.reshape(-1)[0] = 0
        yield Message("where.zero", {"argument": name}), single
    yield Message("where.zeros", {"argument": name}), torch.zeros_like(x)


def _counted(examined: ExaminedTarget, inputs: Inputs) -> list[Problem]:
    try:
        run = examined.run(inputs)
        if not run.smooth or not all(
            bool(torch.isfinite(run.outputs[i]).all()) for i in run.smooth
        ):
            return []
        returned = examined.vjp(run, inputs, random_grad_output(run))
    except Exception:  # forward refuses zero, which it may, and so may backward
        return []
    examined.comparisons += 1
    return [p for p in contract(examined, returned, inputs) if p.cause == "count"]
