"""The verdict on each section of a report, and on the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from derivable.examiner.checks.check import ResultsSoFar, Setup
from derivable.examiner.checks.values import Sample
from derivable.examiner.finding import Finding, Section, Severity, Verdict
from derivable.examiner.message import Message

CHECKS_OF: Mapping[Section, tuple[str, ...]] = {
    Section.SECOND_ORDER: ("second order",),
    Section.SIZES: (
        "sizes",
        "special sizes",
        "values at large",
        "special values",
        "edges",
        "units",
    ),
    Section.PRECISION: ("float32", "half precision"),
    Section.WAYS: ("ways to run",),
}  # fmt: skip
MOSTLY = 0.5  # the share of entries that must be measured


@dataclass(frozen=True)
class Judged:
    """The verdicts, and notes on how they were reached."""

    overall: Verdict
    sections: Mapping[Section, Verdict]
    notes: tuple[Message, ...] = field(default=())


def verdicts(setup: Setup, so_far: ResultsSoFar, findings: Sequence[Finding]) -> Judged:
    """The verdict on each section, and the overall one by the level."""
    measured, notes = _first_order(setup, so_far)
    sections = {Section.FIRST_ORDER: measured}
    sections |= {section: _compared(so_far, names) for section, names in CHECKS_OF.items()}
    level = setup.settings.level
    for finding in findings:
        if finding.severity is Severity.ERROR or level.fails(finding):
            sections[finding.section] = Verdict.WRONG
    overall = Verdict.RIGHT
    if measured is Verdict.INCONCLUSIVE:
        overall = Verdict.INCONCLUSIVE
    if any(level.fails(finding) for finding in findings):
        overall = Verdict.WRONG
    return Judged(overall, sections, () if overall is Verdict.WRONG else tuple(notes))


def _compared(so_far: ResultsSoFar, names: Sequence[str]) -> Verdict:
    """Right if anything was compared, else not applicable; findings are considered later."""
    compared = any(so_far.comparisons.get(name) for name in names)
    return Verdict.RIGHT if compared else Verdict.NOT_APPLICABLE


def _first_order(setup: Setup, so_far: ResultsSoFar) -> tuple[Verdict, list[Message]]:
    """The verdict on the given inputs, inconclusive if values could not be compared; and notes."""
    if setup.surrogate:
        return Verdict.RIGHT, []
    whole = so_far.first_whole
    if whole is None:
        if so_far.comparisons.get("directions"):
            return Verdict.RIGHT, []
        return Verdict.INCONCLUSIVE, [Message("note.nothing_measured")]
    for sample in whole.samples:
        share = float(sample.unsettled.double().mean()) if sample.unsettled.numel() else 0.0
        if share > MOSTLY:
            name = setup.examined.name(sample.argument, setup.inputs)
            fields = {"name": name, "share": f"{share:.0%}"}
            return Verdict.INCONCLUSIVE, [Message("note.unsettled", fields)]
    return Verdict.RIGHT, _not_compared(whole.samples)


def _not_compared(samples: Sequence[Sample]) -> list[Message]:
    """Notes on entries that were not compared: at kinks, without derivative, or not measured."""
    nowhere = sum(int(s.measured.nowhere.sum()) for s in samples)
    kinks = sum(int(s.measured.kinks.sum()) for s in samples) - nowhere
    unknown = sum(int((s.unsettled & ~s.measured.nowhere).sum()) for s in samples)
    everything = sum(s.unsettled.numel() for s in samples)
    counts = {"kinks": kinks, "nowhere": nowhere, "unmeasured": unknown}
    return [
        Message(f"note.{key}", {"count": count, "all": everything})
        for key, count in counts.items()
        if count
    ]
