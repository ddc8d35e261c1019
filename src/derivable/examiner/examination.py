"""One examination: every check in turn, then the conclusions."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from derivable.examiner.checks import CHECKS
from derivable.examiner.checks.check import Check, ResultsSoFar, Setup
from derivable.examiner.checks.returned import raised, short
from derivable.examiner.diagnose.conclusions import conclusions
from derivable.examiner.diagnose.values import without_causes
from derivable.examiner.extremes import at_moderate_inputs, moderated
from derivable.examiner.finding import Finding
from derivable.examiner.inputs.contracts import Contract
from derivable.examiner.measure.budget import Budget, BudgetSpent
from derivable.examiner.message import Message
from derivable.examiner.pictures import gradients
from derivable.examiner.report import Report
from derivable.examiner.settings import Settings
from derivable.examiner.setup import prepare
from derivable.examiner.targets.target import Adapter, Inputs
from derivable.examiner.verdicts import verdicts

LEAST = 60  # calls that every check may make, as long as there are so many left
CONCLUDING, CONCLUDING_SECONDS = 5_000, 5.0  # calls and seconds of the diagnosis, besides


def examine(
    adapter: Adapter,
    given: Inputs,
    settings: Settings,
    contracts: dict[int, Contract] | None = None,
    checks: Sequence[Check] = CHECKS,
) -> Report:
    """The report on one target at one example; `contracts` by the position of the argument.

    Where forward overflows at these inputs, moderate ones are examined, too.
    Raises InputError for inputs that cannot be examined; what goes wrong later is reported.
    """
    contracts = dict(contracts or {})
    report = _examined(adapter, given, settings, contracts, checks)
    found = moderated(adapter, given, contracts, overflow_alone=report.ok)
    if found is None:
        return report
    moderate, names = found
    second = _examined(adapter, moderate, settings, contracts, checks)
    return at_moderate_inputs(report, second, moderate, names)


def _examined(
    adapter: Adapter,
    given: Inputs,
    settings: Settings,
    contracts: dict[int, Contract],
    checks: Sequence[Check],
) -> Report:
    """The report on one target at one example, at these inputs and others like them."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the user's code warns at its own calls
        prepared = prepare(adapter, given, settings, dict(contracts))
        setup = prepared.setup
        so_far = run_checks(setup, ResultsSoFar(notes=prepared.notes), checks)
        findings, so_far = _concluded(setup, so_far)
        judged = verdicts(setup, so_far, findings)
        pictures = gradients(setup, so_far)
        calls, adapter.budget = adapter.budget.spent, Budget()
    return Report(
        function=adapter.name,
        verdict=judged.overall,
        sections=judged.sections,
        findings=tuple(findings),
        notes=(*so_far.notes, *judged.notes),
        checks=so_far.comparisons,
        inputs=_described(adapter, given),
        gradients=pictures,
        settings=settings,
        seconds=time.perf_counter() - start,
        calls=calls,
        example=tuple(given),
        target=adapter.target,
    )


def run_checks(
    setup: Setup, so_far: ResultsSoFar, checks: Sequence[Check] = CHECKS
) -> ResultsSoFar:
    """The results of all checks that apply, run one after the other."""
    stopped: list[Message] = []
    for check in checks:
        if so_far.is_function and check.applies(setup, so_far):
            so_far = _run(check, setup, so_far, stopped)
    if stopped:
        budget = setup.examined.adapter.budget
        key = "note.timeout" if budget.timed_out else "note.budget"
        limit = {"seconds": f"{setup.settings.timeout:g}", "calls": int(budget.calls)}
        so_far = replace(so_far, notes=(*so_far.notes, Message(key, {**limit, "checks": stopped})))
    return so_far


def _run(check: Check, setup: Setup, so_far: ResultsSoFar, stopped: list[Message]) -> ResultsSoFar:
    """The results including those of one check; if it is stopped, its first parts are kept."""
    examined = setup.examined
    before, title = examined.comparisons, Message(f"check.{check.name}")
    try:
        with warnings.catch_warnings(), examined.adapter.budget.share(check.share, LEAST):
            warnings.simplefilter("ignore")  # the user's code warned at the first call
            for results in check.run(setup, so_far):
                so_far = so_far.with_results(results)
    except BudgetSpent:
        stopped.append(title)
    except Exception as error:  # the user's code in a situation that it refuses, or a mistake here
        fields = {"check": title, "text": raised(error)}
        so_far = replace(so_far, notes=(*so_far.notes, Message("note.check_stopped", fields)))
    made = examined.comparisons - before
    return replace(so_far, comparisons={**so_far.comparisons, check.name: made})


def _concluded(setup: Setup, so_far: ResultsSoFar) -> tuple[list[Finding], ResultsSoFar]:
    """The findings; without causes if the diagnosis fails."""
    examined = setup.examined
    spent = examined.adapter.budget.spent
    examined.adapter.budget = Budget(CONCLUDING, CONCLUDING_SECONDS)
    try:
        found = conclusions(examined, setup.inputs, so_far.evaluations, so_far.problems)
    except (Exception, BudgetSpent) as error:
        fields = {"check": Message("check.diagnosis"), "text": raised(error)}
        so_far = replace(so_far, notes=(*so_far.notes, Message("note.check_stopped", fields)))
        found = without_causes(examined, so_far.evaluations)
    examined.adapter.budget.spent += spent
    return [_placed(setup, finding) for finding in found], so_far


def _placed(setup: Setup, finding: Finding) -> Finding:
    """The finding; one in float32 belongs to the given inputs if these are in float32."""
    dtype = finding.point.fields.get("dtype")
    return replace(finding, dtype_of_inputs=setup.examined.low_precision and dtype == "float32")


def _described(adapter: Adapter, given: Inputs) -> dict[str, str]:
    """Each input as text: its dtype and shape, or its value."""
    names = adapter.names(len(given))

    def described(value: Any) -> str:
        if isinstance(value, Tensor):
            return f"{short(value.dtype)} {tuple(value.shape)}"
        return repr(value)[:40]

    return {name: described(value) for name, value in zip(names, given, strict=False)}
