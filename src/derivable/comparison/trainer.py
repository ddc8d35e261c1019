"""`Trainer`: trains the models of a comparison, in one process or in several."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from derivable.comparison.keeper import Keeper
from derivable.comparison.messages import say
from derivable.comparison.request import Request
from derivable.comparison.steps import Steps, choose_steps
from derivable.comparison.training import Training
from derivable.data import Split
from derivable.descent import (
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
from derivable.distributed import Group
from derivable.errors import SettingError
from derivable.loss import Loss
from derivable.partition import part_of
from derivable.problem import Problem
from derivable.protocol import LAB_REASON, Model

Progress = Callable[[int, float], None]  # (steps or seeds done, loss there)


class Trainer:
    """Trains models on the training rows of a split.

    With a `group`, whose processes all have the same split, one seed is trained by all of them,
    each on a part of the rows; several seeds are dealt out. Where each process has training rows of
    its own, all seeds are trained by all of them. The bits do not depend on the group.
    """

    def __init__(
        self,
        split: Split,
        held: Split | None,
        request: Request,
        training: Training,
        group: Group | None,
    ) -> None:
        self._split, self._request, self._training, self._group = split, request, training, group
        self._settings = training.settings(split, held)
        in_parts = split.part is not None
        self._shares_rows = group is not None and (in_parts or request.seeds == 1)
        rows = slice(None)
        if group is not None and self._shares_rows and not in_parts:
            mine = part_of(len(split.x_train), group.rank, group.size)
            rows = slice(mine.start, mine.stop)
        self._x, self._y = split.x_train[rows], split.y_train[rows]
        weight = self._settings.pop("weight")
        self._weight = None if weight is None else weight[rows]

    def problem(self, model: Model, seed: int) -> Problem:
        """What a model minimises, from the start that the seed gives."""
        group = self._group if self._shares_rows else None
        make = Problem if group is None else partial(Problem.of_shard, group)
        network, loss = self._network(model, seed), Loss.of(self._training.loss)
        return make(network, loss, self._x, self._y, self._weight, self._training.penalty)

    def _placed(self, model: Model, seed: int) -> Problem:
        """The problem where it is minimised."""
        problem, device = self.problem(model, seed), self._request.device
        return problem if device is None else problem.on(device)

    def _network(self, model: Model, seed: int) -> Any:
        return model.network(self._x.size(1), self._split.width, seed)

    def rate(self, model: Model) -> Rate:
        """The learning rate of one model, and where it comes from."""
        lr = self._request.lr
        if lr is None and self._split.protocol == "lab":
            return Rate(model.lr, LAB_REASON)
        if lr is None or lr == "auto":
            return choose_rate(self.problem(model, self._request.seed))
        if isinstance(lr, str):
            raise SettingError(say("lr", got=lr))
        return Rate(lr, say("as_asked"))

    def steps(self, rates: Iterable[tuple[Model, Rate]]) -> Steps:
        """The number of steps of all models, each at its learning rate, by their time."""
        seed, seeds = self._request.seed, self._request.seeds
        descents = ((self._placed(model, seed), rate.lr) for model, rate in rates)
        if self._group is None:
            return choose_steps(descents, self.method, seeds=seeds)
        at_once = 1 if self._shares_rows else self._group.size
        found = choose_steps(descents, self.method, seeds=-(-seeds // at_once))
        first = self._group.of_first(json.dumps([found.count, found.seconds]).encode())
        return Steps(*json.loads(first))  # each process has a clock of its own

    @property
    def method(self) -> Method:
        """The method that is meant; exact steps for auto, where every step counts."""
        method = method_of(self._request.method)
        step_by_step = self._training.schedule or self._training.patience
        return GradientDescent() if method.name == Auto.name and step_by_step else method

    def train(
        self, model: Model, lr: float, steps: int, progress: Progress, keeper: Keeper
    ) -> list[Descent]:
        """One descent for each seed; those that ended before are not repeated.

        `progress` counts steps, or seeds where there are several.
        """
        seeds = self._request.all_seeds
        before = {seed: keeper.found(model, seed) for seed in seeds}
        ended = {seed: found for seed, found in before.items() if isinstance(found, Descent)}
        todo = [seed for seed in seeds if seed not in ended]
        starts = [one if isinstance(one := before[seed], Checkpoint) else None for seed in todo]
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

        runs = self._descend(
            model, todo, lr=lr, steps=steps, starts=starts, on_block=on_block, on_end=on_end
        )
        if stopped or len(runs) < len(todo) or any(run.interrupted for run in runs):
            raise KeyboardInterrupt
        ended |= zip(todo, runs, strict=True)
        return [ended[seed] for seed in seeds]

    def _descend(
        self, model: Model, seeds: Sequence[int], *, lr: float, **given: Any
    ) -> list[Descent]:
        """`descend_many` from the starts that the seeds give."""
        return descend_many(
            [self._network(model, seed) for seed in seeds],
            x=self._x,
            y=self._y,
            weight=self._weight,
            lr=self._training.rate(lr),
            method=self._request.method,
            shard=self._shares_rows,
            dealt=self._group is not None and not self._shares_rows,
            device=self._request.device,
            **self._settings,
            **given,
        )
