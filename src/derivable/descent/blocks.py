"""Methods that take one step after the other, in blocks, with what happens between them."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

import torch

from derivable.descent.callbacks import Stop
from derivable.descent.checks import check_count
from derivable.descent.error_estimate import OF_ITS_OWN, ErrorEstimate
from derivable.descent.messages import say
from derivable.descent.method import Method, Prepared
from derivable.descent.request import DescentRequest, Trajectory
from derivable.descent.sharpness import diverged
from derivable.errors import SettingError
from derivable.objective import Objective, fastest
from derivable.objective.batches import Batches
from derivable.problem import Problem
from derivable.stepper import Kind, Stepper, make_ready
from derivable.stepper.ahead import Demand


@dataclass(frozen=True)
class StepByStep(Method):
    """A method that takes every step, with a stepper.

    With `batch_size`, each step has the gradient of other rows, in an order that is drawn by `seed`
    anew for each epoch; the losses are then those of the batches. A subclass states in `stepper`
    how it steps.
    """

    batch_size: int | None = field(default=None, kw_only=True)
    seed: int = field(default=0, kw_only=True)

    step_by_step: ClassVar[bool] = True
    error_estimate: ClassVar[ErrorEstimate] = OF_ITS_OWN

    def __post_init__(self) -> None:
        if self.batch_size is not None:
            check_count("batch_size", self.batch_size, 1)
        check_count("seed", self.seed)

    @abstractmethod
    def stepper(self, request: DescentRequest) -> Stepper:
        """What takes the steps."""

    def rows(self, problem: Problem) -> int:
        """Those of a mini-batch, if there are such."""
        return problem.rows if self.batch_size is None else min(self.batch_size, problem.rows)

    def objective(self, request: DescentRequest) -> Objective:
        """The objective that was asked for, or mini-batches."""
        if self.batch_size is None:
            return request.make_objective()
        if request.objective not in ("fastest", Batches.name):
            gaps = {"size": self.batch_size, "objective": request.objective}
            raise SettingError(say("batches", **gaps))
        size, seed, done = self.batch_size, self.seed, request.done
        return Batches(request.problem, size=size, seed=seed, done=done)

    def demands(self, problem: Problem, steps: int) -> list[Demand]:
        """That of the fastest objective; none for mini-batches."""
        if self.batch_size is not None:
            return []
        found = Demand.of(self.fastest(problem, steps), problem, problem.dtype, hvp=False)
        return [found] if found else []

    def fastest(self, problem: Problem, steps: int) -> Kind:
        """The class that computes the gradients or takes the steps, where none is asked for."""
        return fastest(problem)

    def prepare(self, request: DescentRequest) -> Prepared:
        """The stepper, with its loops compiled."""
        stepper = self.stepper(request)
        make_ready(stepper.routines(hvp=False))
        return Prepared(stepper.name, partial(take_blocks, stepper, request, self.error_estimate))


def take_blocks(stepper: Stepper, request: DescentRequest, estimate: ErrorEstimate) -> Trajectory:
    """Let the stepper move `theta` until `steps` are done; between blocks, evaluate and report.

    Blocks end at multiples of their length, wherever the descent began, so that one that goes on
    from a checkpoint has the same blocks.

    Raises DivergedError as soon as a piece of a block holds a loss that is not finite. An
    interruption (Ctrl-C) ends it with what the blocks so far have found.
    """
    walk = _Walk(stepper, request, estimate)
    interrupted = False
    try:
        while walk.done < request.steps:
            walk.take_block()
    except Stop:
        walk.keep()
    except KeyboardInterrupt:
        interrupted = True
    return walk.end(interrupted=interrupted)


class _Walk:
    """How far the steps are, and what an interruption inside a block goes back to."""

    def __init__(self, stepper: Stepper, request: DescentRequest, estimate: ErrorEstimate) -> None:
        self.stepper, self.request, self.estimate = stepper, request, estimate
        self.theta = request.theta.to(stepper.dtype, copy=True)
        self.losses, self.done = request.allocate_losses(), request.done
        self.snapshots = request.snapshots()
        self.keep()

    def keep(self) -> None:
        """Go back to here where an interruption comes."""
        buffers = self.request.problem.network.changing_buffers()
        self.kept = self.theta.clone(), self.done, self.stepper.memory(), buffers

    def take_block(self) -> None:
        """Steps until the end of a block, reported at the end of each piece."""
        stepper, request = self.stepper, self.request
        end = min(self.done - self.done % stepper.block + stepper.block, request.steps)
        stepper.begin_block()
        while self.done < end:
            piece = min(self.done - self.done % stepper.piece + stepper.piece, end)
            piece = request.callbacks.next_step(self.done, piece)
            while self.done < piece:
                self._advance(min([*self.snapshots.early(self.done, piece), piece]))
            if self.done == end:
                self.keep()
            if self.done < request.steps:
                request.report(self.done, self._trajectory(), self.done == end)

    def _advance(self, end: int) -> None:
        """Steps until `end`. Raises DivergedError where a loss is not finite."""
        losses = self.losses[self.done : end]
        if self.request.schedule is None:
            self.stepper.take_steps(self.theta, self.request.lr, losses)
        else:
            for k in range(len(losses)):
                lr = self.request.lr_at(self.done + k)
                self.stepper.take_steps(self.theta, lr, losses[k : k + 1])
        if not (losses <= self.request.max_loss).all():
            raise diverged(self.stepper, self.request, self.losses[:end])
        if self.snapshots.wanted(self.done, end):
            self.snapshots.take(end, self.theta)
        self.done = end

    def _trajectory(self) -> Trajectory:
        """What there is between two pieces: the loss at theta is not known yet."""
        done, memory = self.done, self.stepper.memory()
        buffers = self.request.problem.network.changing_buffers()
        return Trajectory(
            self.theta,
            self.losses[:done],
            done - self.request.done,
            self.snapshots,
            self.estimate,
            memory=memory,
            buffers=buffers,
        )

    def end(self, *, interrupted: bool) -> Trajectory:
        """What there is where it was kept last, with the loss there."""
        theta, done, memory, buffers = self.kept
        losses, request = self.losses, self.request
        request.problem.network.set_buffers(buffers)
        self.snapshots.forget_after(done)
        if torch.isnan(losses[done]):  # where a block was interrupted, its first loss is known
            losses[done] = self.stepper.objective.value(theta)
        losses = losses[: done + 1]
        if not losses[done] <= request.max_loss:
            raise diverged(self.stepper, request, losses)
        self.snapshots.take(done, theta)
        trajectory = Trajectory(
            theta,
            losses,
            done + 1 - request.done,
            self.snapshots,
            self.estimate,
            interrupted=interrupted,
            memory=memory,
            buffers=buffers,
        )
        with suppress(KeyboardInterrupt):  # there is nothing more to do
            request.report(done, trajectory, True)
        return trajectory
