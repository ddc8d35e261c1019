"""`partial_fit`: single steps, each on the table of its call."""

from __future__ import annotations

from typing import Any, Self

from derivable.descent import GradientDescent
from derivable.estimator.first_rows import FirstRows
from derivable.estimator.messages import say
from derivable.estimator.parts import Part
from derivable.estimator.rows import Rows
from derivable.estimator.settings import penalty_for, seed_of
from derivable.network import Network
from derivable.objective.team import alone

STEP_BY_STEP = ("momentum", "nesterov", "adam")  # which a single step leaves as they are
WITH_MOMENTUM = ("momentum", "nesterov")
SHARE_OF_MOMENTUM = 0.1  # 1 - 0.9: what a step of one batch is of all that it becomes


class TakesSingleSteps(Part):
    """The part of an estimator that takes one step in each call."""

    def _fit_once(self, X: Any, y: Any, sample_weight: Any) -> Self:
        """A single step, from where the last fit ended, or from the start."""
        self._loss = self._parsed_loss()
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
        network = self._network(self._units.rows(rows), self._hidden(unsplit=False))
        steepest = self._units.rows(first.steepest(self._units))
        self.alpha_, self.penalty_ = penalty_for(self.alpha, self._loss, first.used)
        self._rate(network, steepest, self._stepping)
        if self.lr == "auto" and self._stepping in WITH_MOMENTUM and len(first.batches) > 1:
            self.lr_ *= SHARE_OF_MOMENTUM
            gaps = {"reason": self.lr_reason_, "share": SHARE_OF_MOMENTUM}
            self.lr_reason_ = say("rate_of_batches", **gaps)
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
        count = max(rows.count, first.used if first else 0)
        self.alpha_, self.penalty_ = penalty_for(self.alpha, self._loss, count)
        self._rate(network, table, method)
        with alone():  # to find out how many threads are the fastest takes eight steps
            self._descend(network, table, None, 1, method)
