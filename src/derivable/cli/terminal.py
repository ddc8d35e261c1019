"""What the terminal shows: progress and notes on stderr, the result on stdout."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from derivable.comparison import Comparison, Trained
from derivable.comparison.steps import Steps
from derivable.display.numbers import number, with_spread
from derivable.display.words import Words
from derivable.protocol import LAB_REASON

# Scores that have a column in a terminal.
_SCORES = ("mae", "r2", "accuracy", "balanced_accuracy", "roc_auc")


def show_note(note: str) -> None:
    """A paragraph that the reader must not miss, on stderr."""
    Console(stderr=True).print(Text(f"Note: {note}\n", style="yellow"))


def show_notes(notes: Sequence[str]) -> None:
    """One note as a paragraph, several as a list, on stderr."""
    if len(notes) == 1:
        show_note(notes[0])
    elif notes:
        lines = "\n".join(f"- {note}" for note in notes)
        Console(stderr=True).print(Text(f"{len(notes)} notes:\n{lines}\n", style="yellow"))


def show_detected(sentence: str) -> None:
    """What was found out about a file, on stderr."""
    console = Console(stderr=True)
    if sentence:
        console.print(Text(sentence, style="dim"), soft_wrap=not console.is_terminal)


def waiting(what: str, visible: bool) -> AbstractContextManager[object]:
    """A sign of life on stderr while something may take long; nothing where it is no terminal."""
    console = Console(stderr=True)
    return console.status(what) if visible and console.is_terminal else nullcontext()


def show_comparison(
    comparison: Comparison, folder: Path, charts: Sequence[Path], *, as_json: bool
) -> None:
    """The table of results and where the files are, on stdout; or one JSON document."""
    if as_json:
        print(comparison.to_json())
        return
    console = Console(markup=False)  # brackets in a file's name are brackets
    with_sheet = any(result.sheet for result in comparison.results)
    steps = f"{comparison.steps:,} steps, " if comparison.counts_steps else ""
    console.print(_table(comparison, with_sheet))
    console.print(
        f"protocol {comparison.facts.protocol}: {comparison.facts.train_rows:,} training and "
        f"{comparison.facts.test_rows:,} test rows of {comparison.facts.name}, "
        f"{steps}{_seeds(comparison)}",
        style="dim",
        highlight=False,
    )
    if stated := Steps(comparison.steps, comparison.steps_seconds).stated():
        console.print(stated, style="dim", highlight=False, soft_wrap=True)
    if with_sheet:
        several = len(comparison.seeds) > 1
        spread = (
            "within: whether it lies between our lowest and highest"
            if several
            else ("spread: where the test losses of other seeds lie")
        )
        console.print(
            f"sheet: the lab sheet's own figure, for which it fixed no seed; {spread}",
            style="dim",
            highlight=False,
        )
    for result in comparison.results:
        console.print(
            f"{result.model.name}: {_how(result)}", style="dim", highlight=False, soft_wrap=True
        )
    console.print(f"loss: {_loss(comparison)}", style="dim", highlight=False)
    for chart in charts:
        console.print(f"chart   {chart}", highlight=False, soft_wrap=True)
    console.print(f"report  {folder / 'report.html'}", highlight=False, soft_wrap=True)
    console.print(f"run     {folder}", highlight=False, soft_wrap=True)


def _loss(comparison: Comparison) -> str:
    """What a loss is, and what the training loss has besides."""
    penalty = comparison.training.penalty
    words = comparison.facts.in_words
    if comparison.training.class_weight is not None:
        words += ", rows weighted so that all classes count the same"
    return f"{words}; train loss with an L2 penalty of {penalty:g}" if penalty else words


def _seeds(comparison: Comparison) -> str:
    first, last = comparison.seeds[0], comparison.seeds[-1]
    return f"seed {first}" if first == last else f"seeds {first} to {last}"


def _how(result: Trained) -> str:
    """By which method, and how far from exact steps that is."""
    descent = result.descent
    evaluations = sum(run.gradient_evaluations for run in result.descents)
    noun = "gradient" if evaluations == 1 else "gradients"
    if result.model.automatic:
        return f"{result.choice}; {evaluations:,} {noun} of L-BFGS"
    worst = max((run.error_estimate for run in result.descents), key=lambda one: one.deviation)
    how = f"{descent.method}, {descent.objective}, {evaluations:,} {noun}; {worst}"
    if descent.stopped:
        how += f"; stopped: {descent.stopped}"
    if descent.not_compiled:
        how += f"; not compiled: {descent.not_compiled}"
    if result.lr is None or (result.lr_reason == LAB_REASON and not result.schedule):
        return how
    return f"{how}; {_rate(result)}"


def _rate(result: Trained) -> str:
    """The learning rate, and why it is this one."""
    said = f"lr {result.lr:g}"
    reason = result.lr_reason if said in result.lr_reason else f"{said}, {result.lr_reason}"
    return f"{reason}; {result.schedule}" if result.schedule else reason


def _table(comparison: Comparison, with_sheet: bool) -> Table:
    from derivable.report.results import naive_name, naive_scores, score_cells, score_names

    words = Words("en")
    names = () if with_sheet else tuple(n for n in score_names(comparison) if n in _SCORES)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    several = len(comparison.seeds) > 1
    table.add_column("model", no_wrap=bool(names))
    for name in names:
        table.add_column(words(name), justify="right")
    for name in (*["train loss"] * _shows_train(comparison, names), "test loss", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    if with_sheet:
        table.add_column("sheet", justify="right")
        if not several:
            table.add_column("spread", justify="center")
        table.add_column("within")
    for result in comparison.results:
        table.add_row(*_row(comparison, result, names, with_sheet, words))
    if names:
        naive = score_cells(naive_scores(comparison), names, words)
        table.add_row(naive_name(comparison, words), *naive, style="dim")
    return table


def _shows_train(comparison: Comparison, names: tuple[str, ...]) -> bool:
    """Whether there is room for it, beside scores and the spread over several seeds."""
    return not names or (len(comparison.seeds) == 1 and len(names) < 3)


def _row(
    comparison: Comparison,
    result: Trained,
    names: tuple[str, ...],
    with_sheet: bool,
    words: Words,
) -> list[str | Text]:
    """The cells of one model.

    "within" says whether the sheet's figure lies among our seeds; of one seed, whether its test
    loss lies in the spread of others.
    """
    from derivable.report.results import score_cells, scores_of

    test_loss, spread = result.test_loss, result.deviation
    row: list[str | Text] = [
        result.model.name,
        *(score_cells(scores_of(comparison, result), names, words) if names else ()),
        *[number(result.train_loss)] * _shows_train(comparison, names),
        Text(number(test_loss) if spread is None else with_spread(test_loss, spread), style="bold"),
        f"{result.seconds:.2f}",
    ]
    within = result.in_sheet_spread
    if result.deviation is not None:
        within = result.holds_sheet_figure
    if with_sheet and result.sheet:
        sheet = result.sheet
        row.append(f"{sheet.test_loss:.4f}")
        if result.deviation is None:
            row.append(f"{sheet.lowest:.3f} to {sheet.highest:.3f}")
        row.append(Text("yes", style="green") if within else Text("no", style="red"))
    return row
