"""The model `auto`: a linear model, networks or a mixture, chosen by rows held out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from derivable.comparison.messages import say
from derivable.comparison.result import Choice
from derivable.comparison.training import Training
from derivable.data import Split
from derivable.descent import LBFGS, Descent, State, descend
from derivable.descent.snapshots import Snapshots
from derivable.ensemble import Ensemble, Task, fit_ensemble, fold_of_rows
from derivable.ensemble.folds import Table, mean_curve
from derivable.ensemble.lines import alphas_for
from derivable.ensemble.penalties import alpha_of_networks, penalty_of
from derivable.ensemble.start import ACTIVATION, FOLDS, HIDDEN, network_for
from derivable.loss import Loss
from derivable.network import Network
from derivable.objective import ByHand
from derivable.problem import Problem
from derivable.threads import on_one_thread

STEPS, USUAL_STEPS = 1000, 60  # iterations of L-BFGS at most, and about as many as there are


def fit_automatically(
    split: Split, training: Training, seed: int, progress: Callable[[float, float], None]
) -> tuple[Descent, Choice]:
    """Fit the networks and linear models, choose, and describe the choice as one descent.

    The loss is that of `training`, with its weights of classes; the penalties are chosen. Its
    losses are the mean of those of the networks, and at the end that of the model itself.
    `progress` is called with how much of the work is done, about, and a loss. Raises
    KeyboardInterrupt where it is interrupted.
    """
    begin = time.perf_counter()
    task = _task(split, training, seed)

    def watch(network: Network, ended: list[Network]) -> Sequence[Callable[[State], None]]:
        def report(state: State) -> None:
            part = min(1.0, state.step / USUAL_STEPS)
            progress((len(ended) + part) / task.count, state.loss)

        return [report]

    if not task.networks:
        return _unsplit(task)
    with on_one_thread(len(task.fold) * task.largest.theta.numel()):
        found = fit_ensemble(task, watch)
    if found.interrupted:
        raise KeyboardInterrupt
    choice = Choice(found.chosen, found.reason, tuple(found.choices))
    return _as_descent(found, task, time.perf_counter() - begin), choice


def _unsplit(task: Task) -> tuple[Descent, Choice]:
    """A linear model on all rows, where these are too few for any to be held out."""
    assert task.line is not None  # there is always one
    run = task.descend(task.line, task.table, task.penalty(task.alpha))
    if run.interrupted:
        raise KeyboardInterrupt
    return run, Choice(f"linear, alpha={task.alpha:.3g}", say("none_held_out"))


def demanded(split: Split, training: Training) -> list[Problem]:
    """The problems whose loops are compiled for it."""
    return [_problem(split, training, hidden) for hidden in ((), HIDDEN)]


def _problem(split: Split, training: Training, hidden: tuple[int, ...]) -> Problem:
    x, y = split.x_train, split.y_train
    network = network_for(x.size(1), split.width, hidden, ACTIVATION, 0, x.dtype)
    weight = training.row_weights(y, split)
    return Problem(network, Loss.of(training.loss), x, y, weight, 1.0)


def _task(split: Split, training: Training, seed: int) -> Task:
    x, y, loss = split.x_train, split.y_train, Loss.of(training.loss)
    weight = training.row_weights(y, split)
    table: Table = (x, y, weight)
    fold = fold_of_rows(x.numpy(), None, FOLDS, seed)
    make = partial(network_for, x.size(1), split.width, activation=ACTIVATION, dtype=x.dtype)
    folds = int(fold.max()) + 1
    seeds = [seed + k for k in range(folds if folds > 1 else 0)]
    return Task(
        loss=loss,
        table=table,
        fold=fold,
        networks=[make(hidden=HIDDEN, seed=one) for one in seeds],
        line=make(hidden=(), seed=seed),
        alphas=alphas_for(loss),
        alpha=alpha_of_networks(loss),
        penalty=lambda alpha: penalty_of(alpha, loss, len(x)),
        steps=STEPS,
        method=LBFGS.name,
        descend=partial(_descend, loss),
        name=f"{ACTIVATION}({HIDDEN[0]})",
    )


def _descend(loss: Loss, network: Network, table: Table, penalty: float, **more: Any) -> Descent:
    x, y, weight = table
    return descend(
        network,
        loss,
        x,
        y,
        weight=weight,
        penalty=penalty,
        steps=STEPS,
        method=LBFGS.name,
        **more,
    )


def _as_descent(found: Ensemble, task: Task, seconds: float) -> Descent:
    """The model as a descent: from the first run, with what all of them took."""
    network, first = found.network, found.runs[0]
    x, y, weight = task.table
    own = ByHand(Problem(network, task.loss, x, y, weight)).value(network.theta).item()
    mean = torch.from_numpy(mean_curve([run.losses.numpy() for run in found.runs]))
    losses = torch.cat([mean[:-1], torch.tensor([own], dtype=mean.dtype)])
    theta: Tensor = network.theta.detach().clone()
    steps = len(losses) - 1
    compiling = sum(run.compile_seconds for run in found.runs)
    snapshots = Snapshots(max(1, steps), at=[steps], taken=[theta])
    return replace(
        first,
        network=network,
        losses=losses,
        steps=steps,
        gradient_evaluations=sum(run.gradient_evaluations for run in found.runs),
        error_estimate=max((run.error_estimate for run in found.runs), key=lambda e: e.deviation),
        seconds=seconds - compiling,
        compile_seconds=compiling,
        stopped="",
        snapshots=snapshots,
        checkpoint=replace(
            first.checkpoint, theta=theta, losses=losses[:-1], memory={}, snapshots=snapshots
        ),
    )
