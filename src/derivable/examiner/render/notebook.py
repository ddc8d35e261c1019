"""The report as HTML for a notebook: the summary, and a map of the wrong entries of gradients.

The HTML is self-contained: no script, no network. Text and frames have the colour of the page, so
that light and dark pages are both readable.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from derivable.examiner.finding import Worst
from derivable.examiner.message import Message
from derivable.examiner.messages import say
from derivable.examiner.render.show import Line, entry, numbers, summary
from derivable.language import language

if TYPE_CHECKING:
    from derivable.examiner.report import Gradient, Report

MOST = 40  # cells along one side; larger tensors are shown by their worst entries in blocks
CELL = 10  # pixels, at least
WIDTH = 160  # pixels that a narrow map is stretched to
# The decades of the relative error, light to dark: they differ by lightness alone, are dark enough
# for a white page, and light enough for a black one (ColorBrewer's Oranges). What agrees is grey.
DECADES = (-8, -6, -4, -2, -1)
COLOURS = ("#fdd9b4", "#fdbe85", "#fb9a50", "#f0761f", "#d95a07", "#b83c00")
LOST = len(COLOURS) + 1  # the level of nan and inf: a cross
ROUNDING = 1e-9  # relative; what a sound backward may be off by


class Cells(NamedTuple):
    """The map of one argument: each (rows, columns)."""

    level: Tensor  # 0 where they agree, else the decade of the relative error, else LOST
    spot: Tensor  # the entry of the flattened gradient that the cell stands for
    block: tuple[int, int]  # how many entries one cell covers


def to_html(report: Report, lang: str | None = None) -> str:
    """The summary and one map per argument."""
    spoken = language(lang)
    maps = [_map(name, g, spoken) for name, g in report.gradients.items()]
    legend = _legend(spoken) if any("<svg" in m for m in maps) else ""
    return (
        f'<div style="color:inherit;max-width:60em">{"".join(map(_line, summary(report, spoken)))}'
        '<div style="display:flex;flex-wrap:wrap;gap:1.2em;margin-top:.8em">'
        f"{''.join(maps)}</div>{legend}</div>"
    )


def _line(line: Line) -> str:
    """A line of the summary, continued below its own beginning."""
    weight = "bold" if "bold" in line.style else "normal"
    style = f"padding-left:{line.indent / 2}em;font-weight:{weight}"
    return f'<div style="{style}">{escape(line.text)}</div>'


def cells(gradient: Gradient) -> Cells | None:
    """The relative errors, with rows for all axes but the last, and columns for the last.

    None if nothing can be drawn: no gradient, another shape, or no entries.
    """
    returned, measured = gradient.returned, gradient.measured
    if returned is None or returned.shape != measured.shape or not measured.numel():
        return None
    columns = measured.shape[-1] if measured.ndim else 1
    apart = (returned - measured).abs()  # (...)
    relative = apart / torch.maximum(returned.abs(), measured.abs())  # (...)
    level = 1 + torch.bucketize(relative.log10().double(), torch.tensor(DECADES).double())
    level[(apart <= gradient.error) | (relative < ROUNDING) | (returned == measured)] = 0
    level[~(returned - measured).isfinite()] = LOST
    return _coarse(level.reshape(-1, columns))


def _coarse(level: Tensor) -> Cells:
    """The worst entry of each block, so that at most MOST x MOST cells are left."""
    rows, columns = level.shape
    tall, wide = math.ceil(rows / MOST), math.ceil(columns / MOST)
    fill = (0, -columns % wide, 0, -rows % tall)
    padded = torch.nn.functional.pad(level, fill, value=-1)
    where = torch.nn.functional.pad(torch.arange(rows * columns).reshape(rows, columns), fill)

    def blocks(tensor: Tensor) -> Tensor:
        split = tensor.reshape(-(-rows // tall), tall, -(-columns // wide), wide)
        return split.transpose(1, 2).flatten(2)  # (R, C, tall * wide)

    worst, chosen = blocks(padded).max(-1)  # (R, C)
    spot = blocks(where).gather(-1, chosen.unsqueeze(-1)).squeeze(-1)  # (R, C)
    return Cells(worst, spot, (tall, wide))


def _map(name: str, gradient: Gradient, lang: str) -> str:
    """The picture of one argument, with a title on each cell that is off."""
    grid = cells(gradient)
    shape = tuple(gradient.measured.shape)
    head = f"<b>{escape(name)}</b> {escape(str(shape))}"
    if grid is None:
        none = escape(say(Message("show.map_none", {"argument": name}), lang))
        return f"<div>{none if gradient.returned is None else head}</div>"
    rows, columns = grid.level.shape
    side = max(CELL, min(3 * CELL, WIDTH // columns))
    off = grid.level.nonzero().tolist()
    parts = [
        _cell(x, y, int(grid.level[y, x]), _title(name, gradient, int(grid.spot[y, x]), lang))
        for y, x in off
    ]
    if grid.block != (1, 1):
        gaps = {"rows": grid.block[0], "columns": grid.block[1]}
        head += f"<br/><small>{escape(say(Message('show.map_blocks', gaps), lang))}</small>"
    label = escape(say(Message("show.map", {"argument": name}), lang))
    return (
        f'<div>{head}<br/><svg role="img" aria-label="{label}" width="{columns * side}" '
        f'height="{rows * side}" viewBox="0 0 {columns} {rows}" preserveAspectRatio="none" '
        'style="outline:1px solid currentColor;margin-top:.3em">'
        f'<rect width="{columns}" height="{rows}" fill="currentColor" opacity=".12"/>'
        f"{''.join(parts)}</svg></div>"
    )


def _cell(x: int, y: int, level: int, title: str) -> str:
    """One wrong cell, with a border."""
    box = f'<rect x="{x}" y="{y}" width="1" height="1" stroke="#888" stroke-width=".04"'
    tooltip = f"<title>{escape(title)}</title>"
    if level < LOST:
        return f'{box} fill="{COLOURS[level - 1]}">{tooltip}</rect>'
    cross = f'<path d="M{x} {y}l1 1m0-1l-1 1" stroke="#000" stroke-width=".12"/>'
    return f'<g>{tooltip}{box} fill="#fff"/>{cross}</g>'


def _title(name: str, gradient: Gradient, spot: int, lang: str) -> str:
    """The tooltip of a cell: `x[3, 1]: returned 2, measured 1 ± 1e-12`."""
    assert gradient.returned is not None
    index = tuple(int(i) for i in torch.unravel_index(torch.tensor(spot), gradient.measured.shape))
    worst = Worst(
        index,
        gradient.returned[index].item(),
        gradient.measured[index].item(),
        gradient.error[index].item(),
    )
    return say(Message("show.map_cell", {"entry": entry(name, index), **numbers(worst)}), lang)


def _legend(lang: str) -> str:
    """The legend of the colours: the relative error, in powers of ten."""
    names = [f"&lt; 1e{d}" for d in DECADES] + [f"≥ 1e{DECADES[-1]}"]
    labels = [escape(say(Message(f"show.map_{key}"), lang)) for key in ("agree", "lost")]
    swatch = "display:inline-block;width:1em;height:1em;vertical-align:-.15em;outline:1px solid"
    grey = f'<span style="{swatch};position:relative"><span style="position:absolute;inset:0;'
    grey += 'background:currentColor;opacity:.12"></span></span>'
    cross = f'<span style="{swatch};background:#fff;color:#000;line-height:1em">&#215;</span>'
    marks = [f'<span style="{swatch};background:{colour}"></span>' for colour in COLOURS]
    items = "".join(
        f'<span style="margin-right:1em;white-space:nowrap">{mark} {text}</span>'
        for mark, text in zip([grey, *marks, cross], [labels[0], *names, labels[1]], strict=True)
    )
    return f'<div style="margin-top:.6em;font-size:85%">{items}</div>'
