"""What the regressor and the classifier share: a fit is a descent that can go on."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import (
    _check_sample_weight,
    check_array,
    check_is_fitted,
    check_X_y,
    validate_data,
)
from torch import Tensor

from derivable.descent import LBFGS, Descent, EarlyStopping, State, descend
from derivable.descent.checks import check_count
from derivable.ensemble.folds import (
    EVALUATIONS,
    PATIENCE,
    Array,
    Table,
    fold_of_rows,
    held_out,
    mean_curve,
)
from derivable.estimator.by_folds import FitsByFolds
from derivable.estimator.callbacks import CallbackSupportMixin, Watch
from derivable.estimator.categories import Categories
from derivable.estimator.line import HasLine
from derivable.estimator.messages import say
from derivable.estimator.parameters import named_by_estimator
from derivable.estimator.rows import Rows, Units
from derivable.estimator.settings import (
    VALIDATION,
    check_counted,
    check_fraction,
    checked_folds,
    method_for,
    penalty_for,
    rate_for,
    seed_of,
)
from derivable.estimator.single_steps import TakesSingleSteps
from derivable.network import Network
from derivable.objective import ByHand
from derivable.problem import Problem, check_weight

FLOATS = [np.float64, np.float32]  # anything else becomes the first
UNSPLIT_STEPS = (
    20  # of L-BFGS, for a table too small for folds, without rows held out for early stopping
)


class DescentEstimator(CallbackSupportMixin, FitsByFolds, TakesSingleSteps, HasLine, BaseEstimator):
    """A network that `descend` fits; what its outputs mean is left to the two that inherit."""

    _own_units: bool  # whether the targets are left in their own units
    _rated: str  # the method and the loss that the learning rate is for
    _categories: Categories | None

    @named_by_estimator
    def __init__(
        self,
        hidden: Any = "auto",
        activation: Any = "relu",
        *,
        lr: Any = "auto",
        max_iter: int = 1000,
        method: str = "lbfgs",
        tolerance: float = 1e-4,
        loss: Any = "mse",
        alpha: Any = "auto",
        folds: int = 10,
        standardize: bool = True,
        categorical_features: Any = "from_dtype",
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
        self.alpha = alpha
        self.folds = folds
        self.standardize = standardize
        self.categorical_features = categorical_features
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.random_state = random_state

    def _split_by(self, y: Array) -> Array | None:
        """What validation rows shall hold the same shares of as all rows."""
        return None

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        """From where the last fit ended, or from the start."""
        self._loss = self._parsed_loss()
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
        if fold.max() > 0 or (stops and held):
            check_counted(method)
        unsplit = fold.max() == 0 and (folds > 1 or (stops and held is None))
        if reset:
            self._begin(rows)
        table = self._units.rows(rows)
        facts = {"X": X, "y": y, "metadata": {"sample_weight": weight}}
        if fold.max() > 0:
            self._fit_folds(table, fold, rows.count, steps, facts)
            return self
        hidden = self._hidden(unsplit=unsplit)
        if method == LBFGS.name and unsplit:
            steps = min(steps, UNSPLIT_STEPS)
        network = self.network_ if not reset else self._network(table, hidden)
        self.alpha_, self.penalty_ = penalty_for(self.alpha, self._loss, rows.count)
        self._rate(network, table, method)
        watch = Watch(self, steps, **facts)
        self._descend(network, table, held, steps, method, watch, stops=stops and bool(held))
        self._warn_that_nothing_was_chosen(unsplit=unsplit)
        watch.end()
        return self

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
            out = held_out(rows.features, rows.weight, share, self._seed)
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
        self._checkpoint = None
        self._rated, self._first, self._model = "", None, None

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
                watch.notify(state, state.step - done, network.trained)

        called: list[Any] = [on_block]
        if stops and held:
            called.insert(0, _stopping_on(self._units.rows(held), method, steps))
        run = self._run(
            network, table, self.penalty_, done + steps, method, start=start, on_block=called
        )
        self._keep(run.network, [run], before)
        self._checkpoint = None if stops else replace(run.checkpoint, snapshots=None)
        if held:
            self._validate(run, before, held)

    def _run(
        self, network: Network, table: Table, penalty: float, steps: int, method: str, **more: Any
    ) -> Descent:
        x, y, weight = table
        settings = {"lr": self.lr_, "method": method_for(method, self.tolerance), **more}
        return descend(
            network, self._loss, x, y, weight=weight, penalty=penalty, steps=steps, **settings
        )

    def _keep(self, network: Network, runs: list[Descent], before: int) -> None:
        """The fitted attributes: what comes of these descents, after so many earlier steps."""
        self.network_, self._members = network, [run.network for run in runs]
        self.method_, self.objective_ = runs[0].method, runs[0].objective
        self.error_estimate_ = max((run.error_estimate for run in runs), key=lambda e: e.deviation)
        self.n_iter_ = before + max(run.steps for run in runs)
        curve = mean_curve([run.losses.numpy() for run in runs])
        self.loss_curve_ = np.append(self.loss_curve_[:before], curve)
        self.loss_ = self.loss_curve_[-1]
        self.fold_scores_ = np.empty(0)
        if runs[-1].interrupted:
            warnings.warn(
                say("interrupted", steps=self.n_iter_),
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
        """The `score` of a network on these rows."""
        x, y, _ = self._units.rows(rows)
        outputs, _ = network.forward_by_hand(x)
        return self._score_of(outputs.numpy(), y.numpy(), rows.weight)

    def _validated(self, X: Any, *y: Any, reset: bool, **checks: Any) -> Any:
        """X (N, D'), with categories as columns of 0 and 1, and y where it is given."""
        if reset:
            self._categories = Categories.of(self.categorical_features, X)
        if self._categories is None:
            return validate_data(self, X, *y, dtype=FLOATS, reset=reset, **checks)
        validate_data(self, X, skip_check_array=True, reset=reset)  # the names of the columns
        X = self._categories.encoded(X, fit=reset)
        return check_X_y(X, *y, dtype=FLOATS, **checks) if y else check_array(X, dtype=FLOATS)

    def _outputs(self, X: Any) -> Tensor:
        """The outputs of the network, (N, K), in its own units."""
        check_is_fitted(self, "network_")
        X = self._validated(X, reset=False)
        network: Network = self.network_
        outputs, _ = network.forward_by_hand(self._units.inputs(X).to(network.theta.dtype))
        return outputs


def _stopping_on(held: Table, method: str, steps: int) -> EarlyStopping:
    """What ends a descent of so many steps where the loss on these rows is least."""
    x, y, weight = held
    every = 1 if method == LBFGS.name else max(1, steps // EVALUATIONS)
    return EarlyStopping(x, y, weight=weight, every=every, patience=PATIENCE)
