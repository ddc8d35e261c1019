"""`grade`: grades the copies of a class, and writes pages and marks."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from derivable.errors import SettingError
from derivable.files import write_whole
from derivable.labs.grading.attempt import Interrupted
from derivable.labs.grading.caches import caches_here
from derivable.labs.grading.class_page import class_page
from derivable.labs.grading.copies import Copy, copies_in
from derivable.labs.grading.copy_page import copy_page
from derivable.labs.grading.limits import Limits
from derivable.labs.grading.marked import Class, Marked
from derivable.labs.grading.moodle import moodle_csv
from derivable.labs.grading.record import Results, file_name
from derivable.labs.grading.runner import Outcome, Runner
from derivable.labs.grading.scale import Scale
from derivable.labs.grading.similar import similar_pairs
from derivable.labs.grading.words import PROGRESS, STOPPED
from derivable.labs.refusals import refusal
from derivable.labs.sheet import Sheet
from derivable.language import language

COPIES, RESULTS, CSV, INDEX = "copies", "results", "marks.csv", "index.html"


class Stopped(KeyboardInterrupt):
    """Ctrl-C during a grading; the text states how many copies are graded and how to go on."""


@dataclass(frozen=True)
class Options:
    """How a class is graded.

    lang     of pages, marks and feedback; None for DERIVABLE_LANG
    jobs     copies that run at a time; 0 for the number of processors
    limits   of each copy
    visible  whether a bar of progress is shown in a terminal
    """

    lang: str | None = None
    jobs: int = 0
    limits: Limits = field(default_factory=Limits)
    visible: bool = True


def grade(
    source: Path, sheet: Sheet, scale: Scale, out: Path, options: Options | None = None
) -> Class:
    """Grade the copies in a folder, a ZIP or one file, and write what came of it.

    In `out` are then index.html for the teacher, a page for each copy in copies/, marks.csv with
    Moodle's columns, and results/, by which a grading that was interrupted goes on and one that
    is made again changes nothing. Raises DataError where there is nothing to grade, Stopped after
    Ctrl-C, FileError where another process grades into `out`, and WorkerError where copies cannot
    be run at all. RUNS the code of the copies; `derivable.labs.grading` states what limits them.
    """
    options = options or Options()
    lang = language(options.lang)
    if options.jobs < 0:
        raise SettingError(refusal("jobs", got=options.jobs))
    keys = list(sheet.questions)
    answers = [name for question in sheet.questions.values() for name in question.answers]
    runner = Runner(_reference(sheet), keys, lang, options.limits, caches_here())
    results = Results(out / RESULTS, runner, sheet.text)
    with results.held(), copies_in(source, answers, out) as copies:
        with _progress(len(copies), options.visible, PROGRESS.to(lang)) as advance:
            outcomes = _run_all(copies, results, options, advance)
        marked = [_marked(c, o, scale) for c, o in zip(copies, outcomes, strict=True)]
        pairs = similar_pairs(copies, sheet.given(lang))
        done = Class(sheet, scale, lang, marked, pairs)
        _write(done, out)
    return done


def _run_all(
    copies: Sequence[Copy], results: Results, options: Options, advance: Callable[[], None]
) -> list[Outcome]:
    """The outcome of each copy: the one that is kept, or that of a new run."""
    stop = threading.Event()
    pool = ThreadPoolExecutor(options.jobs or os.cpu_count() or 1)
    running: dict[Future[Outcome], int] = {}
    found: dict[int, Outcome] = {}
    try:
        for place, copy in enumerate(copies):
            running[pool.submit(_one, copy, results, stop)] = place
        for future in as_completed(running):
            found[running[future]] = future.result()
            advance()
    except KeyboardInterrupt:
        stop.set()
        pool.shutdown(cancel_futures=True)
        done = sum(1 for f in running if f.done() and not f.cancelled() and not f.exception())
        text = STOPPED.to(results.runner.lang, done=done, count=len(copies))
        raise Stopped(text) from None
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
    return [found[place] for place in range(len(copies))]


def _one(copy: Copy, results: Results, stop: threading.Event) -> Outcome:
    key = results.key(copy)
    kept = results.load(copy, key)
    if kept is not None:
        return kept
    if stop.is_set():
        raise Interrupted
    outcome = results.runner.run(copy, key.seed, stop)
    results.save(copy, key, outcome)
    return outcome


def _marked(copy: Copy, outcome: Outcome, scale: Scale) -> Marked:
    points = {key: scale.earned(one) for key, one in outcome.feedback.items()}
    page = f"{COPIES}/{file_name(copy)}.html"
    return Marked(copy.student, copy.file, outcome, points, scale.mark(outcome.feedback), page)


def _write(done: Class, out: Path) -> None:
    """The pages and the CSV; pages of copies that are no longer there are removed."""
    (out / COPIES).mkdir(parents=True, exist_ok=True)
    wanted = {out / one.page for one in done.marked}
    for old in (out / COPIES).glob("*.html"):
        if old not in wanted:
            old.unlink()
    for one in done.marked:
        write_whole(out / one.page, copy_page(one, done), sync=False)
    write_whole(out / CSV, moodle_csv(done), sync=False)
    write_whole(out / INDEX, class_page(done), sync=False)


def _reference(sheet: Sheet) -> str:
    """How a worker finds the sheet: by the path of its file, which a name leads to as well."""
    return str(sheet.path.resolve())


@contextmanager
def _progress(total: int, visible: bool, title: str) -> Iterator[Callable[[], None]]:
    """A progress bar over the copies, in a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not (visible and console.is_terminal):
        yield lambda: None
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(bar_width=None), MofNCompleteColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )  # fmt: skip
    with Progress(*columns, console=console, expand=True) as rows:
        task = rows.add_task(title, total=total)
        yield lambda: rows.advance(task)
