"""How a `Table` shows itself: its first rows, in print and in a notebook."""

from __future__ import annotations

from torch import Tensor

from derivable.display.shown_messages import say
from derivable.messages import joined
from derivable.templates import shared

ROWS, COLUMNS = 5, 8  # that are shown, at most
WIDE = 24  # characters of the name of a column, at most


class ShownTable:
    """The face of a `Table`, which is what it reads; what draws it is imported when it is shown."""

    name: str
    x: Tensor  # (N, D)
    y: Tensor  # (N, K)
    features: tuple[str, ...]
    targets: tuple[str, ...]
    classes: tuple[str, ...]
    note: str

    def __repr__(self) -> str:
        heads, rows = self._cells()
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
            for line in (heads, *rows)
        ]
        return "\n".join([self._summary(), *lines, *filter(None, [self._rest(), self.note])])

    def _repr_html_(self) -> str:
        heads, rows = self._cells()
        below = " ".join(filter(None, [self._rest(), self.note]))
        return shared.first_rows(self._summary(), heads, rows, below)

    def _summary(self) -> str:
        """Name, sizes and targets, in a line."""
        features, targets = len(self.features), ", ".join(self.targets[:COLUMNS])
        more = len(self.targets) - COLUMNS
        if more > 0:
            targets = say("and_more", names=targets, n=more)
        return say("table", name=self.name, rows=len(self.x), n=features, targets=targets)

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        """The names of the columns that are shown, targets last, and their first rows."""
        targets = min(len(self.targets), COLUMNS // 2)
        features = min(len(self.features), COLUMNS - targets)
        heads = [*self.features[:features], *self.targets[:targets]]
        rows = zip(self.x[:ROWS, :features].tolist(), self.y[:ROWS, :targets].tolist(), strict=True)
        text = [[*map(_shown, left), *map(self._target, right)] for left, right in rows]
        return [_shortened(head) for head in heads], text

    def _target(self, value: float) -> str:
        return self.classes[int(value)] if self.classes else _shown(value)

    def _rest(self) -> str:
        """What is not shown, as a sentence; empty where all is."""
        hidden = [(len(self.x) - ROWS, "rows")]
        targets = min(len(self.targets), COLUMNS // 2)
        columns = len(self.features) + len(self.targets) - COLUMNS
        hidden.append((columns if len(self.features) > COLUMNS - targets else 0, "columns"))
        left = [say(what, n=n) for n, what in hidden if n > 0]
        return say("not_shown", what=joined(left, say("and"))) if left else ""


def _shown(value: float) -> str:
    return "" if value != value else f"{value:.6g}"


def _shortened(name: str) -> str:
    """A name in one line, its end left out where it is long."""
    name = " ".join(name.split())
    return name if len(name) <= WIDE else f"{name[: WIDE - 1]}…"
