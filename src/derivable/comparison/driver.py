"""`compare`: several models on one table, by one protocol, from one seed or many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from typing import Any, Unpack

import torch
from torch import Tensor

from derivable import __version__
from derivable.comparison import automatic
from derivable.comparison.automatic import fit_automatically
from derivable.comparison.keeper import Keeper
from derivable.comparison.messages import say
from derivable.comparison.request import PLANNED, Request
from derivable.comparison.result import Choice, Comparison, Curve, Facts, Trained
from derivable.comparison.steps import Steps
from derivable.comparison.tables import Names, Options, is_own, python_words, table_of
from derivable.comparison.trainer import Trainer
from derivable.comparison.training import WORDS, Training
from derivable.data import SPLITS, Split, Table
from derivable.data.checks import check_weights
from derivable.data.rows import TRAIN_SHARE
from derivable.descent import (
    LBFGS,
    Descent,
    Rate,
)
from derivable.display.progress import bars
from derivable.distributed import Group
from derivable.errors import SettingError
from derivable.function.context import Context
from derivable.functions import MSE
from derivable.loss import AnyLoss, Loss
from derivable.network import Network
from derivable.protocol import (
    LAB_MODELS,
    LAB_STEPS,
    SHEET_FIGURES,
    Model,
    models_of,
)
from derivable.row_losses import weighted_loss
from derivable.stepper.ahead import compile_ahead
from derivable.threads import on_one_thread

Watch = Callable[[Model, int, float], None]  # (model, steps or seeds done, loss there)


def compare(
    table: Any,
    models: str | Model | Sequence[str | Model] = LAB_MODELS,
    *,
    target: Names | None = None,
    loss: AnyLoss | str | None = None,
    training: Training | None = None,
    watch: Watch | bool = False,
    keeper: Keeper | None = None,
    **options: Unpack[Options],
) -> Comparison:
    """Train each model on `table` by one protocol and measure it on the test rows.

        compare("houses.csv", "linear,tanh:10", target="price")
        compare(frame, ["linear", "relu:32x16"], target="price", ignore="id", missing="median")

    `table` is a `Table`, the path of a file, a data frame of pandas or polars, or "california" or
    "diabetes". A file or data frame needs `target`, the column to predict or several, and takes
    the other options of `read_table`: `ignore`, `missing`, `one_hot`, `decimal`, `separator`, `na`.
    `models` are text as the command takes it, such as "linear,tanh:10", or several.

    `protocol` is "lab", for the comparison with the sheet's figures, or "sound", for any table
    (`derivable.data.split` describes each); left out, the lab's for California and diabetes
    and the sound one for every other table. `lr` is a number, or "auto" for one that suits
    the table (`derivable.descent.rate`); left out, the lab's protocol takes the
    sheet's and the sound one takes "auto". Each model is trained for `steps` from `seeds` seeds,
    `seed`, `seed` + 1, ..., on the split of the first. `steps` left out are 80,000, by the sound
    protocol fewer where these would take more than a minute (`derivable.comparison.steps`).
    `method` is one of `descend`.
    With `shard`, the processes of the current group of `torch.distributed`, each of which calls
    this with the same arguments, share the rows of a descent, or the seeds where there are several;
    all of them return the same (docs/scale.md). `device`, such as "cuda", is where models descend.
    `loss` is a Function, a `Loss` or text such as "huber:delta=0.5"; left out, the mean squared
    error of numbers and the cross-entropy of classes. `penalty`, `schedule`, `early_stopping`,
    `patience`, `validation` and `class_weight` are those of the command; `training` is all of these
    as one object.
    `watch(model, done, loss)` is called now and then while a model descends; `done` counts steps,
    or seeds where there are several. `watch=True` shows a bar for each model in a terminal, and in
    a notebook a picture. A `keeper` keeps what is found, and knows what was found before.

    Raises SettingError for a setting without a meaning, InputError for an option that is unknown,
    DataError for a table that cannot be used, DivergedError when a loss stops being finite, and
    KeyboardInterrupt when interrupted.
    """
    planned: dict[str, Any] = {k: v for k, v in options.items() if k in PLANNED}
    words: dict[str, Any] = {name: value for name, value in options.items() if name in WORDS}
    of_others = {*PLANNED, *WORDS}
    reading = {name: value for name, value in options.items() if name not in of_others}
    with python_words():
        request, chosen = Request(**planned), models_of(models)
        training = _training_of(training, loss, words)
        training.check_method(request.method)
        if request.shard and needs_all_rows(chosen, training, request.protocol):
            reading.setdefault("parts", False)
        watch, keeper = _checked(watch, keeper)
        group = Group() if request.shard else None
        table = table_of(table, {"target": target, **reading}, group)
        return compare_table(table, chosen, request, training, watch, keeper)


def _training_of(
    training: Training | None, loss: AnyLoss | str | None, words: dict[str, Any]
) -> Training:
    """What is minimised and how: one object, or the options that it is made of."""
    if training is None:
        training = Training.of_words(**words)
    elif not isinstance(training, Training):
        raise SettingError(say("of_kind", name="training", kind="Training", got=training))
    elif words:
        raise SettingError(say("of_training", name=next(iter(words))))
    return training if loss is None else replace(training, loss=loss)


def _checked(watch: Any, keeper: Any) -> tuple[Watch | bool, Keeper]:
    """Both, if they can be called."""
    if not (watch is None or isinstance(watch, bool) or callable(watch)):
        raise SettingError(say("watch", got=watch))
    if not (keeper is None or isinstance(keeper, Keeper)):
        raise SettingError(say("of_kind", name="keeper", kind="Keeper", got=keeper))
    return watch or False, keeper or Keeper()


def compare_table(
    table: Table,
    models: Sequence[Model],
    request: Request,
    training: Training,
    watch: Watch | bool,
    keeper: Keeper,
) -> Comparison:
    """`compare` of a table, models and a request that are read and checked.

    Errors name options as commands do.
    """
    seed = request.seed
    protocol = request.protocol or ("lab" if is_own(table) else "sound")
    training = training.of_targets(table.targets, table.classes)
    loss = Loss.of(training.loss)
    split, held = training.hold_out(SPLITS[protocol](table, seed))
    facts = Facts.of(table, split, loss)
    group = _group_of(table, models, request, training)
    if group is not None:
        _check_alike(group, facts, models, request)
    keeper.begin(facts)
    trainer = Trainer(split, held, request, training, group)
    if group is None:  # several processes keep all cores busy
        most = LAB_STEPS if request.steps is None else request.steps
        _compile_ahead(models, trainer, split, training, most)

    @cache
    def rate_of(model: Model) -> Rate:
        rate = keeper.rate(model)
        if rate is None:
            rate = trainer.rate(model)
            keeper.keep_rate(model, rate)
        return rate

    counted = Steps(LAB_STEPS if request.steps is None else request.steps)
    if request.steps is None:
        if protocol != "lab":
            counted = trainer.steps((one, rate_of(one)) for one in models if not one.automatic)
        keeper.keep_steps(counted)
    steps = counted.count
    labs_own = table.name == "california" and table.columns is None  # no file of that name
    comparable = labs_own and protocol == "lab" and steps == LAB_STEPS and training.is_plain
    weight = training.row_weights(split.y_test, split)
    measure = partial(loss_at, loss, split.x_test, split.y_test, weight=weight)
    results = []
    total = steps if request.seeds == 1 else request.seeds  # what progress counts
    if group is not None and group.rank and isinstance(watch, bool):
        watch = False  # one process shows progress
    with _watched(watch, models, total) as update:
        for model in models:
            result = keeper.trained(model)
            if result is None and model.automatic:
                runs, choice = _train_automatically(
                    split, training, request.all_seeds, partial(update, model), total
                )
                result = _measured(model.found(runs[0].network), runs, measure, split, facts)
                result = replace(result, choice=choice)
                keeper.finish(result)
            elif result is None:
                rate = rate_of(model)
                runs = trainer.train(model, rate.lr, steps, partial(update, model), keeper)
                sheets = SHEET_FIGURES if comparable and rate.lr == model.lr else {}
                sheet = sheets.get(model.name)
                result = _measured(model, runs, measure, split, facts)
                result = replace(result, lr_reason=rate.reason, sheet=sheet)
                keeper.finish(result)
            results.append(result)
    return Comparison(facts, steps, request.all_seeds, tuple(results), training, counted.seconds)


def needs_all_rows(models: Sequence[Model], training: Training, protocol: str | None) -> bool:
    """Whether each process must have the whole table: for auto, early stopping, the lab's split."""
    automatic = any(model.automatic for model in models)
    return automatic or training.patience is not None or protocol == "lab"


