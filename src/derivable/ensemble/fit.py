"""`fit_ensemble`: networks and a linear model by folds, and the one network that they become."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from torch import Tensor

from derivable.descent import Descent
from derivable.descent.callbacks import Callback
from derivable.ensemble.choice import Tried, losses_of, mixtures
from derivable.ensemble.evidence import gain_of
from derivable.ensemble.folds import Array, Path, Table, common_step, count_of_networks, folds_of
from derivable.ensemble.lines import Lines, Settling, fit_lines, start_of
from derivable.ensemble.mean import mean_of, through_relu
from derivable.ensemble.messages import say
from derivable.functions import ReLU
from derivable.loss import Loss
from derivable.network import Network

Watching = Callable[[Network, list[Network]], Sequence[Callback]]

SCOUTS = 3  # networks, after which those that predict worse than a line in each fold are given up


@dataclass(frozen=True)
class Task:
    """What is fitted: `descend` of each network of `networks`, and linear models."""

    loss: Loss
    table: Table
    fold: Array  # (N,), of each row
    networks: Sequence[Network]  # at the start, one for each fold; empty for linear models alone
    line: Network | None  # at the start; None for networks alone
    alphas: Sequence[float]  # of the linear models, falling
    alpha: float  # of the networks
    penalty: Callable[[float], float]  # what an alpha adds to the loss
    steps: int
    method: str
    descend: Callable[..., Descent]  # of (network, table, penalty, on_block=)
    name: str = "networks"  # such as "relu(32)"

    @property
    def count(self) -> int:
        """How many of the folds are fitted."""
        return count_of_networks(self.fold, self.largest.theta.numel())

    @property
    def largest(self) -> Network:
        """A network, or the linear model where there are none."""
        found = self.networks[0] if self.networks else self.line
        assert found is not None  # there is something to fit
        return found

    def going_on(self, model: Ensemble) -> Task:
        """The same from where a model's networks have come to; a line alone stays one."""
        return replace(self, networks=model.members, line=self.line)


@dataclass(frozen=True)
class Ensemble:
    """The model that was chosen, and what it was chosen from."""

    line: Network | None
    members: list[Network]
    share: float  # of the members' mean in the model; the line has the rest
    alpha: float  # of the members, or of the line where there are none
    runs: list[Descent]  # of the members, up to where they are taken, or of the line
    held: list[Tensor]  # the model's outputs for the rows held out of each fold
    tables: list[Table]  # these rows
    tried: list[Tried]
    best: Tried  # the one of them that was chosen
    chosen: str  # its name
    reason: str
    interrupted: bool = False

    @property
    def network(self) -> Network:
        """All of them as one network."""
        if not self.members:
            assert self.line is not None  # something was chosen
            return self.line
        if self.line is None:
            return mean_of(self.members)
        line = through_relu(self.line, self.members[0])
        each = [self.share / len(self.members)] * len(self.members)
        return mean_of([*self.members, line], [*each, 1 - self.share])

    @property
    def choices(self) -> list[dict[str, Any]]:
        """A row for each model that was tried, the least loss on rows held out first."""
        rows = sorted(self.tried, key=lambda one: one.loss)
        return [one.row(chosen=one is self.best) for one in rows]


@dataclass(frozen=True)
class _Networks:
    """The networks of the folds, all after the same number of steps."""

    runs: list[Descent]
    held: list[Tensor]
    tried: Tried

    @property
    def members(self) -> list[Network]:
        return [run.network for run in self.runs]


