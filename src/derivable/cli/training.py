"""What `compare` and `fit` share: their options, and a training that loses nothing."""

from __future__ import annotations

import functools
import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from derivable.cli.config import config_option, refuse_changes, resume_option, settings_of
from derivable.cli.interrupts import Interrupts
from derivable.cli.messages import say
from derivable.cli.processes import together
from derivable.cli.table_options import with_options
from derivable.compiler.helper import helper
from derivable.extras import require
from derivable.language import language
from derivable.messages import message_of

if TYPE_CHECKING:
    from derivable.cli.table_options import TableSource
    from derivable.comparison import Comparison, DescentOrCheckpoint
    from derivable.data import Table
    from derivable.distributed import Group
    from derivable.protocol import Model
    from derivable.run.folder import Run

# What only models that are trained for a number of steps have.
_OF_STEPS = (
    "lr", "steps", "method", "batch_size", "penalty", "schedule", "early_stopping", "patience",
    "validation", "device",
)  # fmt: skip
PROTOCOLS = ("lab", "sound")
METHODS = ("auto", "steps", "spectral", "flow", "momentum", "nesterov", "adam", "lbfgs")


def rate(ctx: click.Context, param: click.Parameter, word: str | None) -> float | str | None:
    """The learning rate that --lr names: a positive number, or auto."""
    if word is None or word == "auto":
        return word
    with suppress(ValueError):
        if 0 < float(word) < float("inf"):
            return float(word)
    raise click.BadParameter(say("neither_rate", word=word), ctx, param)


seeds_option = click.option(
    "--seeds",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    metavar="N",
    help="Train from so many seeds, and report the mean and the spread.",
)

# What is minimised and how; `derivable.comparison.training` says what the words mean.
_WORDS = (
    "loss", "class_weight", "penalty", "schedule", "early_stopping", "patience", "validation",
)  # fmt: skip
_HOW = (
    click.option(
        "--loss",
        metavar="NAME[:OPTION=VALUE,...]",
        help="What is minimised: mse, l1, huber, huber:delta=0.5 or logcosh; of classes "
        "crossentropy, crossentropy:label_smoothing=0.1; or a Function of your own, "
        "file.py:MyLoss, whose file is run.  [default: mse; crossentropy of classes]",
    ),
    click.option(
        "--class-weight",
        type=click.Choice(["balanced"]),
        help="Count rows such that all classes count the same.  [default: all rows count alike]",
    ),
    click.option(
        "--penalty",
        "--weight-decay",
        "penalty",
        type=click.FloatRange(min=0),
        default=0.0,
        show_default=True,
        metavar="L",
        help="L2 penalty: L / 2 times the squared length of the weights is added to the loss.",
    ),
    click.option(
        "--schedule",
        metavar="NAME[:OPTION=VALUE,...]",
        help="How the learning rate changes: cosine:warm_up=100,least=0, step:every=1000,"
        "factor=0.1 or warm-up:warm_up=100.  [default: it does not]",
    ),
    click.option(
        "--early-stopping",
        is_flag=True,
        help="Hold out training rows, and end where the loss on them is least.",
    ),
    click.option(
        "--patience",
        type=click.IntRange(min=1),
        metavar="N",
        help="Evaluations, one in 100 steps, without a lower loss on these rows.  [default: 10]",
    ),
    click.option(
        "--validation",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        metavar="SHARE",
        help="Share of the training rows that is held out.  [default: 0.1]",
    ),
)

_PACKAGES = (
    "matplotlib", "polars", "safetensors", "scipy", "sklearn", "threadpoolctl", "tomli_w",
)  # fmt: skip

_OPTIONS = (
    click.option(
        "--lr",
        callback=rate,
        metavar="X",
        help="Learning rate, or auto for one that suits.  [default: the lab's; auto for FILE]",
    ),
    click.option(
        "--protocol",
        type=click.Choice(PROTOCOLS),
        help="How the table is split and scaled.  [default: lab; sound for FILE]",
    ),
    click.option(
        "--steps",
        type=click.IntRange(min=0),
        metavar="N",
        help="Gradient-descent steps for each model.  [default: 80,000; for FILE fewer, where "
        "these would take more than a minute]",
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        metavar="N",
        help="Seed of the initial weights, and of the shuffle.",
    ),
    click.option(
        "--method",
        type=click.Choice(METHODS),
        default="auto",
        show_default=True,
        metavar="NAME",
        help="How to descend: auto, steps, spectral, flow, momentum, nesterov, adam or lbfgs.",
    ),
    click.option(
        "--batch-size",
        type=click.IntRange(min=1),
        metavar="N",
        help="Steps on N rows each, drawn anew every epoch; with --method steps, momentum, "
        "nesterov or adam.  [default: all rows]",
    ),
    *_HOW,
    click.option(
        "--device",
        metavar="NAME",
        help="Where models descend: cpu, cuda or cuda:1; on a CUDA device with --method auto, "
        "steps, momentum, nesterov or adam.  [default: cpu]",
    ),
    config_option,
    resume_option,
    click.option(
        "--out",
        metavar="FOLDER",
        help="Where the run is written; an empty or new folder.  [default: runs/<data>-<number>]",
    ),
    click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON document instead of a table."
    ),
    click.option("--quiet", is_flag=True, help="No progress; only the result."),
)


@dataclass(frozen=True)
class Asked:
    """The options of a training, as they were typed or stand by default."""

    models: str
    lr: float | str | None
    protocol: str | None
    steps: int | None
    seed: int
    method: str
    batch_size: int | None
    how: dict[str, Any]  # those of `Training.of_words`
    device: str | None
    resume: str | None
    out: str | None
    as_json: bool
    quiet: bool
    seeds: int = 1


