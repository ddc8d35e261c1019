"""What the terminal shows: progress and notes on stderr, the result on stdout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from derivable.comparison import Comparison, Trained, Watch
from derivable.protocol import Model


def show_note(note: str) -> None:
    """A paragraph that the reader must not miss, on stderr."""
    Console(stderr=True).print(Text(f"Note: {note}\n", style="yellow"))


def waiting(what: str, visible: bool) -> AbstractContextManager[object]:
    """A sign of life on stderr while something may take long; nothing where it is no terminal."""
    console = Console(stderr=True)
    return console.status(what) if visible and console.is_terminal else nullcontext()


@contextmanager
def progress(models: Sequence[Model], steps: int, visible: bool) -> Iterator[Watch]:
    """A live bar per model on stderr; nothing where stderr is no terminal."""
    console = Console(stderr=True)
    if not (visible and console.is_terminal):
        yield lambda model, step, loss: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}", justify="right"),
        TextColumn("{task.fields[loss]}", justify="right"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with Progress(*columns, console=console, expand=True) as bars:
        tasks: dict[Model, TaskID] = {
            model: bars.add_task(model.name, total=steps, start=False, loss="waiting".rjust(11))
            for model in models
        }

        def watch(model: Model, step: int, loss: float) -> None:
            task = tasks[model]
            if not bars.tasks[task].started:
                bars.start_task(task)
            bars.update(task, completed=step, loss=f"loss {loss:.4f}")

        yield watch


def show_comparison(comparison: Comparison, folder: Path, charts: Sequence[Path]) -> None:
    """The table of results and where the files are, on stdout."""
    console = Console()
    with_sheet = any(result.sheet for result in comparison.results)
    console.print(_table(comparison, with_sheet))
    console.print(
        f"protocol {comparison.split.protocol}: {len(comparison.split.x_train):,} training and "
        f"{len(comparison.split.x_test):,} test rows of {comparison.table.name}, "
        f"{comparison.steps:,} steps, seed {comparison.seed}",
        style="dim",
        highlight=False,
    )
    if with_sheet:
        console.print(
            "sheet: the lab sheet's own figure, for which it fixed no seed; spread: where the "
            "test losses of other seeds lie",
            style="dim",
            highlight=False,
        )
    for chart in charts:
        console.print(f"chart   {chart}", highlight=False, soft_wrap=True)
    console.print(f"run     {folder}", highlight=False, soft_wrap=True)


def _table(comparison: Comparison, with_sheet: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model")
    for name in ("train loss", "test loss", "seconds"):
        table.add_column(name, justify="right")
    if with_sheet:
        table.add_column("sheet", justify="right")
        table.add_column("spread", justify="center")
        table.add_column("within")
    for result in comparison.results:
        table.add_row(*_row(result, with_sheet))
    return table


def _row(result: Trained, with_sheet: bool) -> list[str]:
    row = [
        result.model.name,
        f"{result.descent.train_loss:.4f}",
        f"[bold]{result.test_loss:.4f}[/bold]",
        f"{result.descent.seconds:.1f}",
    ]
    if with_sheet and result.sheet:
        sheet = result.sheet
        within = "[green]yes[/green]" if result.in_sheet_spread else "[red]no[/red]"
        row += [f"{sheet.test_loss:.4f}", f"{sheet.lowest:.3f} to {sheet.highest:.3f}", within]
    return row