def fit_ensemble(
    task: Task, watch: Watching, stopped: Callable[[], bool] = lambda: False
) -> Ensemble:
    """Fit, and choose by the rows held out.

    `watch(network, ended)` are callbacks for a network's descent, where some have ended before;
    `stopped()` is whether one of them wants no more.
    """
    folds = folds_of(task.table, task.fold, task.count)
    tables = [held for _, held in folds]
    lines = None
    if task.line is not None:
        lines = fit_lines(task.line, task.loss, task.table, folds, task.alphas, task.penalty)
    if not task.networks:
        assert lines is not None  # there is something to fit
        return _of_line(task, lines, [], tables, watch, lines.reason)
    runs: list[Descent] = []
    paths: list[Path] = []
    for network, (rows, held) in zip(task.networks, folds, strict=False):
        paths.append(Path(held, task.method, task.steps))
        on_block = [paths[-1], *watch(network, [run.network for run in runs])]
        runs.append(task.descend(network, rows, task.penalty(task.alpha), on_block=on_block))
        if runs[-1].interrupted or stopped():
            break
        if lines and len(runs) == SCOUTS < len(folds):
            tried = _taken(task, runs, paths, tables).tried
            if (tried.losses > lines.best.losses[:SCOUTS]).all():
                return _of_line(
                    task, lines, [tried], tables, watch, say("networks_worse", n=SCOUTS)
                )
    return _chosen(task, _taken(task, runs, paths, tables), lines, tables, watch)


def _taken(task: Task, runs: list[Descent], paths: list[Path], tables: list[Table]) -> _Networks:
    """The networks after the number of steps with the least loss on the rows held out of all."""
    step, kept, held = common_step(paths), [], []
    for run, path, (x, _, _) in zip(runs, paths, tables, strict=False):
        at, theta = path.after(step) if path.thetas else (run.steps, run.network.theta)
        network = run.network.trained(theta)
        kept.append(replace(run, network=network, losses=run.losses[: at + 1], steps=at))
        held.append(network.forward_by_hand(x)[0])
    return _Networks(kept, held, Tried(task.name, task.alpha, losses_of(task.loss, held, tables)))


def _chosen(
    task: Task, found: _Networks, lines: Lines | None, tables: list[Table], watch: Watching
) -> Ensemble:
    """The linear model, unless the best of the others is better by more than a standard error."""
    ended = found.runs[-1].interrupted
    name = f"{len(found.members)} x {task.name}, alpha={task.alpha:.3g}"
    alone = partial(Ensemble, members=found.members, alpha=task.alpha, runs=found.runs)
    if lines is None or ended:
        return alone(
            line=None, share=1.0, held=found.held, tables=tables, tried=[found.tried],
            best=found.tried, chosen=name, reason=say("as_given"), interrupted=ended,
        )  # fmt: skip
    candidates = [found.tried]
    if task.networks[0].layers[1].function is ReLU:
        candidates += mixtures(task.loss, lines.held, found.held, tables)
    best = min(candidates, key=lambda one: one.loss)
    others = [found.tried] if best is found.tried else [found.tried, best]
    gain = gain_of(task.loss, candidates, lines.best, lines.held, found.held, tables)
    if not (gain.is_sure and best.loss < lines.best.loss):
        return _of_line(task, lines, others, tables, watch, say("networks_no_better"))
    share, line, held = 1.0, None, found.held
    if best.share is not None:
        share, line = best.share, _refitted(task, lines, ()).network
        pairs = zip(lines.held, found.held, strict=False)
        held = [(1 - share) * of_line + share * of_network for of_line, of_network in pairs]
        name = f"{share:.2f} ({name}) + {1 - share:.2f} ({lines.name})"
    reason = say("lower_loss", loss=best.loss, other=lines.best.loss, name=lines.name)
    return alone(
        line=line, share=share, held=held, tables=tables, tried=[*lines.tried, *others], best=best,
        chosen=name, reason=reason,
    )  # fmt: skip


def _of_line(
    task: Task,
    lines: Lines,
    others: list[Tried],
    tables: list[Table],
    watch: Watching,
    reason: str,
) -> Ensemble:
    """The linear model of the best alpha, fitted on all rows."""
    run = _refitted(task, lines, watch(lines.mean, []))
    return Ensemble(
        line=run.network, members=[], share=0.0, alpha=lines.alpha, runs=[run], held=lines.held,
        tables=tables, tried=[*lines.tried, *others], best=lines.best, chosen=lines.name,
        reason=reason, interrupted=run.interrupted,
    )  # fmt: skip


def _refitted(task: Task, lines: Lines, watched: Sequence[Callback]) -> Descent:
    """The linear model on all rows, from near its minimum."""
    on_block, penalty = [Settling(), *watched], task.penalty(lines.alpha)
    start = start_of(lines, task.loss, task.table, penalty)
    return task.descend(start, task.table, penalty, on_block=on_block)
