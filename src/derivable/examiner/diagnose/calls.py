"""Causes in how a Function is called: the caller, the grad_output, the random numbers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.diagnose.case import Case
from derivable.examiner.diagnose.evidence import EvidenceWithFields, Fact, Found
from derivable.examiner.targets.applying import applying
from derivable.examiner.targets.callables import CallableAdapter
from derivable.examiner.targets.target import FunctionRun, copied


@dataclass(frozen=True)
class HiddenOutput(EvidenceWithFields):
    """The grad_output of an output that has no gradient is used."""

    key = "evidence.hidden_output"
    output: int


@dataclass(frozen=True)
class OtherMask(EvidenceWithFields):
    """Numbers of entries that are wrongly 0 and wrongly not 0, as with another random mask."""

    key = "evidence.other_mask"
    lost: int
    superfluous: int


def changed_by_the_caller(case: Case) -> Found:
    """The gradient is right if Functions receive and return copies: the caller changes tensors."""
    if not isinstance(case.examined.adapter, CallableAdapter):
        return None
    sample = case.first
    try:
        with _copies():
            evaluation = case.examined.evaluate(sample.inputs, sample.point)
    except Exception:  # such as a Function that works in place on purpose
        return None
    again = [s for s in evaluation.samples if s.argument == case.argument] if evaluation else []
    if len(again) != 1 or again[0].count or not bool(again[0].sure[sample.wrong].all()):
        return None
    return (Fact.CHANGED_BY_CALLER,)


def _copies() -> AbstractContextManager[None]:
    """Under autograd, `.apply` of any Function works on copies and returns copies."""

    def own(value: Any) -> Any:
        return value.clone() if isinstance(value, Tensor) else value

    def apply(original: Callable[..., Any], cls: Any, *inputs: Any) -> Any:
        returned = original(cls, *map(own, inputs))
        return tuple(map(own, returned)) if isinstance(returned, tuple) else own(returned)

    return applying(apply)


def hidden_grad_output(case: Case) -> Found:
    """The gradient depends on the grad_output of a non-differentiable output, such as an index."""
    sample, examined = case.first, case.examined
    run = examined.run(sample.inputs)
    hidden = [
        i
        for i, o in enumerate(run.outputs)
        if isinstance(o, Tensor) and i not in run.differentiable
    ]
    if not isinstance(run, FunctionRun) or not hidden:
        return None
    differentiable = [torch.zeros_like(run.outputs[i]) for i in run.differentiable]
    spread: list[Any] = run.spread(differentiable)
    generator = torch.Generator().manual_seed(17)
    for i in hidden:
        spread[i] = torch.randn(run.outputs[i].shape, generator=generator).double()
        try:
            returned = run.vjp_of_all([copied(g, False) for g in spread])
        except Exception:  # it is never called so
            continue
        finally:
            spread[i] = None
        gradient = returned[case.argument] if case.argument < len(returned) else None
        if isinstance(gradient, Tensor) and bool((gradient != 0).any()):
            return (HiddenOutput(i),)
    return None


def redrawn(case: Case) -> Found:
    """Forward draws a random mask, and backward uses another one."""
    if not case.examined.adapter.random:
        return None
    lost = superfluous = shared = 0
    for sample in case.wrong:
        known = sample.sure
        measured, returned = sample.measured.value[known], sample.returned[known]
        scale = float(measured.abs().max()) if len(measured) else 0.0
        there, here = measured.abs() > 1e-9 * scale, returned.abs() > 1e-9 * scale
        lost += int((there & ~here).sum())
        superfluous += int((here & ~there).sum())
        both = there & here
        shared += int(both.sum())
        if bool(((measured - returned).abs() > 1e-6 * scale)[both].any()):
            return None
    if not (lost and superfluous and shared):
        return None
    return (OtherMask(lost, superfluous),)
