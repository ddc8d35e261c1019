"""Causes that are found by experiments: running again with one change."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from derivable.examiner.checks.values import GIVEN
from derivable.examiner.diagnose.case import Case
from derivable.examiner.diagnose.evidence import EvidenceWithFields, Fact, Found
from derivable.examiner.measure.space import real
from derivable.examiner.points import GIVEN_SIZES, kind
from derivable.examiner.targets.recorder import changed_after_saving as changed_tensors
from derivable.examiner.targets.target import FunctionAdapter, FunctionRun


@dataclass(frozen=True)
class Changed(EvidenceWithFields):
    """The saved tensor at this position, or of this name, was changed after it was saved."""

    key = "evidence.changed"
    position: str


def changed_after_saving(case: Case) -> Found:
    """The gradient is right with copies of saved tensors: one was changed after it was saved."""
    adapter, sample = case.examined.adapter, case.first
    if not isinstance(adapter, FunctionAdapter):
        return None
    run = case.examined.run(sample.inputs)
    changed = changed_tensors(run.ctx) if isinstance(run, FunctionRun) else []
    if not changed:
        return None
    position = changed[0]
    adapter.protect = True
    try:
        evaluation = case.examined.evaluate(sample.inputs, sample.point)
    finally:
        adapter.protect = False
    if evaluation is None or any(
        s.count for s in evaluation.samples if s.argument == case.argument
    ):
        return None
    return (Changed(position),)


def stale(case: Case) -> Found:
    """The gradient returned at other inputs is the one that was right at the first ones."""
    evaluations = [evaluation for evaluation in case.evaluations if evaluation.whole]
    if not evaluations or not evaluations[0].samples:
        return None
    shape = evaluations[0].samples[0].returned.shape
    same = [
        s
        for evaluation in evaluations
        for s in evaluation.samples
        if kind(s) in GIVEN_SIZES and s.argument == case.argument and s.returned.shape == shape
    ]
    if len(same) < 2:
        return None
    first, later = same[0], [s for s in same[1:] if s.count]
    for sample in later:
        gap = (sample.returned - first.returned).abs().max()
        moved = (sample.measured.value - first.measured.value).abs().nan_to_num(0.0).max()
        if bool(gap <= 1e-12 * first.returned.abs().max()) and bool(moved > 1e-6):
            live = (first.measured.value != 0) | (sample.measured.value != 0)
            known = first.returned[live].abs()
            # A slope that is one number everywhere is the same at other inputs too.
            if first.off <= GIVEN and len(known) and bool(known.max() > 1.001 * known.min()):
                return (Fact.STALE,)
    return None


def frozen(case: Case) -> Found:
    """Forward gives the same outputs for other inputs, where backward implies others."""
    samples = [s for s in case.all_samples() if s.returned.shape == case.first.returned.shape]
    outputs = [torch.cat([real(o) for o in s.outputs]) for s in samples]
    if len(outputs) < 2 or not all(torch.equal(o, outputs[0]) for o in outputs[1:]):
        return None
    moved = any(not torch.equal(s.x, samples[0].x) for s in samples[1:])
    if len(outputs[0].unique()) < 2:
        return None  # a constant function, not a cached output
    if not moved or bool((case.first.measured.value != 0).any()):
        return None
    return (Fact.FROZEN,)
