"""The report as data for other programs: one JSON document."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from derivable.examiner.finding import Finding
from derivable.examiner.message import Message
from derivable.examiner.messages import say
from derivable.examiner.render.reproduction import reproduction
from derivable.language import language

if TYPE_CHECKING:
    from derivable.examiner.report import Report


def to_json(report: Report, arrays: bool = False, lang: str | None = None) -> str:
    """One JSON document; `arrays` adds the returned and the measured gradients, entry by entry."""
    return dump(as_data(report, arrays, lang))


def dump(data: Any) -> str:
    """The document: valid JSON everywhere, so what is not finite is a word, such as "nan"."""
    return json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False)


def as_data(report: Report, arrays: bool = False, lang: str | None = None) -> dict[str, Any]:
    """What `to_json` writes. Complex numbers are {"real": ..., "imag": ...}."""
    spoken = language(lang)
    data: dict[str, Any] = {
        "function": report.function,
        "verdict": report.verdict.value,
        "findings": [_finding(report, finding, spoken) for finding in report.findings],
        "notes": [say(note, spoken) for note in report.notes],
        "sections": {s.value: verdict.value for s, verdict in report.sections.items()},
        "level": report.settings.level.value,
        "checks": dict(report.checks),
        "calls": report.calls,
        "inputs": dict(report.inputs),
        "seed": report.settings.seed,
        "seconds": round(report.seconds, 4),
    }
    if arrays:
        data["gradients"] = {
            name: {
                "returned": None if g.returned is None else _number(g.returned.tolist()),
                "measured": _number(g.measured.tolist()),
                "error": _number(g.error.tolist()),
            }
            for name, g in report.gradients.items()
        }
    return data


def _finding(report: Report, finding: Finding, lang: str) -> dict[str, Any]:
    worst, source = finding.worst, finding.source
    return {
        "cause": finding.cause,
        "section": finding.section.value,
        "severity": finding.severity.name.lower(),
        "message": say(Message("cause." + finding.cause), lang),
        "argument": finding.argument,
        "point": say(finding.point, lang),
        "evidence": [say(evidence, lang) for evidence in finding.evidence],
        "worst": worst
        and {
            "index": list(worst.index),
            "returned": _number(worst.returned),
            "measured": _number(worst.measured),
            "error": _number(worst.error),
        },
        "source": source and source._asdict(),
        "advice": say(Message("advice." + finding.cause), lang),
        "rivals": list(finding.rivals),
        "reproduction": reproduction(report, finding, lang),
    }


def _number(value: Any) -> Any:
    """A number, or lists of them, as JSON can hold it."""
    if isinstance(value, list):
        return [_number(item) for item in value]
    if isinstance(value, complex):
        return {"real": _number(value.real), "imag": _number(value.imag)}
    return value if math.isfinite(value) else str(value)
