"""Charts of the pages as SVG, in the colours that the page's stylesheet names."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from markupsafe import Markup, escape

from derivable.display.numbers import count, short
from derivable.labs.feedback import Curve

T = TypeVar("T")

WIDE, HIGH = 560, 280
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 10, 34  # margins, pixels
POINTS = 300  # of a line
LOGARITHMIC = 5.0  # ratio of the largest to the smallest loss from which the axis is logarithmic
MANY = 2000  # steps from which their axis is logarithmic


@dataclass(frozen=True)
class Axis:
    """Where values are on an axis: from `start` to `end`, in pixels."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """The position of a value; one outside is at the edge."""
        low, high, value = (self._level(v) for v in (self.low, self.high, value))
        share = (value - low) / ((high - low) or 1.0)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def _level(self, value: float) -> float:
        return math.log(max(value, 1e-300)) if self.logarithmic else value

    def ticks(self) -> list[float]:
        """Few round values on the axis."""
        if not self.logarithmic:
            return list(_round_values(self.low, self.high))
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        factors = (1, 2, 5) if len(decades) < 4 else (1,)
        every = [f * 10.0**d for d in decades for f in factors]
        inside = [v for v in every if self.low * 0.999 <= v <= self.high * 1.001]
        return inside[:: math.ceil(len(inside) / 7) or 1] or list(
            _round_values(self.low, self.high)
        )


def _round_values(low: float, high: float) -> Iterator[float]:
    size = (high - low) / 4 or 1.0
    unit = 10.0 ** math.floor(math.log10(size))
    step = next(f * unit for f in (1, 2, 5, 10) if f * unit >= size * 0.999)
    value = math.ceil(low / step - 1e-9) * step
    while value <= high + 1e-9 * step:
        yield 0.0 if abs(value) < step * 1e-9 else value
        value += step


def curve_svg(curve: Curve, label: str, lang: str) -> Markup:
    """The losses as a line, and the range of other seeds as a band behind it."""
    steps, losses = list(curve.steps), list(curve.losses)
    band = [
        (s, low, high)
        for s, low, high in zip(steps, curve.low, curve.high, strict=False)
        if math.isfinite(low) and math.isfinite(high)
    ]
    values = [v for v in losses if math.isfinite(v)] + [v for _, *ends in band for v in ends]
    if not values or len(steps) < 2:
        return Markup()
    x, y = _x_axis(steps), _y_axis(values)
    parts = [_grid(x, y, lang)]
    band = _thinned(band)
    if band:
        upper = [(x.at(_shifted(x, s)), y.at(high)) for s, _, high in band]
        lower = [(x.at(_shifted(x, s)), y.at(low)) for s, low, _ in reversed(band)]
        parts.append(f'<polygon class="band" points="{_points(upper + lower)}"/>')
    for run in _runs(list(zip(steps, losses, strict=False))):
        at = [(x.at(_shifted(x, s)), y.at(loss)) for s, loss in _thinned(run)]
        parts.append(f'<polyline class="line" points="{_points(at)}"/>')
    return _svg("".join(parts), label)


def bars_svg(counts: Sequence[int], edges: Sequence[str], label: str) -> Markup:
    """One bar for each count, with its number above, and the edges between bars below."""
    most = max([*counts, 1])
    width = (WIDE - 2 * RIGHT) / max(1, len(counts))
    floor = HIGH - BOTTOM
    parts = []
    for i, number in enumerate(counts):
        left, height = RIGHT + i * width, number / most * (floor - TOP - 16)
        middle = left + width / 2
        parts.append(
            f'<rect class="bar" x="{left + 2:.1f}" y="{floor - height:.1f}" '
            f'width="{width - 4:.1f}" height="{height:.1f}"/>'
        )
        if number:
            parts.append(_text(middle, floor - height - 4, str(number), "middle"))
    for i, edge in enumerate(edges):
        anchor = "start" if i == 0 else "end" if i == len(counts) else "middle"
        parts.append(_text(RIGHT + i * width, floor + 20, edge, anchor))
    parts.append(_line(RIGHT, floor, WIDE - RIGHT, floor, "axis"))
    return _svg("".join(parts), label)


def _x_axis(steps: Sequence[int]) -> Axis:
    many = steps[-1] > MANY
    high = float(steps[-1] + 1 if many else steps[-1])
    return Axis(1.0 if many else float(steps[0]), high, LEFT, WIDE - RIGHT, many)


def _shifted(x: Axis, step: int) -> float:
    """Step 0 is where 1 is on a logarithmic axis."""
    return float(step + 1) if x.logarithmic else float(step)


def _y_axis(values: Sequence[float]) -> Axis:
    low, high = min(values), max(values)
    logarithmic = low > 0 and high / low > LOGARITHMIC
    margin = 0.05 * (high - low) or abs(high) * 0.05 or 1.0
    if not logarithmic:
        low, high = (low - margin if low < 0 or low > margin else 0.0), high + margin
    return Axis(low, high, HIGH - BOTTOM, TOP, logarithmic)


def _grid(x: Axis, y: Axis, lang: str) -> str:
    parts = []
    for value in y.ticks():
        at = y.at(value)
        parts.append(_line(LEFT, at, WIDE - RIGHT, at, "grid"))
        parts.append(_text(LEFT - 6, at + 4, short(value, lang, digits=4), "end"))
    for value in x.ticks():
        at = x.at(value)
        parts.append(_line(at, HIGH - BOTTOM, at, HIGH - BOTTOM + 4, "axis"))
        anchor = "end" if at > WIDE - RIGHT - 20 else "middle"
        parts.append(_text(at, HIGH - BOTTOM + 18, count(value, lang), anchor))
    parts.append(_line(LEFT, HIGH - BOTTOM, WIDE - RIGHT, HIGH - BOTTOM, "axis"))
    return "".join(parts)


def _runs(pairs: Sequence[tuple[int, float]]) -> Iterator[list[tuple[int, float]]]:
    """The stretches in which all losses are finite."""
    run: list[tuple[int, float]] = []
    for step, loss in pairs:
        if math.isfinite(loss):
            run.append((step, loss))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _thinned(values: Sequence[T]) -> list[T]:
    """At most POINTS of them, the first and the last included."""
    if len(values) <= POINTS:
        return list(values)
    return [values[round(i * (len(values) - 1) / (POINTS - 1))] for i in range(POINTS)]


def _points(at: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in at)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(content: str, label: str) -> Markup:
    return Markup(
        f'<svg class="drawing" viewBox="0 0 {WIDE} {HIGH}" role="img" '
        f'aria-label="{escape(label)}">{content}</svg>'
    )
