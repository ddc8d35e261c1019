"""Progress of something long: bars in a terminal, one picture in a notebook, else nothing.

In a notebook one output is redrawn in place, and what is left at the end is a picture that can be
read without anything running. A log file gets nothing.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Self

from derivable.display.words import Words

if TYPE_CHECKING:
    from rich.console import Console

Update = Callable[[str, int, float], None]  # (name, steps done, loss there)
PAUSE = 0.25  # seconds between two pictures
POINTS = 200  # of a small curve, at most
WIDE, HIGH = 150, 26  # pixels of it


class ProgressBar:
    """A callback that shows the progress of one descent: `descend(..., on_block=ProgressBar())`.

    It shows a bar in a terminal, one picture in a notebook, and nothing in a log.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._update: Update | None = None

    def __enter__(self) -> Self:
        return self

    def __call__(self, state: Any) -> None:
        """Show `state.step` of `state.steps`, and `state.loss`."""
        if self._update is None:
            self._update = self._stack.enter_context(bars([""], state.steps, visible=True))
        self._update("", state.step, state.loss)

    def __exit__(self, *error: object) -> None:
        self._stack.close()
        self._update = None


def bars(names: Sequence[str], total: int, *, visible: bool) -> AbstractContextManager[Update]:
    """A bar for each name, where there is somebody to see it."""
    if visible and (display := _notebook()):
        return _in_notebook(names, total, display)
    if visible:
        from rich.console import Console

        console = Console(stderr=True)
        if console.is_terminal:
            return _in_terminal(names, total, console)
    return nullcontext(lambda name, done, loss: None)


@contextmanager
def _in_terminal(names: Sequence[str], total: int, console: Console) -> Iterator[Update]:
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}", justify="right"),
        TextColumn("{task.fields[loss]}", justify="right"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    words = Words()
    with Progress(*columns, console=console, expand=True) as rows:
        waiting = words("waiting").rjust(11)
        tasks: dict[str, TaskID] = {
            name: rows.add_task(name, total=total, start=False, loss=waiting) for name in names
        }

        def update(name: str, done: int, loss: float) -> None:
            task = tasks[name]
            if not rows.tasks[task].started:
                rows.start_task(task)
            rows.update(task, completed=done, loss=f"{words('loss')} {words.number(loss)}")

        yield update


def _notebook() -> Callable[..., Any] | None:
    """IPython's `display` where this runs in a notebook; IPython is not imported for it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if ipython is None or getattr(shell, "kernel", None) is None:  # a terminal has no kernel
        return None
    show: Callable[..., Any] = ipython.display.display
    return show


@contextmanager
def _in_notebook(names: Sequence[str], total: int, display: Callable[..., Any]) -> Iterator[Update]:
    picture = Picture({name: Row(total) for name in names}, Words())
    handle = display(picture, display_id=True)
    last = time.monotonic()

    def update(name: str, done: int, loss: float) -> None:
        nonlocal last
        picture.rows[name].note(done, loss)
        now = time.monotonic()
        if now - last >= PAUSE:
            last = now
            handle.update(picture)

    try:
        yield update
    finally:
        handle.update(picture)


@dataclass
class Row:
    """How far one descent is, and the losses on its way there."""

    total: int
    done: int = 0
    begun: float | None = None
    seconds: float = 0.0
    losses: list[tuple[int, float]] = field(default_factory=list)

    def note(self, done: int, loss: float) -> None:
        """It is there now.

        A flow that is integrated again, or replaced by exact steps, goes back to its start: the
        losses from there on are replaced.
        """
        now = time.monotonic()
        self.begun = now if self.begun is None else self.begun
        if self.losses and done <= self.losses[-1][0]:
            self.losses = [(step, before) for step, before in self.losses if step < done]
        self.done, self.seconds = done, now - self.begun
        self.losses.append((done, loss))
        if len(self.losses) > POINTS:
            self.losses = self.losses[:-1:2] + self.losses[-1:]


@dataclass(frozen=True)
class Picture:
    """The progress of several descents, as HTML and as text."""

    rows: dict[str, Row]
    words: Words

    def _repr_html_(self) -> str:
        rows = "".join(self._html(name, row) for name, row in self.rows.items())
        return f'<table style="font-variant-numeric:tabular-nums"><tbody>{rows}</tbody></table>'

    def __repr__(self) -> str:
        return "\n".join(
            "  ".join(filter(None, [name, *self._values(row)])) for name, row in self.rows.items()
        )

    def _values(self, row: Row) -> list[str]:
        """Steps, loss and seconds, in words."""
        words = self.words
        steps = f"{words.count(row.done)} / {words.count(row.total)}"
        if not row.losses:
            return [steps, words("waiting"), ""]
        loss = f"{words('loss')} {words.number(row.losses[-1][1])}"
        return [steps, loss, f"{words.short(round(row.seconds, 1))} s"]

    def _html(self, name: str, row: Row) -> str:
        share = row.done / row.total if row.total else 1.0
        bar = (
            f'<div role="progressbar" aria-valuenow="{100 * share:.0f}" aria-valuemin="0" '
            'aria-valuemax="100" style="width:9em;height:.6em;border-radius:.3em;'
            'background:#80808040"><div style="height:100%;border-radius:.3em;'
            f'background:#0072b2;width:{100 * share:.1f}%"></div></div>'
        )
        steps, loss, seconds = self._values(row)
        cells = [f"<b>{escape(name)}</b>", bar, steps, loss, _small_curve(row.losses), seconds]
        aligned = "".join(f'<td style="text-align:right">{cell}</td>' for cell in cells)
        return f"<tr>{aligned}</tr>"


def _small_curve(losses: Sequence[tuple[int, float]]) -> str:
    """The losses so far as a line without axes, on a logarithmic scale."""
    seen = [(done, math.log(loss)) for done, loss in losses if 0 < loss < math.inf]
    if len(seen) < 2:
        return ""
    left, right = seen[0][0], seen[-1][0]
    low, high = min(y for _, y in seen), max(y for _, y in seen)
    x = [(done - left) / (right - left or 1) * WIDE for done, _ in seen]
    y = [(high - level) / (high - low or 1) * (HIGH - 4) + 2 for _, level in seen]
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    return (
        f'<svg width="{WIDE}" height="{HIGH}" aria-hidden="true"><polyline points="{points}" '
        'fill="none" stroke="#0072b2" stroke-width="1.5"/></svg>'
    )
