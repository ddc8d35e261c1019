"""What the terminal shows: progress and notes on stderr, the result on stdout."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from derivable.cli.messages import say
from derivable.comparison import Comparison, Trained
from derivable.comparison.steps import Steps
from derivable.display.words import Words
from derivable.messages import SEMICOLON, in_language, joined
from derivable.protocol import LAB_REASON

# Scores that have a column in a terminal.
_SCORES = ("mae", "r2", "accuracy", "balanced_accuracy", "roc_auc")


def show_note(note: str) -> None:
    """A paragraph that the reader must not miss, on stderr."""
    Console(stderr=True).print(Text(f"{say('note', note=note)}\n", style="yellow"))


def show_notes(notes: Sequence[str]) -> None:
    """One note as a paragraph, several as a list, on stderr."""
    if len(notes) == 1:
        show_note(notes[0])
    elif notes:
        lines = "\n".join([say("notes", count=len(notes)), *(f"- {n}" for n in notes)])
        Console(stderr=True).print(Text(f"{lines}\n", style="yellow"))


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
    console.print(_table(comparison, with_sheet))
    console.print(_protocol(comparison), style="dim", highlight=False)
    if stated := Steps(comparison.steps, comparison.steps_seconds).stated():
        console.print(stated, style="dim", highlight=False, soft_wrap=True)
    if with_sheet:
        key = "sheet_note_seeds" if len(comparison.seeds) > 1 else "sheet_note"
        console.print(Words()(key).removesuffix("."), style="dim", highlight=False)
    for result in comparison.results:
        how = say("of_model", model=result.model.name, how=_how(result))
        console.print(how, style="dim", highlight=False, soft_wrap=True)
    console.print(say("loss", loss=_loss(comparison)), style="dim", highlight=False)
    for chart in charts:
        console.print(say("chart_file", file=chart), highlight=False, soft_wrap=True)
    page = say("report_file", file=folder / "report.html")
    console.print(page, highlight=False, soft_wrap=True)
    console.print(say("run_folder", file=folder), highlight=False, soft_wrap=True)


def _protocol(comparison: Comparison) -> str:
    """How the table was split, for how many steps and from which seeds."""
    facts, first, last = comparison.facts, comparison.seeds[0], comparison.seeds[-1]
    return say(
        "protocol",
        protocol=facts.protocol.partition("_")[0],  # the report says which variant
        train=facts.train_rows,
        test=facts.test_rows,
        data=facts.name,
        steps=say("steps_of", steps=comparison.steps) if comparison.counts_steps else "",
        seeds=say("seed" if first == last else "seeds", first=first, last=last),
    )


def _loss(comparison: Comparison) -> str:
    """What a loss is, and what the training loss has besides."""
    penalty, loss = comparison.training.penalty, comparison.facts.in_words
    if comparison.training.class_weight is not None:
        loss = say("weighted", loss=loss)
    return say("penalised", loss=loss, penalty=penalty) if penalty else loss


def _how(result: Trained) -> str:
    """By which method, and how far from exact steps that is."""
    descent = result.descent
    evaluations = sum(run.gradient_evaluations for run in result.descents)
    if result.model.automatic:
        choice = say("chosen", choice=result.choice.model, reason=result.choice.reason)
        return say("lbfgs", choice=choice, n=evaluations)
    worst = max((run.error_estimate for run in result.descents), key=lambda one: one.deviation)
    ways = {"method": descent.method, "objective": descent.objective}
    how = say("how", n=evaluations, estimate=worst.stated, **ways)
    if descent.stopped:
        how = say("stopped", how=how, why=descent.stopped)
    if descent.not_compiled:
        how = say("not_compiled", how=how, why=descent.not_compiled)
    if result.lr is None or (
        in_language(result.lr_reason, "en") == LAB_REASON.to("en") and not result.schedule
    ):
        return how
    return joined([how, _rate(result)], SEMICOLON)


def _rate(result: Trained) -> str:
    """The learning rate, and why it is this one."""
    reason = result.lr_reason
    if f"lr {result.lr:g}" not in in_language(result.lr_reason, "en"):
        reason = say("rate", lr=result.lr, reason=result.lr_reason)
    return joined([reason, str(result.schedule)], SEMICOLON) if result.schedule else reason


def _table(comparison: Comparison, with_sheet: bool) -> Table:
    from derivable.report.results import naive_name, naive_scores, score_cells, score_names

    words = Words()
    names = () if with_sheet else tuple(n for n in score_names(comparison) if n in _SCORES)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    several = len(comparison.seeds) > 1
    table.add_column(words("model"), no_wrap=bool(names))
    for name in names:
        table.add_column(words(name), justify="right")
    for name in (*["train"] * _shows_train(comparison, names), "test", "seconds"):
        table.add_column(say(f"head_{name}"), justify="right", no_wrap=True)
    if with_sheet:
        table.add_column(words("sheet"), justify="right")
        if not several:
            table.add_column(words("spread"), justify="center")
        table.add_column(words("within"))
    for result in comparison.results:
        table.add_row(*_row(comparison, result, names, with_sheet, words))
    if names:
        naive = score_cells(naive_scores(comparison), names, words)
        table.add_row(naive_name(comparison, words), *naive, style="dim")
    return table


def _shows_train(comparison: Comparison, names: tuple[str, ...]) -> bool:
    """Whether its column fits, beside scores and the spread over several seeds."""
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
        *[words.number(result.train_loss)] * _shows_train(comparison, names),
        Text(words.number(test_loss, spread), style="bold"),
        words.fixed(result.seconds, 2),
    ]
    within = result.in_sheet_spread
    if result.deviation is not None:
        within = result.holds_sheet_figure
    if with_sheet and result.sheet:
        sheet = result.sheet
        row.append(words.fixed(sheet.test_loss, 4))
        if result.deviation is None:
            low, high = words.fixed(sheet.lowest, 3), words.fixed(sheet.highest, 3)
            row.append(words("to", low=low, high=high))
        row.append(Text(words("yes"), style="green") if within else Text(words("no"), style="red"))
    return row
