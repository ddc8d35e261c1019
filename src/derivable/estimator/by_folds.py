"""A fit by folds: what is tried, and the fitted attributes of what is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from derivable.descent import LBFGS, State
from derivable.ensemble import Task, fit_ensemble
from derivable.ensemble.folds import Array, Table
from derivable.ensemble.lines import alphas_for
from derivable.ensemble.mean import check_elementwise, mean_of
from derivable.ensemble.penalties import penalty_of
from derivable.ensemble.start import HIDDEN, activation_of, hidden_sizes, network_for
from derivable.errors import SettingError
from derivable.estimator.callbacks import Watch
from derivable.estimator.messages import say
from derivable.estimator.parts import Part
from derivable.estimator.settings import penalty_for
from derivable.network import Network
from derivable.threads import on_one_thread

BY_ITSELF = "auto"  # what hidden and alpha are where the rows held out choose


class FitsByFolds(Part):
    """The part of an estimator that fits networks and linear models by folds."""

    def _hidden(self, *, unsplit: bool) -> tuple[int, ...]:
        """The hidden layers of a single network; a linear model where no row can be held out."""
        if isinstance(self.hidden, str) and self.hidden == BY_ITSELF:
            return () if unsplit and self.method == LBFGS.name else HIDDEN
        return hidden_sizes(self.hidden)

    def _network(self, table: Table, hidden: tuple[int, ...], number: int = 0) -> Network:
        """A network at the start; `number` is that of its fold."""
        x, y, _ = table
        seed = (self._seed + number) % 2**64
        return network_for(x.size(1), self._width(y), hidden, self.activation, seed, x.dtype)

    def _fit_folds(
        self, table: Table, fold: Array, rows: float, steps: int, facts: dict[str, Any]
    ) -> None:
        """Fit what there is to choose from, and keep what is chosen."""
        task = self._task(table, fold, rows, steps)
        first = task.largest
        self.penalty_ = task.penalty(task.alpha)
        self._rate(first, table, self.method)
        watch = Watch(self, steps * task.count, **facts)
        with on_one_thread(len(fold) * first.theta.numel()):
            model = fit_ensemble(task, partial(_watching, watch, steps), lambda: watch.stopped)
        self._model, self._checkpoint = model, None
        self.alpha_, self.penalty_ = model.alpha, task.penalty(model.alpha)
        self._keep(model.network, model.runs, self.n_iter_)
        self.choices_, self.chosen_, self.chosen_reason_ = model.choices, model.chosen, model.reason
        pairs = zip(model.held, model.tables, strict=False)
        self.fold_scores_ = np.array(
            [self._score_of(o.numpy(), y.numpy(), _array(weight)) for o, (_, y, weight) in pairs]
        )
        watch.end()

    def _task(self, table: Table, fold: Array, rows: float, steps: int) -> Task:
        """What is fitted: from the start, or from where the last fit ended."""
        hidden, by_lbfgs = self._hidden(unsplit=False), self.method == LBFGS.name
        chooses = isinstance(self.hidden, str)
        alpha, _ = penalty_for(self.alpha, self._loss, rows)
        line = self._network(table, ()) if by_lbfgs and (chooses or not hidden) else None
        folds = int(fold.max()) + 1 if hidden or not by_lbfgs else 0
        networks = [self._network(table, hidden, k) for k in range(folds)]
        check_elementwise(networks, table[0][:2])
        task = Task(
            loss=self._loss,
            table=table,
            fold=fold,
            networks=networks,
            line=line,
            alphas=alphas_for(self._loss) if isinstance(self.alpha, str) else (alpha,),
            alpha=alpha,
            penalty=lambda alpha: penalty_of(alpha, self._loss, rows),
            descend=partial(self._run, steps=steps, method=self.method),
            steps=steps,
            method=self.method,
            name=self._model_name(hidden),
        )
        return self._gone_on(task) if hasattr(self, "network_") else task

    def _gone_on(self, task: Task) -> Task:
        """The same from where the last fit ended.

        Raises SettingError where that had another number of networks.
        """
        model = self._model
        if model is None or (model.members and len(model.members) != task.count):
            count = len(model.members) if model else 1
            raise SettingError(say("warm_start", networks=count, folds=task.count))
        return task.going_on(model)

    def _model_name(self, hidden: tuple[int, ...]) -> str:
        units = "x".join(map(str, hidden))
        return f"{activation_of(self.activation).__name__.lower()}({units})" if units else "linear"

    def _warn_that_nothing_was_chosen(self, *, unsplit: bool) -> None:
        """The attributes of a choice, of a fit of a single model."""
        linear = len(self.network_.layers) == 1
        model = "linear" if linear else self._model_name(self._hidden(unsplit=False))
        self._model = None
        self.chosen_ = f"{model}, alpha={self.alpha_:.3g}"
        self.chosen_reason_ = say("none_held_out" if unsplit else "single_model")
        self.choices_ = []


def _watching(
    watch: Watch, steps: int, network: Network, ended: list[Network]
) -> Sequence[Callable[[State], None]]:
    """The callbacks of one network's descent, after those that have ended, each of `steps`."""

    def on_block(state: State) -> None:
        def network_at(theta: Tensor) -> Network:
            return mean_of([*ended, network.trained(theta)])

        watch.notify(state, steps * len(ended) + state.step, network_at)

    return [on_block]


def _array(weight: Tensor | None) -> Array | None:
    return None if weight is None else weight.numpy()