def _group_of(
    table: Table, models: Sequence[Model], request: Request, training: Training
) -> Group | None:
    """The processes that share the work, if any. Refuses what needs all rows in each of them."""
    if table.part is None:
        return Group() if request.shard else None
    if training.patience is not None:
        raise SettingError(say("parts_stopping"))
    if any(model.automatic for model in models):
        raise SettingError(say("parts_auto"))
    return table.part.group


def _check_alike(group: Group, facts: Facts, models: Sequence[Model], request: Request) -> None:
    """Refuse processes that see other tables, are asked for other things or are other versions."""
    versions = f"derivable {__version__}, torch {torch.__version__}"
    group.check_same("versions", versions, "same_versions")
    asked = f"{request.seeds} seeds from {request.seed}, steps {request.steps}, lr {request.lr}"
    names = ", ".join(model.name for model in models)
    group.check_same("settings", f"{names}; {asked}", "same_settings")
    group.check_same("tables", f"{facts.name} {facts.digest[:12]}", "same_table")


def _compile_ahead(
    models: Sequence[Model], trainer: Trainer, split: Split, training: Training, steps: int
) -> None:
    """Let a second process compile what the last models need while the first ones descend."""
    stepping = [model for model in models if not model.automatic]
    problems = [trainer.problem(model, 0) for model in stepping]
    demands = [demand for one in problems for demand in trainer.method.demands(one, steps)]
    if len(stepping) < len(models):
        for one in automatic.demanded(split, training):
            demands += LBFGS().demands(one, automatic.STEPS)
    compile_ahead(demands)


