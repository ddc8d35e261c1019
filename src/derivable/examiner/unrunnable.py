"""Reports on targets that cannot run as they are written, or are not written yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from derivable.examiner.checks.authoring import (
    described,
    first_run,
    not_runnable,
)
from derivable.examiner.finding import Finding, Section, Verdict
from derivable.examiner.message import Message
from derivable.examiner.report import Report
from derivable.examiner.settings import Settings
from derivable.examiner.targets.target import Adapter


def unrunnable(adapter: Adapter, settings: Settings) -> Report | None:
    """The report on a class whose forward or backward cannot be called; None for any other."""
    found = not_runnable(adapter)
    return stopped(adapter, (), settings, findings=found) if found else None


def unrunnable_at(adapter: Adapter, example: list[Any], settings: Settings) -> Report | None:
    """The report if forward or backward is unfinished or has wrong parameters; else None."""
    note, found = first_run(adapter, example)
    if note is None and not found:
        return None
    return stopped(adapter, example, settings, findings=found, notes=[note] if note else [])


def stopped(
    adapter: Adapter, example: Sequence[Any], settings: Settings,
    findings: Sequence[Finding] = (), notes: Sequence[Message] = (),
) -> Report:  # fmt: skip
    """A report without measurements: wrong if there are findings, else inconclusive."""
    verdict = Verdict.WRONG if findings else Verdict.INCONCLUSIVE
    return Report(
        function=adapter.name, verdict=verdict, sections={Section.FIRST_ORDER: verdict},
        findings=tuple(findings), notes=tuple(notes), checks={"calls": 1},
        inputs=described(adapter, example), settings=settings, example=tuple(example),
        target=adapter.target,
    )  # fmt: skip
