"""`compare`: several models on one table, by one protocol, from one seed or many."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import cache, partial
from typing import Any, Unpack

import torch
from torch import Tensor

from derivable.comparison import automatic
from derivable.comparison.automatic import fit_automatically
from derivable.comparison.messages import say
from derivable.comparison.result import Choice, Comparison, Curve, Facts, Trained
from derivable.comparison.steps import Steps, choose_steps
from derivable.comparison.tables import Options, is_own, table_of
from derivable.comparison.training import WORDS, Training
from derivable.data import SPLITS, Split, Table
from derivable.data.checks import check_weights
from derivable.data.split import TRAIN_SHARE
from derivable.descent import (
    LBFGS,
    Auto,
    Checkpoint,
    Descent,
    GradientDescent,
    Rate,
    State,
    choose_rate,
    descend_many,
)
from derivable.descent.method import Method
from derivable.descent.methods import method_of
from derivable.display.progress import bars
from derivable.errors import SettingError
from derivable.function.context import Context
from derivable.functions import MSE
from derivable.loss import AnyLoss, Loss
from derivable.network import Network
from derivable.problem import Problem
from derivable.protocol import (
    LAB_MODELS,
    LAB_REASON,
    LAB_STEPS,
    SHEET_FIGURES,
    Model,
    models_of,
)
from derivable.row_losses import weighted_loss
from derivable.stepper.ahead import compile_ahead
from derivable.threads import on_one_thread

Watch = Callable[[Model, int, float], None]  # (model, steps or seeds done, loss there)
Found = Descent | Checkpoint  # a descent that ended, or where one is


class Keeper:
    """What keeps a comparison on its way, so that another goes on where it ended; this one nothing.

    `derivable.run.Run` keeps it in a folder. Descents of several seeds call it from several
    threads, each for a seed of its own.
    """

    def begin(self, facts: Facts) -> None:
        """Before the first model. May refuse a table that is not that of before."""

    def trained(self, model: Model) -> Trained | None:
        """The model, if it was finished before."""
        return None

    def finish(self, result: Trained) -> None:
        """A model is finished."""

    def rate(self, model: Model, choose: Callable[[], Rate]) -> Rate:
        """The learning rate that was chosen before, or else is chosen now."""
        return choose()

    def steps(self, choose: Callable[[], Steps]) -> Steps:
        """The number of steps, which is chosen now."""
        return choose()

    def found(self, model: Model, seed: int) -> Found | None:
        """How far the descent from this seed came before."""
        return None

    def keep(self, model: Model, seed: int, found: Found) -> None:
        """How far it came now: between two blocks of steps, and at its end."""


@dataclass(frozen=True)
class Request:
    """How each model is trained: the options of a comparison that are no options of a table."""

    protocol: str | None = None
    lr: float | str | None = None
    steps: int | None = None
    seed: int = 0
    seeds: int = 1
    method: str | Method = "auto"

    def __post_init__(self) -> None:
        if self.protocol is not None and self.protocol not in SPLITS:
            raise SettingError(say("protocol", names=list(SPLITS), got=self.protocol))
        method_of(self.method)


PLANNED = tuple(field.name for field in fields(Request))


def compare(
    table: Any,
    models: str | Model | Sequence[str | Model] = LAB_MODELS,
    *,
    target: str | Sequence[str] | None = None,
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
    (`derivable.data.split` says what each does); left out, the lab's for California and diabetes
    and the sound one for every other table. `lr` is a number, or "auto" for one that suits
    the table (`derivable.descent.rate` says which); left out, the lab's protocol takes the
    sheet's and the sound one takes "auto". Each model is trained for `steps` from `seeds` seeds,
    `seed`, `seed` + 1, ..., on the split of the first. `steps` left out are 80,000, by the sound
    protocol fewer where these would take more than a minute (`derivable.comparison.steps`).
    `method` is one of `descend`.
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
    request = Request(**planned)
    chosen = models_of(models)
    if words and training is not None:
        raise SettingError(say("of_training", name=next(iter(words))))
    training = training or Training.of_words(**words)
    if loss is not None:
        training = replace(training, loss=loss)
    training.check_method(request.method)
    table = table_of(table, {"target": target, **reading})
    return _compare(table, chosen, request, training, watch, keeper or Keeper())


def _compare(
    table: Table,
    models: Sequence[Model],
    request: Request,
    training: Training,
    watch: Watch | bool,
    keeper: Keeper,
) -> Comparison:
    """`compare` of a table, models and a request that are read and checked."""
    seed = request.seed
    protocol = request.protocol or ("lab" if is_own(table) else "sound")
    training = training.of_targets(table.targets, table.classes)
    loss = Loss.of(training.loss)
    split, held = training.hold_out(SPLITS[protocol](table, seed))
    facts = Facts.of(table, split, loss)
    keeper.begin(facts)
    chosen = tuple(range(seed, seed + request.seeds))
    _compile_ahead(models, split, request, training)

    @cache
    def rate_of(model: Model) -> Rate:
        return keeper.rate(model, partial(_rate, model, split, seed, request.lr, training))

    def timed() -> Steps:
        if protocol == "lab":
            return Steps(LAB_STEPS)
        stepping = [model for model in models if not model.automatic]
        descents = ((_problem(one, split, seed, training), rate_of(one).lr) for one in stepping)
        return choose_steps(descents, _method(request, training), seeds=request.seeds)

    counted = keeper.steps(timed) if request.steps is None else Steps(request.steps)
    steps = counted.count
    labs_own = table.name == "california" and table.columns is None  # no file of that name
    comparable = labs_own and protocol == "lab" and steps == LAB_STEPS and training.is_plain
    settings = {"steps": steps, "method": request.method, **training.settings(split, held)}
    weight = training.row_weights(split.y_test, split)
    measure = partial(loss_at, loss, split.x_test, split.y_test, weight=weight)
    results = []
    total = steps if request.seeds == 1 else request.seeds  # what progress counts
    with _watched(watch, models, total) as look:
        for model in models:
            result = keeper.trained(model)
            if result is None and model.automatic:
                runs, choice = _train_automatically(
                    split, training, chosen, partial(look, model), total
                )
                result = _measured(model.found(runs[0].network), runs, measure, split, facts)
                result = replace(result, choice=choice)
                keeper.finish(result)
            elif result is None:
                rate = rate_of(model)
                own = settings | {"lr": training.rate(rate.lr)}
                runs = _train(model, split, chosen, own, partial(look, model), keeper)
                sheets = SHEET_FIGURES if comparable and rate.lr == model.lr else {}
                sheet = sheets.get(model.name)
                result = _measured(model, runs, measure, split, facts)
                result = replace(result, lr_reason=rate.reason, sheet=sheet)
                keeper.finish(result)
            results.append(result)
    return Comparison(facts, steps, chosen, tuple(results), training, counted.seconds)


def _method(request: Request, training: Training) -> Method:
    """The method that is meant; exact steps for auto, where every step counts."""
    method = method_of(request.method)
    step_by_step = training.schedule or training.patience
    return GradientDescent() if method.name == Auto.name and step_by_step else method


def _compile_ahead(
    models: Sequence[Model], split: Split, request: Request, training: Training
) -> None:
    """Let a second process compile what the last models need while the first ones descend."""
    stepping = [model for model in models if not model.automatic]
    problems = [_problem(model, split, 0, training) for model in stepping]
    method, steps = _method(request, training), request.steps
    steps = LAB_STEPS if steps is None else steps
    demands = [demand for one in problems for demand in method.demands(one, steps)]
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
    rows = int(TRAIN_SHARE * len(table.x))
    notes = [
        check_weights(table.name, model.name, model.weights(inputs, outputs), rows)
        for model in models
        if not model.automatic
    ]
    return [note for note in notes if note]


def _rate(
    model: Model, split: Split, seed: int, lr: float | str | None, training: Training
) -> Rate:
    """The learning rate of one model, and where it comes from."""
    if lr is None and split.protocol == "lab":
        return Rate(model.lr, LAB_REASON)
    if lr is None or lr == "auto":
        return choose_rate(_problem(model, split, seed, training))
    if isinstance(lr, str):
        raise SettingError(say("lr", got=lr))
    return Rate(lr, say("as_asked"))


def _problem(model: Model, split: Split, seed: int, training: Training) -> Problem:
    """What a model minimises, from the start that the seed gives."""
    x, y = split.x_train, split.y_train
    network = model.network(x.size(1), split.width, seed)
    weight = training.row_weights(y, split)
    return Problem(network, Loss.of(training.loss), x, y, weight, training.penalty)


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

        def told(share: float, loss: float, begun: int = k) -> None:
            progress(int((begun + share) / len(seeds) * total), loss)

        found.append(fit_automatically(split, training, seed, told))
    return [run for run, _ in found], found[0][1]


def _train(
    model: Model,
    split: Split,
    seeds: Sequence[int],
    settings: dict[str, Any],
    progress: Callable[[int, float], None],
    keeper: Keeper,
) -> list[Descent]:
    """One descent for each seed by the `settings` of `descend`; those that ended are not repeated.

    `progress` counts steps, or seeds where there are several.
    """
    x, y = split.x_train, split.y_train
    before = {seed: keeper.found(model, seed) for seed in seeds}
    ended = {seed: found for seed, found in before.items() if isinstance(found, Descent)}
    todo = [seed for seed in seeds if seed not in ended]
    done, stopped = itertools.count(len(ended) + 1), False

    def on_block(i: int, state: State) -> None:
        if state.resumable and not state.ended:  # the end is kept as a whole
            keeper.keep(model, todo[i], state.checkpoint())
        if len(seeds) == 1:
            progress(state.step, state.loss)

    def on_end(i: int, run: Descent) -> None:
        nonlocal stopped
        try:
            keeper.keep(model, todo[i], run)
        except KeyboardInterrupt:
            stopped = True
            raise
        if len(seeds) > 1:
            progress(next(done), run.train_loss)

    runs = descend_many(
        [model.network(x.size(1), split.width, seed) for seed in todo],
        x=x,
        y=y,
        starts=[found if isinstance(found := before[seed], Checkpoint) else None for seed in todo],
        on_block=on_block,
        on_end=on_end,
        **settings,
    )
    if stopped or len(runs) < len(todo) or any(run.interrupted for run in runs):
        raise KeyboardInterrupt
    ended |= zip(todo, runs, strict=True)
    return [ended[seed] for seed in seeds]


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
