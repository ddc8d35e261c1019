"""`Scale`: the points of each question, and how they make a mark; an editable TOML file."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from derivable.core_messages import reason_of
from derivable.errors import SettingError
from derivable.files import write_whole
from derivable.labs.feedback import Feedback
from derivable.labs.grading.words import SCALE
from derivable.labs.refusals import refusal
from derivable.labs.sheet import Sheet

OUT_OF, ROUNDING = 20.0, 0.25
PARTIAL = True


@dataclass(frozen=True)
class Scale:
    """Points by question, and the mark that they make.

    points    of each question, by its key
    out_of    the mark for all points
    rounding  marks are multiples of it; 0 for no rounding
    partial   whether an answer that is right in part gives its share of the points
    """

    points: Mapping[str, float]
    out_of: float = OUT_OF
    rounding: float = ROUNDING
    partial: bool = PARTIAL

    @property
    def total(self) -> float:
        """All points."""
        return sum(self.points.values())

    def earned(self, feedback: Feedback) -> float:
        """The points of one answer."""
        share = feedback.share if self.partial or feedback.share == 1.0 else 0.0
        return self.points[feedback.question] * share

    def mark(self, feedback: Mapping[str, Feedback]) -> float:
        """The mark for these answers, rounded half up; never above `out_of`."""
        earned = sum(Fraction(self.earned(f)).limit_denominator(10**6) for f in feedback.values())
        total = Fraction(self.total).limit_denominator(10**6)
        mark = earned / total * Fraction(self.out_of).limit_denominator(10**6)
        if self.rounding == 0:
            return round(float(mark), 4)
        step = Fraction(self.rounding).limit_denominator(10**6)
        rounded = math.floor(mark / step + Fraction(1, 2)) * step
        return min(float(rounded), self.out_of)  # which need not be a multiple


def sheet_scale(sheet: Sheet) -> Scale:
    """The scale that the sheet itself has."""
    return Scale({key: question.points for key, question in sheet.questions.items()})


def write_scale(sheet: Sheet, path: Path, lang: str) -> None:
    """Write the sheet's own scale as a TOML file with comments, to be edited."""
    scale = sheet_scale(sheet)
    words = {name: text.to(lang) for name, text in SCALE.items()}
    lines = [
        f"# {words['title'].format(sheet=sheet.title.to(lang))}",
        "",
        *_comment(words["out_of"]),
        f"out_of = {scale.out_of:g}",
        "",
        *_comment(words["rounding"]),
        f"rounding = {scale.rounding:g}",
        "",
        *_comment(words["partial"]),
        f"partial = {str(scale.partial).lower()}",
        "",
        *_comment(words["points"]),
        "[points]",
    ]
    for key, question in sheet.questions.items():
        names = f" ({question.names})" if question.names else ""
        lines.append(f"{json.dumps(key)} = {question.points:g}  # {question.title.to(lang)}{names}")
    write_whole(path, "\n".join(lines) + "\n")


def read_scale(path: Path, sheet: Sheet) -> Scale:
    """The scale of a TOML file; what it does not state is that of the sheet.

    Raises SettingError that names the line or the key, what was expected and what is there.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise SettingError(
            refusal("scale_unreadable", path=path, reason=reason_of(error))
        ) from None
    except (ValueError, RecursionError) as error:  # with the line, or the byte that is not UTF-8
        raise SettingError(refusal("scale_toml", path=path, error=error)) from None
    unknown = values.keys() - {"out_of", "rounding", "partial", "points"}
    if unknown:
        raise SettingError(refusal("scale_key", path=path, key=sorted(unknown)[0]))
    points = values.get("points", {})
    if not isinstance(points, dict):
        raise SettingError(refusal("scale_points", path=path, got=points))
    return _checked(path, sheet, values, points)


def _checked(path: Path, sheet: Sheet, values: dict[str, Any], points: dict[str, Any]) -> Scale:
    own = sheet_scale(sheet)
    for key in points:
        if key not in own.points:
            gaps = {"key": key, "sheet": sheet.name, "names": ", ".join(own.points)}
            raise SettingError(refusal("scale_question", path=path, **gaps))
    every = {
        key: _number(path, f"points.{key}", points.get(key, worth))
        for key, worth in own.points.items()
    }
    if not any(every.values()):
        raise SettingError(refusal("scale_zero", path=path))
    partial = values.get("partial", PARTIAL)
    if not isinstance(partial, bool):
        raise SettingError(refusal("scale_partial", path=path, got=partial))
    out_of = _number(path, "out_of", values.get("out_of", OUT_OF))
    if out_of == 0:
        raise SettingError(refusal("scale_out_of", path=path))
    rounding = _number(path, "rounding", values.get("rounding", ROUNDING))
    if rounding > out_of:
        raise SettingError(refusal("scale_rounding", path=path, most=out_of, got=rounding))
    return Scale(every, out_of, rounding, partial)


def _number(path: Path, key: str, value: Any) -> float:
    """A number that is 0, or neither too small nor too large to be reckoned with exactly."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SettingError(refusal("scale_number", path=path, key=key, got=value))
    if value != 0 and not 1e-3 <= value <= 1e6:
        raise SettingError(refusal("scale_size", path=path, key=key, got=value))
    return float(value)


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in text.split("\n")]
