"""One vector-Jacobian product per argument, as returned and as measured, for the report's maps."""

from __future__ import annotations

import torch

from derivable.examiner.checks.calls import random_grad_output
from derivable.examiner.checks.check import ResultsSoFar, Setup
from derivable.examiner.checks.returned import fit
from derivable.examiner.measure.budget import BudgetSpent
from derivable.examiner.measure.space import unreal
from derivable.examiner.report import Gradient


def gradients(setup: Setup, so_far: ResultsSoFar) -> dict[str, Gradient]:
    """The gradients at the given inputs by argument; empty if Jacobians were not computed."""
    evaluation = so_far.given
    if evaluation is None or not evaluation.samples:
        return {}
    examined = setup.examined
    try:
        run = examined.run(evaluation.inputs)
        u = random_grad_output(run)
        returned = examined.vjp(run, evaluation.inputs, u)
    except (Exception, BudgetSpent):  # reported by the checks
        return {}
    found = {}
    for sample in evaluation.samples:
        like = sample.x.to(torch.complex128 if sample.x.is_complex() else torch.float64)
        found[examined.name(sample.argument, setup.inputs)] = Gradient(
            fit(returned, sample.argument, sample.x),
            unreal(u @ sample.measured.value, like),
            unreal(u.abs() @ sample.measured.error.nan_to_num(0.0, 0.0), like).abs(),
        )
    return found
