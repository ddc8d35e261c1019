"""The pictures of the gallery: curves of what acts on each entry, shapes of everything else."""

from __future__ import annotations

import inspect
import math
import re
from html import escape
from typing import Any

import torch
from torch import Tensor

from derivable import Function
from derivable.function.elementwise import Elementwise
from derivable.function.kink import Kink
from derivable.pages import read_page

RANGES = {  # what is shown of a Function, where -4 to 4 is not it
    "Cos": (-2 * math.pi, 2 * math.pi),
    "Exp": (-3.0, 1.5),
    "Hardswish": (-5.0, 5.0),
    "Log": (0.05, 4.0),
    "ReLU6": (-3.0, 9.0),
    "Sin": (-2 * math.pi, 2 * math.pi),
    "Sqrt": (0.01, 4.0),
    "Square": (-2.0, 2.0),
}
HIGHEST = 3.2  # of the axis, in both directions, unless the Function itself goes further


def acts_on_entries(function: type[Function]) -> bool:
    """Whether a Function computes each entry of one input by itself."""
    return function.__module__.split(".")[2] == "elementwise"


def kinks_of(function: type[Function]) -> tuple[Kink, ...]:
    """The kinks of a Function of each entry: as data, or from the words of its page."""
    if issubclass(function, Elementwise):
        return function.kinks
    words = read_page(function)["Kinks"]
    found = re.findall(r"= (\S+): value chosen (\S+), values allowed (\S+) to ([^\s;,]+)", words)
    return tuple(Kink(*map(float, numbers)) for numbers in found)


class Curves:
    """Value, slope and second derivative of a Function of each entry, over a range."""

    def __init__(self, function: type[Function], points: int = 601) -> None:
        low, high = RANGES.get(function.__name__, (-4.0, 4.0))
        x = torch.linspace(low, high, points, dtype=torch.float64)
        self.kinks = [kink for kink in kinks_of(function) if low < kink.at < high]
        step = (high - low) / points
        for kink in self.kinks:  # a line ends on one side and begins on the other
            near = (x - kink.at).abs() < step
            x = torch.cat([x[~near], x.new_tensor([kink.at - 1e-9, kink.at + 1e-9])]).sort()[0]
        x.requires_grad_()
        value = function.apply(x)
        (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True)
        if slope.requires_grad:
            (second,) = torch.autograd.grad(slope.sum(), x, allow_unused=True)
        else:
            second = None
        self.x = x.detach()
        self.value, self.slope = value.detach(), slope.detach()
        self.second = torch.zeros_like(self.x) if second is None else second
        at = torch.tensor([k.at for k in self.kinks], dtype=torch.float64)
        self.kink_values = function.apply(at).tolist() if self.kinks else []

    def broken(self, y: Tensor) -> tuple[list[float], list[float]]:
        """The points of a line, with a gap at each kink."""
        xs: list[float] = []
        ys: list[float] = []
        for x, value in zip(self.x.tolist(), y.tolist(), strict=True):
            if xs and any(xs[-1] < kink.at < x for kink in self.kinks):
                xs.append(math.nan)
                ys.append(math.nan)
            xs.append(x)
            ys.append(value)
        return xs, ys


def plot(function: type[Function]) -> str:
    """The three curves of a Function as SVG, in the colours of the page, with its kinks."""
    from derivable.display import style
    from derivable.display.chart import Chart

    curves = Curves(function)
    with style.chart(5.6, 3.7) as figure:
        axes = figure.subplots()
        named = ("value", "slope", "second derivative")
        for i, (name, y) in enumerate(
            zip(named, (curves.value, curves.slope, curves.second), strict=True)
        ):
            xs, ys = curves.broken(y)
            axes.plot(xs, ys, color=style.colour(i), ls=style.dashes(i), lw=2, label=name)
        for kink, value in zip(curves.kinks, curves.kink_values, strict=True):
            axes.axvline(kink.at, color=style.GREY, lw=0.8, ls=(0, (1, 2)), zorder=0)
            span = [kink.lowest, kink.highest]
            axes.plot([kink.at, kink.at], span, color=style.colour(1), lw=5, alpha=0.35)
            axes.plot([kink.at], [kink.chosen], "o", color=style.colour(1), ms=6)
            axes.plot([kink.at], [value], "o", color=style.colour(0), ms=4)
        low = max(min(curves.value.min().item(), curves.slope.min().item(), 0.0), -HIGHEST)
        high = max(curves.value.max().item(), curves.slope.max().item(), 0.0)
        high = min(high, 6.3 if function.__name__ == "ReLU6" else HIGHEST)
        axes.set_ylim(low - 0.25, high + 0.3)
        axes.axhline(0, color=style.GREY, lw=0.8, zorder=0)
        axes.set_xlabel("input")
        axes.grid(True)
        axes.legend(
            loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=3, frameon=False,
            handlelength=1.8, columnspacing=1.4,
        )  # fmt: skip
        return Chart(figure).inline(f"Value, slope and second derivative of {function.__name__}")


