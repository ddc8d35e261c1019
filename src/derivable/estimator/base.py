"""What the regressor and the classifier share: a fit is a descent that can go on."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
from torch import Tensor

from derivable.descent import Checkpoint, Descent, State, descend
from derivable.descent.checks import check_count
from derivable.estimator.callbacks import CallbackSupportMixin, Watch
from derivable.estimator.rows import Array, Rows, Table, Units
from derivable.estimator.settings import check_fraction, method_for, network_for, rate_for, seed_of
from derivable.loss import Loss
from derivable.network import Network
from derivable.objective import ByHand
from derivable.problem import Problem, check_weight

FLOATS = [np.float64, np.float32]  # anything else becomes the first
STEP_BY_STEP = ("momentum", "nesterov", "adam", "lbfgs")  # which partial_fit leaves as they are


class DescentEstimator(CallbackSupportMixin, BaseEstimator, ABC):
    """A network that `descend` fits; what its outputs mean is left to the two that inherit."""

    _loss: Loss  # of the fit underway
    _own_units: bool  # whether the targets are left in their own units
    _rated: str  # the method and the loss that the learning rate is for
    network_: Network

    def __init__(
        self,
        hidden: Any = (10,),
        activation: Any = "tanh",
        *,
        lr: Any = "auto",
        max_iter: int = 80_000,
        method: str = "auto",
        tolerance: float = 1e-4,
        loss: Any = "mse",
        penalty: float = 0.0,
        standardize: bool = True,
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
        self.standardize = standardize
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

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, once: bool = False) -> Self:
        """From where the last fit ended, or from the start; `once` for a single step."""
        self._loss = self._meant_loss()
        reset = not (hasattr(self, "network_") and (self.warm_start or once))
        steps = 1 if once else check_count("max_iter", self.max_iter)
        method = self.method
        if once and method not in STEP_BY_STEP:
            method = "steps"  # the others are for many steps
        X, y, targets = self._read(X, y, reset=reset)
        weight = self._read_weight(sample_weight, X, targets)
        check_fraction(self.validation_fraction)
        if reset:
            self._seed = seed_of(self.random_state)
        rows, held = Rows(X, targets, weight), None
        if self.validation_fraction and not once:
            train, test = self._hold_out(y, weight)
            rows, held = rows[train], rows[test]
        if reset:
            self._begin(rows)
        table = self._units.rows(rows)
        network = self._start(table) if reset else self.network_
        rated = f"{method} {self._loss.name}"
        if reset or self.lr != "auto" or rated != self._rated:
            self.lr_, self.lr_reason_ = rate_for(
                self.lr, method, Problem(network, self._loss, *table, self.penalty)
            )
            self._rated = rated
        watch = Watch(self, steps, X=X, y=y, metadata={"sample_weight": weight}, quiet=once)
        self._descend(network, table, held, steps, method, watch)
        watch.end()
        return self

    def _read_weight(self, sample_weight: Any, X: Array, targets: Array) -> Array | None:
        if sample_weight is None:
            return None
        weight: Array = _check_sample_weight(sample_weight, X, dtype=np.float64)
        check_weight(self._loss, torch.from_numpy(targets), torch.tensor(weight))
        return weight

    def _hold_out(self, y: Array, weight: Array | None) -> Any:
        """The rows that train, and those of the validation curve; of those that count."""
        rows = np.arange(len(y)) if weight is None else np.flatnonzero(weight)
        return train_test_split(
            rows,
            test_size=self.validation_fraction,
            random_state=self._seed % 2**32,
            stratify=self._split_by(y[rows]),
        )

    def _begin(self, rows: Rows) -> None:
        """Nothing fitted yet: units, and empty curves."""
        self.__dict__.pop("network_", None)  # what fails from here on leaves nothing fitted
        scaled = self.standardize
        self._units = Units.of(rows, features=scaled, targets=scaled and not self._own_units)
        self.n_iter_, self.loss_curve_ = 0, np.empty(0)
        self.validation_steps_ = np.empty(0, dtype=int)
        self.validation_curve_, self.validation_scores_ = np.empty((2, 0))
        self._checkpoint: Checkpoint | None = None
        self._rated = ""

    def _start(self, table: Table) -> Network:
        x, y, _ = table
        sizes = x.size(1), self._width(y)
        return network_for(*sizes, self.hidden, self.activation, self._seed, x.dtype)

    def _descend(
        self,
        network: Network,
        table: Table,
        held: Rows | None,
        steps: int,
        method: str,
        watch: Watch,
    ) -> None:
        """So many steps more; all fitted attributes are those after them."""
        x, y, weight = table
        start = self._checkpoint
        if start and (method not in ("auto", start.method) or start.loss != self._loss.name):
            start = None  # another method or loss begins where this one ended
        before, done = (0, start.step) if start else (self.n_iter_, 0)

        def on_block(state: State) -> None:
            watch.look(state, done, network)

        run = descend(
            network,
            self._loss,
            x,
            y,
            weight=weight,
            penalty=self.penalty,
            lr=self.lr_,
            steps=done + steps,
            method=method_for(method, self.tolerance),
            start=start,
            on_block=on_block,
        )
        self.network_, self.method_, self.objective_ = run.network, run.method, run.objective
        self.error_estimate_, self.n_iter_ = run.error_estimate, before + run.steps
        self.loss_curve_ = np.append(self.loss_curve_[:before], run.losses.numpy())
        self.loss_ = self.loss_curve_[-1]
        self._checkpoint = replace(run.checkpoint, snapshots=None)
        if held:
            self._validate(run, before, held)
        if run.interrupted:
            warnings.warn(
                f"the fit was interrupted after {self.n_iter_:,} steps; the model is the one there",
                stacklevel=4,
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
            outputs, _ = run.network.forward_by_hand(x, run.network.unflatten(theta))
            score = self._score_of(outputs.numpy(), y.numpy(), held.weight)
            self.validation_steps_ = np.append(self.validation_steps_, before + step)
            self.validation_curve_ = np.append(self.validation_curve_, loss)
            self.validation_scores_ = np.append(self.validation_scores_, score)

    def _outputs(self, X: Any) -> Tensor:
        """What the network says, (N, K), in its own units."""
        check_is_fitted(self, "network_")
        X = validate_data(self, X, dtype=FLOATS, reset=False)
        network: Network = self.network_
        outputs, _ = network.forward_by_hand(self._units.inputs(X).to(network.theta.dtype))
        return outputs
