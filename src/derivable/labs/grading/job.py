"""What a worker is asked for, and what it reports: data, as lines of JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from derivable.labs.feedback import Curve, Feedback, Status
from derivable.labs.grading.limits import Limits

LINES, LETTERS = 20, 2000  # of a feedback that are kept, and of one of its lines
POINTS = 1000  # of a curve

Statement = tuple[int, int]  # the number of a block, and of a statement in it


@dataclass(frozen=True)
class Job:
    """One attempt at one copy.

    path       of the copy, below the working directory
    sheet      its name, or the path of its file
    skip       statements in which an earlier attempt ended
    questions  the keys that are still to be checked
    """

    path: str
    sheet: str
    lang: str
    seed: int
    limits: Limits
    skip: tuple[Statement, ...]
    questions: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def of_json(cls, values: dict[str, Any]) -> Job:
        """From JSON."""
        return cls(
            values["path"],
            values["sheet"],
            values["lang"],
            values["seed"],
            Limits(**values["limits"]),
            tuple((block, statement) for block, statement in values["skip"]),
            tuple(values["questions"]),
        )


def feedback_to_json(feedback: Feedback) -> dict[str, Any]:
    """A feedback as JSON holds it; long texts and curves are made shorter."""
    return {
        "question": feedback.question,
        "status": feedback.status.value,
        "lines": _shortened(feedback.lines),
        "remarks": _shortened(feedback.remarks),
        "share": float(feedback.share),
        "mistake": feedback.mistake[:LETTERS],
        "curve": feedback.curve and _curve_to_json(feedback.curve),
    }


def feedback_of_json(values: dict[str, Any]) -> Feedback:
    """From JSON; raises ValueError, KeyError or TypeError for what is none."""
    curve = values["curve"]
    return Feedback(
        str(values["question"]),
        Status(values["status"]),
        tuple(_shortened(values["lines"])) or ("",),
        tuple(_shortened(values["remarks"])),
        min(1.0, max(0.0, float(values["share"]))),
        str(values["mistake"]),
        curve and _curve_of_json(curve),
    )


def _shortened(lines: Sequence[str]) -> list[str]:
    return [str(line)[:LETTERS] for line in lines[:LINES]]


def _curve_to_json(curve: Curve) -> dict[str, Any]:
    """At most POINTS points, the first and the last included; None for infinity and NaN."""
    count = len(curve.steps)
    few = min(count, POINTS)
    at = [round(i * (count - 1) / max(1, few - 1)) for i in range(few)]
    banded = len(curve.low) == len(curve.high) == count
    return {
        "steps": [int(curve.steps[i]) for i in at],
        "losses": _finite([curve.losses[i] for i in at]),
        "low": _finite([curve.low[i] for i in at]) if banded else [],
        "high": _finite([curve.high[i] for i in at]) if banded else [],
    }


def _curve_of_json(values: dict[str, Any]) -> Curve:
    return Curve(
        [int(step) for step in values["steps"]],
        _numbers(values["losses"]),
        _numbers(values["low"]),
        _numbers(values["high"]),
    )


def _finite(values: Any) -> list[float | None]:
    """JSON has neither infinity nor NaN."""
    floats = (float(value) for value in values)
    return [value if abs(value) < 1e300 else None for value in floats]


def _numbers(values: list[float | None]) -> list[float]:
    return [float("nan") if value is None else float(value) for value in values]
