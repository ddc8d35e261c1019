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
from typing import TYPE_CHECKING, Any, Self

from derivable.display.words import Words
from derivable.templates import shared

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
        self._since: float | None = None

    def __enter__(self) -> Self:
        self._since = time.monotonic()
        return self

    def __call__(self, state: Any) -> None:
        """Show `state.step` of `state.steps`, and `state.loss`."""
        if self._update is None:
            shown = bars([""], state.steps, visible=True, since=self._since)
            self._update = self._stack.enter_context(shown)
        self._update("", state.step, state.loss)

    def __exit__(self, *error: object) -> None:
        self._stack.close()
        self._update = None


def bars(
    names: Sequence[str], total: int, *, visible: bool, since: float | None = None
) -> AbstractContextManager[Update]:
    """A bar for each name, in a terminal or a notebook.

    `since` is when the first began, by `time.monotonic`; now, where it is left out. Each of the
    others begins where the one before it was last updated.
    """
    rows = {name: Row(total) for name in names}
    opened = time.monotonic() if since is None else since
    if visible and (display := _notebook()):
        return _in_notebook(rows, opened, display)
    if visible:
        from rich.console import Console

        console = Console(stderr=True)
        if console.is_terminal:
            return _in_terminal(rows, opened, console)
    return nullcontext(lambda name, done, loss: None)


@contextmanager
def _in_terminal(rows: dict[str, Row], opened: float, console: Console) -> Iterator[Update]:
    from rich.progress import BarColumn, Progress, TaskID, TextColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}", justify="right"),
        TextColumn("{task.fields[loss]}", justify="right"),
        TextColumn("{task.fields[left]}", justify="right"),
    )
    words = Words()
    with Progress(*columns, console=console, expand=True) as shown:
        waiting = words("waiting").rjust(11)
        tasks: dict[str, TaskID] = {
            name: shown.add_task(name, total=row.total, start=False, loss=waiting, left="")
            for name, row in rows.items()
        }

        def update(name: str, done: int, loss: float) -> None:
            row = _noted(rows, name, done, loss, opened)
            if not shown.tasks[tasks[name]].started:
                shown.start_task(tasks[name])
            loss_text = f"{words('loss')} {words.number(loss)}"
            shown.update(tasks[name], completed=done, loss=loss_text, left=row.time(words))

        yield update


def _noted(rows: dict[str, Row], name: str, done: int, loss: float, opened: float) -> Row:
    """The row of that name, which is there now."""
    row = rows[name]
    if row.begun is None:
        row.begun = max((other.at for other in rows.values()), default=0.0) or opened
    row.note(done, loss)
    return row


def _notebook() -> Callable[..., Any] | None:
    """IPython's `display` where this runs in a notebook; IPython is not imported for it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if ipython is None or getattr(shell, "kernel", None) is None:  # a terminal has no kernel
        return None
    show: Callable[..., Any] = ipython.display.display
    return show


@contextmanager
def _in_notebook(
    rows: dict[str, Row], opened: float, display: Callable[..., Any]
) -> Iterator[Update]:
    picture = Picture(rows, Words())
    handle = display(picture, display_id=True)
    last = time.monotonic()

    def update(name: str, done: int, loss: float) -> None:
        nonlocal last
        _noted(rows, name, done, loss, opened)
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
    at: float = 0.0  # when it was there
    first: tuple[int, float] | None = None  # where it was seen first, and when
    losses: list[tuple[int, float]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return 0.0 if self.begun is None else self.at - self.begun

    @property
    def left(self) -> float | None:
        """About how many seconds it will take yet; None as long as nothing is known.

        By the steps since it was seen first, because the time before these may have been spent on
        compiling; of one that was seen only once, by all of that time.
        """
        if self.first is None or not self.done:
            return None
        done, at = self.first
        pace = (self.at - at) / (self.done - done) if self.done > done else self.seconds / self.done
        return pace * (self.total - self.done)

    def time(self, words: Words) -> str:
        """The time that is left, or that it took."""
        if self.done >= self.total or self.left is None:
            return clock(self.seconds)
        return words("time_left", time=clock(self.left))

    def note(self, done: int, loss: float) -> None:
        """It is there now.

        A flow that is integrated again, or replaced by exact steps, goes back to its start: the
        losses from there on are replaced.
        """
        now = time.monotonic()
        self.begun = now if self.begun is None else self.begun
        if self.losses and done <= self.losses[-1][0]:
            self.losses = [(step, before) for step, before in self.losses if step < done]
        if self.first is None or done < self.done:
            self.first = done, now
        self.done, self.at = done, now
        self.losses.append((done, loss))
        if len(self.losses) > POINTS:
            self.losses = self.losses[:-1:2] + self.losses[-1:]


@dataclass(frozen=True)
class Picture:
    """The progress of several descents, as HTML and as text."""

    rows: dict[str, Row]
    words: Words

    def _repr_html_(self) -> str:
        rows = [self._cells(name, row) for name, row in self.rows.items()]
        return shared.progress(rows, WIDE, HIGH)

    def __repr__(self) -> str:
        return "\n".join(
            "  ".join(filter(None, [name, *self._values(row)])) for name, row in self.rows.items()
        )

    def _values(self, row: Row) -> list[str]:
        """Steps, loss and time, in words."""
        words = self.words
        steps = f"{words.count(row.done)} / {words.count(row.total)}"
        if not row.losses:
            return [steps, words("waiting"), ""]
        loss = f"{words('loss')} {words.number(row.losses[-1][1])}"
        if row.done >= row.total:
            return [steps, loss, f"{words.short(round(row.seconds, 1))} s"]
        return [steps, loss, row.time(words)]

    def _cells(self, name: str, row: Row) -> dict[str, object]:
        """What the macro `progress` shows of one row."""
        steps, loss, seconds = self._values(row)
        share = row.done / row.total if row.total else 1.0
        points = _small_curve(row.losses)
        return {"name": name, "share": share, "steps": steps, "loss": loss, "points": points,
                "time": seconds}  # fmt: skip


def clock(seconds: float) -> str:
    """A time as 0:48 or 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _small_curve(losses: Sequence[tuple[int, float]]) -> str:
    """The losses so far as points of a line, on a logarithmic scale; empty for less than two."""
    seen = [(done, math.log(loss)) for done, loss in losses if 0 < loss < math.inf]
    if len(seen) < 2:
        return ""
    left, right = seen[0][0], seen[-1][0]
    low, high = min(y for _, y in seen), max(y for _, y in seen)
    x = [(done - left) / (right - left or 1) * WIDE for done, _ in seen]
    y = [(high - level) / (high - low or 1) * (HIGH - 4) + 2 for _, level in seen]
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
