"""`descend`: train a network by gradient descent, by the cheapest method that is certain."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from derivable.descent.callbacks import Callback, Callbacks, State, Stop
from derivable.descent.checkpoint import Checkpoint
from derivable.descent.checks import check_count, check_positive
from derivable.descent.messages import say
from derivable.descent.method import Method
from derivable.descent.methods import method_of
from derivable.descent.request import DescentRequest, Trajectory, check_objective
from derivable.descent.result import Descent
from derivable.descent.schedules import Schedule, checked_rate
from derivable.descent.snapshots import Snapshots
from derivable.device import CPU
from derivable.distributed import Group
from derivable.errors import SettingError, ShapeError
from derivable.loss import AnyLoss, Loss
from derivable.messages import in_language, joined
from derivable.network import Network
from derivable.objective import OBJECTIVES, ByHand, FeaturesMajor, Fused
from derivable.objective.batches import Batches
from derivable.problem import Problem, Rows
from derivable.stepper import STEPPERS, Way
from derivable.threads import on_one_thread


def descend(
    network: Network,
    loss: AnyLoss | str,
    x: Rows,
    y: Rows,
    *,
    weight: Rows | None = None,
    penalty: float = 0.0,
    steps: int,
    lr: float | Schedule | None = None,
    method: str | Method = "auto",
    objective: Way = "fastest",
    start: Checkpoint | None = None,
    on_block: Callback | Sequence[Callback] = (),
    shard: bool = False,
    device: str | torch.device | None = None,
) -> Descent:
    """Gradient descent of `loss(network(x), y)`, from the network's own parameters.

    x (N, ...) and y (N, ...) are tensors of the network's dtype, or of integers, or NumPy arrays,
    whose floating-point numbers are converted; y may be (N,) for one output. `loss` is a Function,
    a `Loss` such as `Loss(Huber, delta=0.5)`, or text such as "mse" or "huber:delta=0.5". A loss of
    several numbers is summed. The network that is given is not changed: a copy descends in training
    mode, and is returned in evaluation mode. `weight` (N,) is how much each row counts; `penalty` l
    adds l / 2 |w|^2 to the loss, and to all losses that are returned, where w are the weights
    without the biases. `Problem` describes all of them.

    `method` is a method or its name:
    - "auto", `Auto(tolerance=1e-4)`: the cheapest of the next three that gives exact steps, or
      deviates from them by less than the tolerance, by an error estimate that is measured;
    - "steps", `GradientDescent()`: exact steps, full batch or in mini-batches of `batch_size`;
    - "spectral", `Spectral()`: all steps at once, for a network of one Linear layer and MSE;
    - "flow", `Flow(tolerance=1e-4)`: the steps as an ordinary differential equation;
    - "momentum", `Momentum(0.9)`, "nesterov", `Nesterov(0.9)`, "adam", `Adam()`: PyTorch's
      optimisers, step by step, also in mini-batches;
    - "lbfgs", `LBFGS()`: SciPy's L-BFGS, at most `steps` iterations, without `lr`.

    `lr` is the learning rate, or for methods that take every step a schedule `(step, steps) -> lr`,
    such as `Cosine(1e-2, warm_up=100)`.

    `objective` is how the gradient is computed: "by hand" (Functions and Contexts, the plain
    reference), "features-major", "fused" (the same to rounding, much faster), "fastest", for exact
    steps also "piecewise", or a class. A named one is for exact steps, which "auto" then means.
    `on_block` is a callback or several; each is called with a `State` between blocks of steps, and
    may ask to stop (`derivable.descent.callbacks` says when and how). `start` goes on from a
    checkpoint. An interruption (Ctrl-C) returns what there is.
    With `shard`, x, y and weight are the rows of this process, and the loss is that of the rows of
    all processes of the current group of `torch.distributed`. Each calls `descend` with the same
    network and settings and returns the same Descent (`Problem.of_shard`, docs/scale.md).
    `device`, such as "cuda", is where it runs, if not where network and table lie; the network that
    is returned lies where the given one does, and checkpoints and losses on the CPU. On a CUDA
    device run the methods that take every step, and "auto" is "steps".

    Raises ShapeError, NotATensorError, DataError (not finite) or SettingError before the first
    step, and DivergedError when the loss stops being finite.
    """
    make = partial(Problem.of_shard, Group()) if shard else Problem.of
    problem = make(network, loss, x, y, weight, penalty)
    settings: Any = {"method": method, "objective": objective, "start": start, "device": device}
    return descend_problem(problem, steps=steps, lr=lr, on_block=on_block, **settings)


def descend_problem(
    problem: Problem,
    *,
    steps: int,
    lr: float | Schedule | None = None,
    method: str | Method = "auto",
    objective: Way = "fastest",
    start: Checkpoint | None = None,
    on_block: Callback | Sequence[Callback] = (),
    device: str | torch.device | None = None,
) -> Descent:
    """`descend` of a problem that is made and checked already."""
    steps, callbacks, home = check_count("steps", steps), Callbacks(on_block), problem.device
    if device is not None:
        problem = problem.on(device)
    check_objective(objective)
    if start is not None:
        _check_start(start, problem, steps, objective)
    chosen = method_of(method, start)
    first, schedule = _checked_rate(lr, chosen, steps)
    problem = problem.in_training(start.buffers if start else {})
    run = _Run(problem, steps, start, callbacks, home)
    request = DescentRequest(
        problem=problem,
        objective=_way_of(start) if start and objective == "fastest" else objective,
        lr=first,
        schedule=schedule,
        steps=steps,
        theta=start.theta.to(problem.device) if start else problem.theta,
        losses=start.losses if start else torch.empty(0, dtype=torch.float64),
        memory=start.memory if start else {},
        snapshots_before=_snapshots(start, steps, problem.network),
        callbacks=callbacks,
        report=run.report,
        note=start.note if start else "",
    )
    chosen = chosen.chosen(request)
    _check_method(chosen, request)
    interruptible = problem.shard.group.interruptible() if problem.shard else nullcontext()
    with torch.no_grad(), interruptible, callbacks.entered(start):
        return run.descent(chosen, request)


@dataclass
class _Run:
    """One descent: from a request to what came of it, with what is reported on the way."""

    problem: Problem
    steps: int
    start: Checkpoint | None
    callbacks: Callbacks
    home: torch.device  # where the network lies that is returned
    method: Method | None = None
    objective: str = ""
    begin: float = 0.0  # when the first step was taken, had all been taken in one go
    stopped: State | None = None  # where a callback asked to stop
    reported: int = 0  # the step that callbacks were last called for
    memory: dict[str, Tensor] = field(default_factory=dict)  # theirs after the last whole block

    def descent(self, method: Method, request: DescentRequest) -> Descent:
        """Prepare and run the method."""
        begin = time.perf_counter()
        self.memory = self.callbacks.memory()
        prepared = method.prepare(request)
        self.method, self.objective = method, prepared.objective
        self.begin = time.perf_counter()
        compile_seconds = self.begin - begin
        if self.start:
            self.begin -= self.start.seconds
        by_hand = prepared.objective in (ByHand.name, Batches.name)
        numbers = method.rows(self.problem) * request.theta.numel()
        with on_one_thread(numbers) if by_hand else nullcontext():
            found = prepared.run()
        if self.stopped and self.stopped.back_to:
            found = _restored(found, self.stopped.back_to)
        estimate, start, end = found.error_estimate, self.start, len(found.losses) - 1
        checkpoint = self.checkpoint(end, found)
        if found.interrupted:
            checkpoint = replace(checkpoint, callbacks=self.callbacks.memory())
        return Descent(
            network=self.problem.network.trained(found.theta, found.buffers).to(self.home),
            losses=found.losses,
            lr=(request.schedule or request.lr) if method.needs_lr else None,
            steps=end,
            method=method.name,
            objective=prepared.objective,
            gradient_evaluations=checkpoint.evaluations,
            error_estimate=estimate.after(start.step, start.deviation) if start else estimate,
            seconds=time.perf_counter() - self.begin,
            compile_seconds=compile_seconds,
            interrupted=found.interrupted,
            stopped=self.stopped.reason if self.stopped else "",
            not_compiled=_why_not_compiled(request, prepared.objective),
            snapshots=found.snapshots,
            checkpoint=checkpoint,
        )

    def report(self, step: int, found: Trajectory, resumable: bool) -> None:
        """Call the callbacks, until one of them has asked to stop, which raises Stop."""
        if self.stopped is not None:
            return
        if step < self.reported:  # an interruption went back to the end of a block
            self.callbacks.recall(self.memory, self.checkpoint(step, found))
        self.reported = step
        state = State(
            step=step,
            steps=self.steps,
            loss=found.losses[-1].item(),
            theta=found.theta,
            problem=self.problem,
            resumable=resumable,
            make_checkpoint=lambda: replace(
                self.checkpoint(step, found), callbacks=self.callbacks.memory()
            ),
            converged=found.converged,
        )
        self.callbacks(state)
        if self.problem.shard:
            self.problem.shard.group.check_same(
                "callbacks", in_language(state.reason, "en") or "no reason", "by_the_state"
            )
        if state.reason:
            self.stopped = state
            raise Stop(state.reason)
        if resumable:
            self.memory = self.callbacks.memory()

    def checkpoint(self, step: int, found: Trajectory) -> Checkpoint:
        """One after `step` steps, of a copy of what there is."""
        assert self.method is not None  # nothing is reported before it is prepared
        start, estimate = self.start, found.error_estimate
        return Checkpoint(
            theta=found.theta.to(CPU, copy=True),
            losses=found.losses[:step],
            method=self.method.name,
            objective=self.objective,
            settings=self.method.settings,
            loss=Loss.of(self.problem.loss).name,
            penalty=self.problem.penalty,
            memory=_on_cpu(found.memory),
            buffers=_on_cpu(found.buffers),
            snapshots=found.snapshots.copy(),
            evaluations=found.gradient_evaluations + (start.evaluations if start else 0),
            seconds=time.perf_counter() - self.begin,
            note=estimate.note if estimate.exact else "",
            deviation=estimate.deviation + (start.deviation if start else 0.0),
        )


def _on_cpu(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.to(CPU) for name, value in tensors.items()}


def _why_not_compiled(request: DescentRequest, objective: str) -> str:
    """Why the fused objective was not chosen; empty where it could be, or another was asked for."""
    slower = objective in (ByHand.name, FeaturesMajor.name)
    if request.objective != "fastest" or not slower or request.problem.device != CPU:
        return ""
    return Fused.refusal(request.problem)


def _restored(found: Trajectory, back_to: Checkpoint) -> Trajectory:
    """The trajectory up to an earlier checkpoint on it."""
    snapshots = found.snapshots
    snapshots.forget_after(back_to.step)
    snapshots.take(back_to.step, back_to.theta)
    return replace(
        found,
        theta=back_to.theta,
        losses=found.losses[: back_to.step + 1],
        memory=back_to.memory,
        buffers=back_to.buffers,
        interrupted=False,
    )


def _snapshots(start: Checkpoint | None, steps: int, network: Network) -> Snapshots:
    """Those of the checkpoint, as often from now on as all steps together ask for."""
    snapshots = Snapshots.of(steps, network.theta.numel())
    if start and start.snapshots:
        return replace(snapshots, at=start.snapshots.at, taken=start.snapshots.taken)
    return snapshots


def _way_of(start: Checkpoint) -> str:
    """The objective or stepper of a checkpoint, so that its bits go on."""
    known = start.objective in OBJECTIVES or start.objective in STEPPERS
    return start.objective if known else "fastest"


def _checked_rate(lr: Any, method: Method, steps: int) -> tuple[float, Schedule | None]:
    """The first learning rate, and its schedule. Raises SettingError where there is none."""
    if lr is None and method.needs_lr:
        raise SettingError(say("needs_rate", method=method.name))
    if lr is None:
        return math.nan, None
    if callable(lr):
        return checked_rate(lr, 0, max(steps, 1)), lr
    check_positive("lr", lr)
    return float(lr), None


def _check_method(method: Method, request: DescentRequest) -> None:
    """Refuse a method that does not go with the problem, the learning rate or the callbacks."""
    reason = method.refusal(request.problem)
    if reason:
        raise SettingError(reason)
    if method.step_by_step:
        return
    if request.problem.device != CPU:
        gaps = {"method": method.name, "device": request.problem.device}
        raise SettingError(say("only_on_cpu", **gaps))
    changing = request.problem.network.changing
    if changing:
        names = joined(dict.fromkeys(changing), say("and"))
        raise SettingError(say("no_single_steps", names=names, method=method.name))
    if request.schedule is not None:
        raise SettingError(say("schedule_method", method=method.name))
    name = request.callbacks.periodic
    if name and not method.reports_all:
        raise SettingError(say("periodic", name=name, method=method.name))


def _check_start(start: Any, problem: Problem, steps: int, objective: Way) -> None:
    """Refuse what is no checkpoint, one of another network or from beyond the last step."""
    if not isinstance(start, Checkpoint):
        raise SettingError(say("start", kind=type(start).__name__))
    name = objective if isinstance(objective, str) else objective.name
    if name not in ("fastest", start.objective):
        raise SettingError(say("start_objective", then=start.objective, now=name))
    loss = Loss.of(problem.loss).name
    if start.loss not in ("", loss):
        raise SettingError(say("start_loss", then=start.loss, now=loss))
    if start.penalty is not None and start.penalty != problem.penalty:
        raise SettingError(say("start_penalty", then=start.penalty, now=problem.penalty))
    parameters = problem.theta.numel()
    if start.theta.numel() != parameters:
        raise ShapeError(say("start_parameters", then=start.theta.numel(), now=parameters))
    if start.step > steps:
        raise SettingError(say("start_step", step=start.step, steps=steps))
