"""`EarlyStopping`: end a descent where the loss on other rows falls no more."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from derivable.descent.callbacks import State
from derivable.descent.checkpoint import Checkpoint, group
from derivable.descent.checks import check_count
from derivable.descent.messages import say
from derivable.device import CPU
from derivable.errors import DerivableError
from derivable.loss import Loss
from derivable.objective import Objective, fastest
from derivable.problem import Problem, Rows, check_not_negative
from derivable.stepper import make_ready


@contextmanager
def _refused() -> Iterator[None]:
    """Let an error name rows that do not fit as those of validation; x and y train."""
    try:
        yield
    except DerivableError as error:
        raise type(error)(say("of_validation", error=error)) from None


class EarlyStopping:
    """A callback that measures the loss on validation rows every so many steps.

    The rows are x (N, ...) and y (N, ...), and the network is in evaluation mode. It ends the
    descent where the loss has not fallen below the least so far, by more than `min_delta`, in
    `patience` evaluations; and the descent goes back to where it was least, also where it comes to
    its last step. `steps` and `losses` hold all evaluations. The penalty of the problem is no part
    of them. One that is used again begins anew, unless the descent goes on from a checkpoint that
    was taken on the way, which keeps the evaluations so far.

    Goes with methods that take every step, and with L-BFGS, whose iterations are counted.

    Raises SettingError for settings without a meaning, and when the descent begins, what `Problem`
    raises for rows that do not fit.
    """

    def __init__(
        self,
        x: Rows,
        y: Rows,
        *,
        weight: Rows | None = None,
        every: int = 100,
        patience: int = 10,
        min_delta: float = 0.0,
    ) -> None:
        check_count("every", every, 1)
        check_count("patience", patience, 1)
        check_not_negative("min_delta", min_delta)
        self.x, self.y, self.weight = x, y, weight
        self.every, self.patience, self.min_delta = every, patience, min_delta
        self._begin()

    def _begin(self) -> None:
        self.steps: list[int] = []
        self.losses: list[float] = []
        self._best: Checkpoint | None = None
        self._least, self._waited = math.inf, 0
        self._objective: Objective | None = None

    def __enter__(self) -> None:
        self._begin()

    def __exit__(self, *error: object) -> None:
        self._objective = None

    def __call__(self, state: State) -> None:
        """Evaluate, and stop where it is time to."""
        if state.step not in self.steps[-1:]:  # L-BFGS may converge in an iteration it has reported
            self._evaluate(state)
        assert self._best is not None  # the first evaluation is the best so far
        if self._waited >= self.patience or (state.ended and self._best.step < state.step):
            reason = say("least_after", step=self._best.step, loss=self._least)
            state.stop(reason, back_to=self._best)

    def _evaluate(self, state: State) -> None:
        loss = self._loss(state)
        self.steps.append(state.step)
        self.losses.append(loss)
        if self._best is None or loss < self._least - self.min_delta:
            self._best, self._least, self._waited = state.checkpoint(), loss, 0
        else:
            self._waited += 1

    def memory(self) -> dict[str, Tensor]:
        """The evaluations so far, and where the loss was least, for a checkpoint."""
        best = self._best
        if best is None:
            return {}
        kept = {
            "steps": torch.tensor(self.steps),
            "losses": torch.tensor(self.losses, dtype=torch.float64),
            "waited": torch.tensor(self._waited),
            "best.step": torch.tensor(best.step),
            "best.theta": best.theta,
        }
        kept |= {f"best.memory.{name}": value for name, value in best.memory.items()}
        kept |= {f"best.buffers.{name}": value for name, value in best.buffers.items()}
        # copies, because files hold no two tensors of one memory, and the best may be where it is
        return {name: value.clone() for name, value in kept.items()}

    def recall(self, memory: dict[str, Tensor], start: Checkpoint) -> None:
        """Go on with what `memory` was at the checkpoint `start`; begin anew where it is empty."""
        self._begin()
        if not memory:
            return
        self.steps, self.losses = memory["steps"].tolist(), memory["losses"].tolist()
        self._waited, step = int(memory["waited"]), int(memory["best.step"])
        self._least = self.losses[self.steps.index(step)]
        self._best = replace(
            start,
            theta=memory["best.theta"],
            losses=start.losses[:step],
            memory=group("best.memory.", memory),
            buffers=group("best.buffers.", memory),
            callbacks={},
        )

    def _loss(self, state: State) -> float:
        objective = self._objective
        if objective is None or objective.problem.network.changing_buffers():  # as they are now
            device, network = state.problem.device, state.network
            if not isinstance(self.x, torch.Tensor) or self.x.device != device:
                network = network.to(CPU)  # rows of the CPU move together with it
            loss = Loss.of(state.problem.loss).on(next(network.parameters()).device)
            with _refused():
                rows = Problem.of(network, loss, self.x, self.y, self.weight).on(device)
            self._objective = objective = fastest(rows)(rows)
            make_ready(objective.routines(hvp=False))
        return objective.value(state.theta.to(objective.dtype)).item()
