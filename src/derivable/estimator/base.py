"""What the regressor and the classifier share: a fit is a descent that can go on."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
from torch import Tensor

from derivable.descent import LBFGS, Checkpoint, Descent, GradientDescent, State, descend
from derivable.descent.checks import check_count
from derivable.errors import SettingError
from derivable.estimator.callbacks import CallbackSupportMixin, Watch
from derivable.estimator.first_rows import FirstRows
from derivable.estimator.folds import (
    UNSPLIT_STEPS,
    Fold,
    check_elementwise,
    fold_of_rows,
    folds_of,
    held_out,
    mean_curve,
    mean_of,
    stopping_on,
)
from derivable.estimator.line import HasLine
from derivable.estimator.rows import Array, Rows, Table, Units
from derivable.estimator.settings import (
    VALIDATION,
    check_fraction,
    checked_folds,
    method_for,
    network_for,
    penalty_for,
    rate_for,
    seed_of,
)
from derivable.loss import Loss
from derivable.network import Network
from derivable.objective import ByHand
from derivable.objective.team import alone
from derivable.problem import Problem, check_weight

FLOATS = [np.float64, np.float32]  # anything else becomes the first
STEP_BY_STEP = ("momentum", "nesterov", "adam")  # which partial_fit leaves as they are
WITH_MOMENTUM = ("momentum", "nesterov")
SHARE_OF_MOMENTUM = 0.1  # 1 - 0.9: what a step of one batch is of all that it becomes


class DescentEstimator(CallbackSupportMixin, HasLine, BaseEstimator, ABC):
    """A network that `descend` fits; what its outputs mean is left to the two that inherit."""

    _loss: Loss  # of the fit underway
    _own_units: bool  # whether the targets are left in their own units
    _rated: str  # the method and the loss that the learning rate is for
    _first: FirstRows | None  # of a fit by `partial_fit`
    network_: Network

    def __init__(
        self,
        hidden: Any = (32,),
        activation: Any = "relu",
        *,
        lr: Any = "auto",
        max_iter: int = 1000,
        method: str = "lbfgs",
        tolerance: float = 1e-4,
        loss: Any = "mse",
        penalty: Any = "auto",
        folds: int = 10,
        standardize: bool = True,
        early_stopping: bool = False,
        validation_fraction: float | None = None,
        warm_start: bool = False,
        random_state: Any = 0,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.lr = lr
        self.max_iter = max_iter
        self.method = method
        self.tolerance = tolerance
        self.loss = loss
        self.penalty = penalty
        self.folds = folds
        self.standardize = standardize
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.random_state = random_state

    @abstractmethod
    def _read(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array, Array]:
        """X (N, D), y as it is, and the targets of the network: (N, K), or labels (N,)."""

    @abstractmethod
    def _meant_loss(self) -> Loss:
        """The loss that the parameter `loss` names."""

    @abstractmethod
    def _width(self, targets: Tensor) -> int:
        """How many outputs the network needs for these targets."""

    @abstractmethod
    def _score_of(self, outputs: Array, targets: Array, weight: Array | None) -> float:
        """What `score` says of the network's outputs (N, K), in its own units."""

    def _split_by(self, y: Array) -> Array | None:
        """What validation rows shall hold the same shares of as all rows."""
        return None

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        """From where the last fit ended, or from the start."""
        self._loss = self._meant_loss()
        reset = not (hasattr(self, "network_") and self.warm_start)
        steps, method = check_count("max_iter", self.max_iter), self.method
        X, y, targets = self._read(X, y, reset=reset)
        weight = self._read_weight(sample_weight, X, targets)
        check_fraction(self.validation_fraction)
        folds = checked_folds(self.folds, self.validation_fraction)
        stops = bool(self.early_stopping) and folds == 1  # several networks always do
        share = VALIDATION if stops and not self.validation_fraction else self.validation_fraction
        if reset:
            self._seed = seed_of(self.random_state)
        rows, held = Rows(X, targets, weight), None
        if share:
            rows, held = self._divided(rows, y, share, stops=stops)
        fold = fold_of_rows(rows.features, rows.weight, folds, self._seed)
        if method == LBFGS.name and fold.max() == 0 and (folds > 1 or (stops and held is None)):
            steps = min(steps, UNSPLIT_STEPS)
        if reset:
            self._begin(rows)
        self.penalty_ = penalty_for(self.penalty, rows.count)
        table = self._units.rows(rows)
        networks = self._networks(table, reset, int(fold.max()) + 1, joined=folds == 1)
        self._rate(networks[0], table, method)
        facts = {"X": X, "y": y, "metadata": {"sample_weight": weight}}
        watch = Watch(self, steps * len(networks), **facts)
        if len(networks) == 1:
            self._descend(
                networks[0], table, held, steps, method, watch, stops=stops and bool(held)
            )
        else:
            self._descend_folds(networks, folds_of(rows, fold), steps, method, watch)
        watch.end()
        return self

    def _fit_once(self, X: Any, y: Any, sample_weight: Any) -> Self:
        """A single step, from where the last fit ended, or from the start."""
        self._loss = self._meant_loss()
        reset = not hasattr(self, "network_")
        X, y, targets = self._read(X, y, reset=reset)
        rows = Rows(X, targets, self._read_weight(sample_weight, X, targets))
        if reset:
            self._seed, self._first = seed_of(self.random_state), FirstRows()
        first = self._first
        if first is None or not first.add(rows):
            self._step(self.network_, rows, first)
            return self
        self._begin(first.joined)
        network, *_ = self._networks(self._units.rows(rows), True, 1, joined=True)
        steepest = self._units.rows(first.steepest(self._units))
        self.penalty_ = penalty_for(self.penalty, first.used)
        self._rate(network, steepest, self._stepping)
        if self.lr == "auto" and self._stepping in WITH_MOMENTUM and len(first.batches) > 1:
            self.lr_ *= SHARE_OF_MOMENTUM
            self.lr_reason_ += f", times {SHARE_OF_MOMENTUM}: momentum adds up the batches' steps"
        for batch in first.batches:
            self._step(network, batch, first)
            network = self.network_
        first.forget()
        self._first = first
        return self

    @property
    def _stepping(self) -> str:
        """The method of a single step; the others are for many."""
        return self.method if self.method in STEP_BY_STEP else GradientDescent.name

    def _step(self, network: Network, rows: Rows, first: FirstRows | None) -> None:
        """One step on these rows, in the units that there are."""
        table, method = self._units.rows(rows), self._stepping
        self.penalty_ = penalty_for(self.penalty, max(rows.count, first.used if first else 0))
        self._rate(network, table, method)
        with alone():  # to find out how many threads are the fastest takes eight steps
            self._descend(network, table, None, 1, method)

    def _rate(self, network: Network, table: Table, method: str) -> None:
        """The learning rate; an automatic one stays, unless it is for another method or loss."""
        rated = f"{method} {self._loss.name}"
        if self.lr != "auto" or rated != self._rated:
            problem = Problem(network, self._loss, *table, self.penalty_)
            self.lr_, self.lr_reason_ = rate_for(self.lr, method, problem)
            self._rated = rated

    def _read_weight(self, sample_weight: Any, X: Array, targets: Array) -> Array | None:
        """How much each row counts, (N,); None where all count alike."""
        if sample_weight is None:
            return None
        weight: Array = _check_sample_weight(sample_weight, X, dtype=np.float64)
        check_weight(self._loss, torch.from_numpy(targets), torch.tensor(weight))
        return weight

    def _divided(
        self, rows: Rows, y: Array, share: float, *, stops: bool
    ) -> tuple[Rows, Rows | None]:
        """The rows that train, and those that are held out, if any; of those that count."""
        if stops:
            out = held_out(rows, share, self._seed)
            counts = rows.counts > 0
            return rows[~out & counts], rows[out] if out.any() else None
        counted = np.arange(len(y)) if rows.weight is None else np.flatnonzero(rows.weight)
        train, test = train_test_split(
            counted,
            test_size=share,
            random_state=self._seed % 2**32,
            stratify=self._split_by(y[counted]),
        )
        return rows[train], rows[test]

    def _begin(self, rows: Rows) -> None:
        """Nothing fitted yet: units, and empty curves."""
        self.__dict__.pop("network_", None)  # what fails from here on leaves nothing fitted
        scaled = self.standardize
        self._units = Units.of(rows, features=scaled, targets=scaled and not self._own_units)
        self.n_iter_, self.loss_curve_ = 0, np.empty(0)
        self.validation_steps_ = np.empty(0, dtype=int)
        self.validation_curve_, self.validation_scores_ = np.empty((2, 0))
        self._checkpoint: Checkpoint | None = None
        self._rated, self._first = "", None

    def _networks(self, table: Table, reset: bool, folds: int, *, joined: bool) -> list[Network]:
        """One for each fold, at the start or where the last fit ended; the one they are, `joined`.

        Raises SettingError where the last fit had another number of them.
        """
        x, y, _ = table
        if reset:
            sizes, seed = (x.size(1), self._width(y)), self._seed
            seeds = [(seed + k) % 2**64 for k in range(folds)]
            made = [network_for(*sizes, self.hidden, self.activation, s, x.dtype) for s in seeds]
            check_elementwise(made, x[:2])
            return made
        if joined:
            return [self.network_]
        if len(self._members) != folds:
            raise SettingError(
                f"a warm start goes on with as many networks as there are, {len(self._members)}, "
                f"and this table has rows for {folds}; set folds=1 or warm_start=False"
            )
        return self._members

    def _descend(
        self,
        network: Network,
        table: Table,
        held: Rows | None,
        steps: int,
        method: str,
        watch: Watch | None = None,
        *,
        stops: bool = False,
    ) -> None:
        """So many steps more; with `stops` fewer, to where the loss on the rows held out is least.

        All fitted attributes are those after them.
        """
        start = None if stops else self._checkpoint
        if start and (method not in ("auto", start.method) or start.loss != self._loss.name):
            start = None  # another method or loss begins where this one ended
        before, done = (0, start.step) if start else (self.n_iter_, 0)

        def on_block(state: State) -> None:
            if watch is not None:
                watch.look(state, state.step - done, network.trained)

        called: list[Any] = [on_block]
        if stops and held:
            called.insert(0, stopping_on(self._units.rows(held), method, steps))
        run = self._run(network, table, done + steps, method, start=start, on_block=called)
        self._keep([run], before)
        self._checkpoint = None if stops else replace(run.checkpoint, snapshots=None)
        if held:
            self._validate(run, before, held)

    def _descend_folds(
        self, networks: list[Network], folds: list[Fold], steps: int, method: str, watch: Watch
    ) -> None:
        """At most so many steps more of each network; all fitted attributes are those after them.

        Each ends where its loss on the rows that are held out of it is least.
        """
        runs: list[Descent] = []
        for network, (rows, held) in zip(networks, folds, strict=True):
            ended = [run.network for run in runs]
            on_block = _watched(watch, network, ended, steps * len(runs))
            stopping = stopping_on(self._units.rows(held), method, steps)
            table = self._units.rows(rows)
            runs.append(self._run(network, table, steps, method, on_block=[stopping, on_block]))
            if runs[-1].interrupted or watch.stopped:
                break
        self._keep(runs, self.n_iter_)
        self._checkpoint = None
        self.fold_scores_ = np.array(
            [self._score(run.network, held) for run, (_, held) in zip(runs, folds, strict=False)]
        )

    def _run(
        self, network: Network, table: Table, steps: int, method: str, **settings: Any
    ) -> Descent:
        x, y, weight = table
        return descend(
            network,
            self._loss,
            x,
            y,
            weight=weight,
            penalty=self.penalty_,
            lr=self.lr_,
            steps=steps,
            method=method_for(method, self.tolerance),
            **settings,
        )

    def _keep(self, runs: list[Descent], before: int) -> None:
        """The fitted attributes: the networks of these descents, after so many earlier steps."""
        self._members = [run.network for run in runs]
        self.network_ = mean_of(self._members)
        self.method_, self.objective_ = runs[0].method, runs[0].objective
        self.error_estimate_ = max((run.error_estimate for run in runs), key=lambda e: e.deviation)
        self.n_iter_ = before + max(run.steps for run in runs)
        curve = mean_curve([run.losses.numpy() for run in runs])
        self.loss_curve_ = np.append(self.loss_curve_[:before], curve)
        self.loss_ = self.loss_curve_[-1]
        self.fold_scores_ = np.empty(0)
        if runs[-1].interrupted:
            warnings.warn(
                f"the fit was interrupted after {self.n_iter_:,} steps; the model is the one there",
                stacklevel=5,
            )

    def _validate(self, run: Descent, before: int, held: Rows) -> None:
        """Loss and score on the rows held out, at each snapshot that is new."""
        x, y, weight = self._units.rows(held)
        objective = ByHand(Problem(run.network, self._loss, x, y, weight))
        for step, theta in zip(run.snapshots.at, run.snapshots.taken, strict=True):
            if before + step in self.validation_steps_[-1:]:
                continue  # it ended the last fit
            theta = theta.to(x.dtype)
            loss = objective.value(theta).item()
            score = self._score(run.network.with_theta(theta), held)
            self.validation_steps_ = np.append(self.validation_steps_, before + step)
            self.validation_curve_ = np.append(self.validation_curve_, loss)
            self.validation_scores_ = np.append(self.validation_scores_, score)

    def _score(self, network: Network, rows: Rows) -> float:
        """What `score` says of a network on these rows."""
        x, y, _ = self._units.rows(rows)
        outputs, _ = network.forward_by_hand(x)
        return self._score_of(outputs.numpy(), y.numpy(), rows.weight)

    def _outputs(self, X: Any) -> Tensor:
        """What the network says, (N, K), in its own units."""
        check_is_fitted(self, "network_")
        X = validate_data(self, X, dtype=FLOATS, reset=False)
        network: Network = self.network_
        outputs, _ = network.forward_by_hand(self._units.inputs(X).to(network.theta.dtype))
        return outputs


def _watched(
    watch: Watch, network: Network, ended: list[Network], taken: int
) -> Callable[[State], None]:
    """The callback of one network's descent, after `taken` steps of those that have `ended`."""

    def on_block(state: State) -> None:
        def network_at(theta: Tensor) -> Network:
            return mean_of([*ended, network.trained(theta)])

        watch.look(state, taken + state.step, network_at)

    return on_block
