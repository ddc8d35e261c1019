"""The report as HTML for a notebook: the summary, and a map of the wrong entries of gradients.

The HTML is self-contained: no script, no network. Text and frames have the colour of the page, so
that light and dark pages are both readable.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from derivable.examiner.finding import Worst
from derivable.examiner.message import Message
from derivable.examiner.messages import say
from derivable.examiner.render.show import entry, numbers, summary
from derivable.language import language
from derivable.templates import Macros

if TYPE_CHECKING:
    from markupsafe import Markup

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
parts = Macros("examiner/render/report.html")


class Cells(NamedTuple):
    """The map of one argument: each (rows, columns)."""

    level: Tensor  # 0 where they agree, else the decade of the relative error, else LOST
    spot: Tensor  # the entry of the flattened gradient that the cell stands for
    block: tuple[int, int]  # how many entries one cell covers


def to_html(report: Report, lang: str | None = None) -> str:
    """The summary and one map per argument."""
    spoken = language(lang)
    maps = [_map(name, gradient, spoken) for name, gradient in report.gradients.items()]
    legend = _legend(spoken) if any("<svg" in one for one in maps) else ""
    return parts.report(summary(report, spoken), maps, legend)


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


class Wrong(NamedTuple):
    """A cell that is drawn; without a colour it is a cross, for nan and inf."""

    x: int
    y: int
    colour: str
    title: str


def _map(name: str, gradient: Gradient, lang: str) -> Markup:
    """The picture of one argument, with a title on each cell that is off."""
    grid = cells(gradient)
    shape = tuple(gradient.measured.shape)
    if grid is None:
        none = say(Message("show.map_none", {"argument": name}), lang)
        return parts.no_map(name, shape, none if gradient.returned is None else "")
    rows, columns = grid.level.shape
    side = max(CELL, min(3 * CELL, WIDTH // columns))
    wrong = []
    for y, x in grid.level.nonzero().tolist():
        level = int(grid.level[y, x])
        colour = COLOURS[level - 1] if level < LOST else ""
        wrong.append(Wrong(x, y, colour, _title(name, gradient, int(grid.spot[y, x]), lang)))
    gaps = {"rows": grid.block[0], "columns": grid.block[1]}
    blocks = say(Message("show.map_blocks", gaps), lang) if grid.block != (1, 1) else ""
    label = say(Message("show.map", {"argument": name}), lang)
    return parts.map(name, shape, blocks, label, rows, columns, side, wrong)


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


def _legend(lang: str) -> Markup:
    """The legend of the colours: the relative error, in powers of ten."""
    names = [f"< 1e{d}" for d in DECADES] + [f"≥ 1e{DECADES[-1]}"]
    agree, lost = (say(Message(f"show.map_{key}"), lang) for key in ("agree", "lost"))
    return parts.legend(agree, zip(COLOURS, names, strict=True), lost)
