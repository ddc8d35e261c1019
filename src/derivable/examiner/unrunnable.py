"""The report on a target that cannot run as it is written, or is still to be written."""

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
from derivable.examiner.targets.target import Subject


def unrunnable(subject: Subject, settings: Settings) -> Report | None:
    """For a class whose forward or backward cannot be called; None for any other."""
    found = not_runnable(subject)
    return stopped(subject, (), settings, findings=found) if found else None


def unrunnable_at(subject: Subject, example: list[Any], settings: Settings) -> Report | None:
    """For a forward or backward that is unfinished, or called in another way than PyTorch calls."""
    note, found = first_run(subject, example)
    if note is None and not found:
        return None
    return stopped(subject, example, settings, findings=found, notes=[note] if note else [])


def stopped(
    subject: Subject, example: Sequence[Any], settings: Settings,
    findings: Sequence[Finding] = (), notes: Sequence[Message] = (),
) -> Report:  # fmt: skip
    """Wrong by a finding, else inconclusive."""
    verdict = Verdict.WRONG if findings else Verdict.INCONCLUSIVE
    return Report(
        function=subject.name, verdict=verdict, sections={Section.FIRST_ORDER: verdict},
        findings=tuple(findings), notes=tuple(notes), checks={"calls": 1},
        inputs=described(subject, example), settings=settings, example=tuple(example),
        target=subject.target,
    )  # fmt: skip
