"""`Job`, the request to a worker, and its reports, as lines of JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from derivable.labs.feedback import Curve, Feedback, Status
from derivable.labs.grading.incidents import LETTERS
from derivable.labs.grading.limits import Limits

LINES = 20  # of a feedback that are kept, each with LETTERS letters
POINTS = 1000  # of a curve
LAST, LARGEST = 10**12, 1e300  # below which steps and losses of a curve are

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
    """From JSON; raises ValueError, KeyError, TypeError or OverflowError for what is none."""
    curve = values["curve"]
    return Feedback(
        str(values["question"]),
        Status(values["status"]),
        tuple(_shortened(values["lines"])) or ("",),
        tuple(_shortened(values["remarks"])),
        min(1.0, max(0.0, float(values["share"]))),
        str(values["mistake"])[:LETTERS],
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
    """A curve that can be drawn; raises ValueError for one that cannot."""
    steps = [int(step) for step in values["steps"]]
    losses, low, high = (_numbers(values[name]) for name in ("losses", "low", "high"))
    if len(losses) != len(steps) or not len(low) == len(high) in (0, len(steps)):
        raise ValueError("a curve has as many losses as steps, and a range for each step or none")
    if any(a >= b for a, b in pairwise([-1, *steps, LAST])):
        raise ValueError("the steps of a curve grow from 0 on")
    return Curve(steps, losses, low, high)


def _finite(values: Any) -> list[float | None]:
    """JSON has neither infinity nor NaN."""
    floats = (float(value) for value in values)
    return [value if abs(value) < LARGEST else None for value in floats]


def _numbers(values: list[float | None]) -> list[float]:
    floats = (float("nan") if value is None else float(value) for value in values)
    return [value if abs(value) < LARGEST else float("nan") for value in floats]
