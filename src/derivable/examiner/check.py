"""`check` and `check_gradient`: examine a target, and report what is wrong and why.

The examiner runs the code that it examines: check only what you would run.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.checks import CHECKS
from derivable.examiner.checks.authoring import old_names
from derivable.examiner.checks.check import Check
from derivable.examiner.checks.given import AlongDirections
from derivable.examiner.examination import examine
from derivable.examiner.examples import chosen
from derivable.examiner.inputs.contract_text import bound
from derivable.examiner.inputs.contracts_of_entries import FixedSize
from derivable.examiner.inputs.declared import Declaration, declared
from derivable.examiner.report import Report
from derivable.examiner.settings import USUAL, Settings
from derivable.examiner.targets.adapters import adapter_of
from derivable.examiner.targets.pair import PairAdapter
from derivable.examiner.targets.placement import Placement
from derivable.examiner.targets.random_state import unchanged_random_state
from derivable.examiner.targets.sparse import through_values
from derivable.examiner.targets.target import Adapter
from derivable.examiner.unrunnable import stopped, unrunnable, unrunnable_at
from derivable.function.compiled import without_importing_dynamo
from derivable.threads import on_one_thread


def check(target: Any, *inputs: Any, settings: Settings = USUAL, **options: Any) -> Report:
    """Examine the gradients of `target` at `inputs` and around them.

    target    a torch.autograd.Function (ours, or PyTorch's in either style), a plain class with a
              forward and a backward, a custom operator, a function of JAX with a rule of its own,
              or a callable or torch.nn.Module; a module's parameters are examined too
    inputs    what forward takes, in its order. Tensors that require grad are examined; if none
              does, all floating-point ones are. Without inputs, target.examples() are taken, else
              inputs are found, and a note states them
    settings  see Settings
    options   settings by name, as in check(f, x, level="lab"); other options are passed to forward
              as keywords

    The attributes `contracts`, `surrogate` and `surrogate_of` of a class, and declarations by
    `declare`, apply where the settings have none. Runs the target's code many times. The global
    random generators keep their states. Raises InputError for inputs that cannot be examined,
    SettingError for invalid settings and contracts.
    """
    settings, options = settings.taken_from(options)
    with _examining():
        target = _unwrapped(target)
        known = _declared(target, settings)
        settings = replace(settings, surrogate=known.surrogate, surrogate_of=known.surrogate_of)
        adapter = adapter_of(target, options)
        whole = unrunnable(adapter, settings)
        if whole is not None:
            return whole
        own = known.examples or getattr(target, "examples", None)
        found = chosen(target, adapter, inputs, options, own, settings.seed)
        if not found.examples:
            return stopped(adapter, (), settings, notes=found.notes)
        reports = []
        for example in found.examples:
            stop = unrunnable_at(adapter, example, settings)  # a report that is not right is false
            report = _report(adapter, example, known, settings) if stop is None else stop
            reports.append(report)
    report = reports[0] if len(reports) == 1 else Report.merged(reports)
    return replace(report, notes=(*found.notes, *old_names(adapter), *report.notes))


def check_gradient(
    value: Callable[[Any], Any],
    gradient: Callable[[Any], Any] | None = None,
    *,
    at: Any,
    settings: Settings = USUAL,
    **options: Any,
) -> Report:
    """Examine a gradient that is computed beside a value, such as an optimiser's objective.

    value      theta -> a number (NumPy or PyTorch)
    gradient   theta -> its gradient, of the shape of theta; None if `value` returns both
    at         theta: an array, a tensor, or a sequence or mapping of them
    settings, options  as of `check`

    Raises InputError if the value is no single number, or theta holds no floating-point array.
    """
    settings = settings.changed(options)
    with _examining():
        adapter = PairAdapter(value, gradient, at)
        report = examine(adapter, adapter.leaves, settings)
        return replace(report, target=(value, gradient), example=(at,))


@contextmanager
def _examining() -> Iterator[None]:
    """The global state of an examination: gradients enabled, other states restored afterwards."""
    with (
        unchanged_random_state(),
        torch.inference_mode(False),
        torch.enable_grad(),
        without_importing_dynamo(),
    ):
        yield


def _unwrapped(target: Any) -> Any:
    """The class of `mse = MSE.apply`, or of a partial of it; any other target as it is."""
    if isinstance(target, functools.partial) and not target.args and not target.keywords:
        return _unwrapped(target.func)
    own = getattr(target, "__self__", None)
    return own if getattr(target, "__name__", "") == "apply" and isinstance(own, type) else target


def _declared(target: Any, settings: Settings) -> Declaration:
    """The declaration of the target: by the settings, its class, or `declare`."""
    given = Declaration(None, settings.contracts, settings.surrogate, settings.surrogate_of)
    known = given.over(declared(target))
    return known if known.surrogate_of is None else replace(known, surrogate=None)


def check_along_directions(
    target: Any, adapter: Adapter, example: Sequence[Any], settings: Settings
) -> Report:
    """The report on gradients along random directions at one example, for large inputs.

    Declarations apply as in `check`. Raises what forward raises.
    """
    with _examining():
        known = _declared(target, settings)
        settings = replace(settings, surrogate=known.surrogate, surrogate_of=known.surrogate_of)
        return _report(adapter, example, known, settings, checks=(AlongDirections(),))


def _report(
    adapter: Adapter, example: Sequence[Any], known: Declaration, settings: Settings,
    checks: Sequence[Check] = CHECKS,
) -> Report:  # fmt: skip
    """The report on one example, in which sparse tensors are examined through their values."""
    names = adapter.names(len(example))
    adapter.placement = Placement.of(example)
    here = adapter.placement.here(list(example))
    contracts = bound(known.contracts, names, here, adapter.name)
    values, sparse = through_values(here, names, adapter.name)
    adapter.forms = {**contracts, **sparse}
    fixed = {i: FixedSize() for i in sparse}
    adapter.surrogate_of = known.surrogate_of
    entries = sum(v.numel() for v in example if isinstance(v, Tensor))
    with on_one_thread(entries):
        report = examine(adapter, values, settings, {**contracts, **fixed}, checks)
    if not sparse and not adapter.placement.devices:
        return report
    findings = tuple(
        replace(f, inputs=adapter.placement.there(adapter.given(f.inputs) if sparse else f.inputs))
        for f in report.findings
    )
    return replace(report, findings=findings, example=tuple(example))