def thumbnail(function: type[Function]) -> str:
    """A small picture for the list of the gallery."""
    if not acts_on_entries(function):
        return shapes(function, small=True)
    curves = Curves(function, 121)
    low, high = curves.x.min().item(), curves.x.max().item()
    top = 6.3 if function.__name__ == "ReLU6" else 2.6

    def path(y: Tensor) -> str:
        parts, pen = [], "M"
        for px, py in zip(*curves.broken(y), strict=True):
            if math.isnan(px) or abs(py) > top:
                pen = "M"
                continue
            parts.append(f"{pen}{(px - low) / (high - low) * 120:.1f} {40 - py / top * 38:.1f}")
            pen = "L"
        return " ".join(parts)

    return (
        '<svg viewBox="0 0 120 80" aria-hidden="true" class="thumb">'
        '<path d="M0 40H120" class="axis"/>'
        f'<path d="{path(curves.slope)}" class="slope"/><path d="{path(curves.value)}"/></svg>'
    )


CELL, MOST = 9.0, 7  # pixels of an entry; entries that are drawn of a side


def shapes(function: type[Function], small: bool = False) -> str:
    """What goes in and what comes out at the first of the Function's examples, as SVG."""
    torch.manual_seed(0)
    inputs = function.examples()[0]
    names = list(inspect.signature(function.forward).parameters)[1:]
    output = function.apply(*inputs)
    outputs = output if isinstance(output, tuple) else (output,)
    left = [
        (n, tuple(v.shape)) for n, v in zip(names, inputs, strict=False) if isinstance(v, Tensor)
    ]
    title = ["output"] if len(outputs) == 1 else [f"output {i + 1}" for i in range(len(outputs))]
    right = [(n, tuple(v.shape)) for n, v in zip(title, outputs, strict=True)]
    settings = [
        f"{n} = {v}" for n, v in zip(names, inputs, strict=False) if not isinstance(v, Tensor)
    ]
    return draw(function.__name__, left, right, settings, small)


Shape = tuple[int, ...]


def draw(
    name: str,
    left: list[tuple[str, Shape]],
    right: list[tuple[str, Shape]],
    settings: list[str],
    small: bool,
) -> str:
    """Tensors on the left, an arrow, tensors on the right."""
    label = 0.0 if small else 34.0
    columns = [_column(left, label), _column(right, label)]
    height = max(max(h for *_, h in columns), 60.0 if not small else 20.0)
    middle = 60.0 if small else max(150.0, 7.2 * max(len(t) for t in [name, *settings]) + 44)
    parts = []
    x = 0.0
    for side, (items, width, tall) in enumerate(columns):
        y = (height - tall) / 2
        for title, shape in items:
            w, h = _size(shape)
            parts.append(_grid(x + (width - w) / 2, y, shape))
            y += h
            if not small:
                middle_x = x + width / 2
                parts.append(_text(middle_x, y + 14, title, "name"))
                parts.append(_text(middle_x, y + 28, _words(shape), "shape"))
            y += label + 10
        x += width
        if side == 0:
            inset, centre = (8.0, height / 2)
            parts.append(_arrow(x + inset, x + middle - inset, centre))
            if not small:
                parts.append(_text(x + middle / 2, centre - 10, name, "function"))
                for i, setting in enumerate(settings):
                    parts.append(_text(x + middle / 2, centre + 18 + 15 * i, setting, "shape"))
                below = centre + 18 + 15 * len(settings)
                height = max(height, below)
            x += middle
    total = x
    description = f"{name}: " + ", ".join(f"{n} {_words(s)}" for n, s in left)
    description += " to " + ", ".join(f"{n} {_words(s)}" for n, s in right)
    role = 'aria-hidden="true"' if small else f'role="img" aria-label="{escape(description)}"'
    kind = "thumb" if small else "shapes"
    style = "" if small else f' style="max-width:{total:.0f}px"'
    margin = 4
    box = f"{-margin} {-margin} {total + 2 * margin:.0f} {height + 2 * margin:.0f}"
    return f'<svg viewBox="{box}" {role} class="{kind}"{style}>{"".join(parts)}</svg>'


def _column(items: list[tuple[str, Shape]], label: float) -> tuple[list[Any], float, float]:
    sizes = [_size(shape) for _, shape in items]
    texts = [max(7.0 * len(n), 7.0 * len(_words(s))) if label else 0.0 for n, s in items]
    width = max([*(w for w, _ in sizes), *texts])
    return items, width, sum(h for _, h in sizes) + (label + 10) * len(items) - 10


def _cells(shape: Shape) -> tuple[int, int, int]:
    *outer, rows, columns = (1, 1, *shape)
    return min(math.prod(outer), 4), min(rows, MOST), min(columns, MOST)


def _size(shape: Shape) -> tuple[float, float]:
    depth, rows, columns = _cells(shape)
    return columns * CELL + 5 * (depth - 1), rows * CELL + 5 * (depth - 1)


def _grid(x: float, y: float, shape: Shape) -> str:
    depth, rows, columns = _cells(shape)
    width, height = columns * CELL, rows * CELL
    parts = []
    for k in reversed(range(depth)):
        dx, dy = x + 5 * k, y + 5 * (depth - 1 - k)
        parts.append(f'<rect x="{dx:g}" y="{dy:g}" width="{width:g}" height="{height:g}"/>')
    front = y + 5 * (depth - 1)
    lines = "".join(f"M{x + CELL * c:g} {front:g}v{height:g}" for c in range(1, columns))
    lines += "".join(f"M{x:g} {front + CELL * r:g}h{width:g}" for r in range(1, rows))
    return "".join(parts) + (f'<path class="lines" d="{lines}"/>' if lines else "")


def _words(shape: Shape) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _arrow(x: float, end: float, y: float) -> str:
    return f'<path class="arrow" d="M{x:g} {y:g}H{end:g}m-6 -4l6 4l-6 4"/>'


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}">{escape(text)}</text>'