def training_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a training, as one argument `asked`.

    It raises MissingExtraError first, where packages are missing that a training needs.
    """

    @functools.wraps(command)
    def with_asked(*args: Any, **given: Any) -> Any:
        require(f"derivable {click.get_current_context().command.name}", *_PACKAGES)
        given["how"] = {name: given.pop(name) for name in _WORDS}
        given.pop("config")  # whose options have taken the places of defaults
        names = [field.name for field in fields(Asked) if field.name in given]
        asked = Asked(**{name: given.pop(name) for name in names})
        return command(*args, asked=asked, **given)

    decorated: Callable[..., Any] = with_options(*_OPTIONS)(with_asked)
    return decorated


def train(
    ctx: click.Context, source: TableSource, asked: Asked
) -> tuple[Comparison, Path, list[Path]]:
    """Train in a run folder, new or to go on with: the result, the folder, and its charts."""
    from derivable.comparison import Keeper, Request, Training, compare_table, needs_all_rows
    from derivable.descent.methods import in_batches
    from derivable.distributed import agreed
    from derivable.protocol import parse_models
    from derivable.run.folder import load_settings
    from derivable.run.shared import SharedRun

    language()  # a language that is not spoken is refused before the work, not after it
    if asked.resume is not None:
        if asked.out is not None:
            raise click.UsageError(say("resume_out"))
        refuse_changes(ctx, load_settings(Path(asked.resume)))
    chosen, training = parse_models(asked.models), Training.of_words(**asked.how)
    way = in_batches(asked.method, asked.batch_size, asked.seed)
    training.check_method(way)
    request = Request(
        protocol=asked.protocol or source.protocol,
        lr=asked.lr,
        steps=asked.steps,
        seed=asked.seed,
        seeds=asked.seeds,
        method=way,
        device=asked.device,
    )
    _refuse_settings_of_auto(ctx, chosen)
    with together() as group:
        if group is None:  # several processes keep all cores busy
            helper.start_if_cold()
        whole = asked.resume is not None or needs_all_rows(chosen, training, asked.protocol)
        if group is not None and source.file is not None and source.parts is None and whole:
            source = replace(source, parts=False)
        table = _table(source, chosen, group, quiet=asked.quiet)
        if group is None or group.rank == 0:
            _import_beside("derivable.report.run_folder")
        interrupts, run = Interrupts(asked.as_json), None
        with agreed(group):
            if group is None or group.rank == 0:
                run = _opened(ctx, table, interrupts, asked)
        with interrupts.heard() if group is None else nullcontext(), _kept(run):
            request = replace(request, shard=group is not None)
            keeper = (run or Keeper()) if group is None else SharedRun(group, run)
            watch = not asked.quiet
            comparison = compare_table(table, chosen, request, training, watch, keeper)
            charts = _written(comparison, run)
    if run is None:  # another process has written all of it
        ctx.exit()
    return comparison, run.folder, charts


def _table(
    source: TableSource, models: tuple[Model, ...], group: Group | None, *, quiet: bool
) -> Table:
    """The table; what to know of it goes to stderr."""
    from derivable.cli.terminal import show_note
    from derivable.comparison import notes_on_weights

    table = source.load(quiet=quiet, group=group)
    if source.file is not None:
        for note in notes_on_weights(table, models):
            show_note(note)
    return table


def _opened(ctx: click.Context, table: Table, interrupts: Interrupts, asked: Asked) -> Run:
    """The folder of a run, new or to go on with."""
    from derivable.cli.terminal import show_detected
    from derivable.run.folder import open_run

    settings = settings_of(ctx)
    if table.part is not None:
        settings["parts"] = True  # the run goes on with the rows that train and test now
    return open_run(
        str(ctx.command.name),
        settings,
        out=asked.out,
        resume=asked.resume,
        name=table.name,
        between=lambda found: interrupts.between(ended=_has_ended(found)),
        on_steps=lambda steps: None if asked.quiet else show_detected(steps.stated()),
    )


def _written(comparison: Comparison, run: Run | None) -> list[Path]:
    """The charts of a finished comparison, which is written into the folder of its run, if any."""
    if run is None:
        return []
    from derivable.report.run_folder import write_run
    from derivable.run.folder import load_settings

    return write_run(comparison, run.folder, load_settings(run.folder))


def _refuse_settings_of_auto(ctx: click.Context, models: tuple[Model, ...]) -> None:
    """Refuse settings of steps that were typed where no model takes them."""
    if not all(model.automatic for model in models):
        return
    for name in _OF_STEPS:
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(say("no_steps", option=option))


def _import_beside(module: str) -> None:
    """Import what is needed later while compiled loops run, which leave Python to others."""

    def load() -> None:
        with suppress(Exception):  # where it is needed, it is raised again
            importlib.import_module(module)

    # No daemon: where Python ends one inside of C++ code, the process is aborted.
    threading.Thread(target=load).start()


def _has_ended(found: DescentOrCheckpoint) -> bool:
    from derivable.descent import Descent

    return isinstance(found, Descent)


@contextmanager
def _kept(run: Run | None) -> Iterator[None]:
    """Add to an error that ends a run early what is kept, and how to go on."""
    from derivable.errors import DivergedError, FileError, LostProcessError

    if run is None:
        yield
        return
    try:
        yield
    except (KeyboardInterrupt, FileError, LostProcessError) as error:
        if run.is_bare:
            raise
        text = message_of(error) or say("interrupted")
        raise type(error)(say("and_kept", text=text, kept=run.in_words)) from None
    except DivergedError as error:
        if run.is_bare:
            raise
        text = say("kept_in", error=error, folder=run.folder)
        raise DivergedError(text) from None
    finally:
        run.close()