@contextmanager
def _watched(watch: Watch | bool, models: Sequence[Model], total: int) -> Iterator[Watch]:
    """What to call on the way: a function as it is; for True, one that shows progress."""
    if not isinstance(watch, bool):
        yield watch
        return
    with bars([model.name for model in models], total, visible=watch) as update:
        yield lambda model, done, loss: update(model.name, done, loss)


def notes_on_weights(table: Table, models: Sequence[Model]) -> list[str]:
    """What to know of models that have many weights for the rows of a table.

    Raises DataError where one has far too many.
    """
    inputs, outputs = table.x.size(1), table.width
    rows = int(TRAIN_SHARE * table.rows)
    notes = [
        check_weights(table.name, model.name, model.weights(inputs, outputs), rows)
        for model in models
        if not model.automatic
    ]
    return [note for note in notes if note]


def _measured(
    model: Model,
    runs: Sequence[Descent],
    measure: Callable[[Network, Tensor], float],
    split: Split,
    facts: Facts,
) -> Trained:
    """One model's descents beside the test rows."""
    first = runs[0]
    return Trained(
        model=model,
        descents=tuple(runs),
        test_losses=tuple(facts.unit * measure(run.network, run.network.theta) for run in runs),
        test_curve=Curve(first.snapshots.steps, facts.unit * _along(first, measure, split)),
        predictions=facts.predictions(first.network, split.x_test),
        unit=facts.unit,
    )


def _train_automatically(
    split: Split,
    training: Training,
    seeds: Sequence[int],
    progress: Callable[[int, float], None],
    total: int,
) -> tuple[list[Descent], Choice]:
    """A model for each seed, and what was chosen from the first; `progress` counts to `total`."""
    found = []
    for k, seed in enumerate(seeds):

        def report(share: float, loss: float, begun: int = k) -> None:
            progress(int((begun + share) / len(seeds) * total), loss)

        found.append(fit_automatically(split, training, seed, report))
    return [run for run, _ in found], found[0][1]


def test_loss(network: Network, x: Tensor, y: Tensor, loss: AnyLoss = MSE) -> float:  # noqa: PT028 (no test)
    """The loss of the network on x (N, D), y (N, K), summed where it is several numbers."""
    return loss_at(loss, x, y, network, network.theta)


def loss_at(
    loss: AnyLoss,
    x: Tensor,
    y: Tensor,
    network: Network,
    theta: Tensor,
    *,
    weight: Tensor | None = None,
) -> float:
    """The same with the parameters `theta` (P,); row n counts `weight[n]` of their mean."""
    yhat, _ = network.forward_by_hand(x, network.unflatten(theta.to(x.dtype)))
    if weight is not None:
        return weighted_loss(loss, yhat, y, (weight / weight.mean()).to(yhat.dtype)).item()
    return Loss.of(loss).forward(Context(), yhat, y).sum().item()


def _along(run: Descent, measure: Callable[[Network, Tensor], float], split: Split) -> Tensor:
    """The test loss at each snapshot, (S,)."""
    with on_one_thread(len(split.x_test) * run.network.theta.numel()):
        losses = [measure(run.network, theta) for theta in run.snapshots.taken]
    return torch.tensor(losses, dtype=torch.float64)
