"""`descend`: train a network by gradient descent, by the cheapest method that is certain."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from derivable.descent import lbfgs, spectral
from derivable.descent.choice import (
    check_choice,
    choose_method,
    in_float64,
    is_smooth,
    make_objective,
)
from derivable.descent.flow import follow
from derivable.descent.path import Checkpoint, Path, Plan, Progress
from derivable.descent.result import Descent
from derivable.descent.snapshots import Snapshots
from derivable.descent.steps import optimise, take_steps
from derivable.descent.validity import (
    check_count,
    check_kind,
    check_numbers,
    check_problem,
    check_start,
    check_weight,
)
from derivable.display.progress import watched
from derivable.function import Function
from derivable.network import Network
from derivable.objective import OBJECTIVES, Objective, make_ready
from derivable.objective.batches import Batches
from derivable.objective.weights import weigh
from derivable.threads import on_one_thread


def descend(
    network: Network,
    loss: type[Function],
    x: Tensor,
    y: Tensor,
    *,
    lr: float | None = None,
    steps: int,
    method: str = "auto",
    objective: str = "fastest",
    tolerance: float = 1e-4,
    batch_size: int | None = None,
    seed: int = 0,
    weight: Tensor | None = None,
    start: Checkpoint | None = None,
    progress: Progress | bool = False,
    keep: Callable[[Checkpoint], None] = lambda checkpoint: None,
) -> Descent:
    """Gradient descent of `loss(network(x), y)`, from the network's own parameters.

    x (N, D) and y (N, K) are tensors of the network's dtype; a loss of several numbers is summed.
    The network that is given is not changed. `weight` (N,) says how much each row counts: a row of
    weight 3 is three rows, one of weight 0 none. It goes with MSE, and with CrossEntropy of
    probabilities.

    `method` is
    - "auto": the cheapest of the next three that gives exact steps, or deviates from them by less
      than `tolerance`, relative in every loss, by a certificate that is measured;
    - "steps": exact steps, full batch or in batches of `batch_size` (then `losses` are those of
      the batches, which are drawn by `seed`);
    - "spectral": all steps at once, for a network of one Linear layer and MSE;
    - "flow": the steps as an ordinary differential equation;
    - "momentum", "nesterov" (both 0.9), "adam": PyTorch's optimisers, step by step;
    - "lbfgs": SciPy's L-BFGS, at most `steps` iterations, without `lr`.

    `objective` is how the gradient is computed: "by hand" (Functions and Contexts, the plain
    reference), "features-major", "fused", "piecewise" (the same to rounding, much faster) or
    "fastest". A named objective is for exact steps, where "auto" then means "steps".

    `progress(step, loss)` and, by the methods that take steps one by one, `keep(checkpoint)` are
    called between blocks of steps; `progress=True` shows a bar in a terminal, and in a notebook a
    picture. `start` goes on from a checkpoint. An interruption (Ctrl-C) returns what there is.

    Raises ShapeError, NotATensorError, DataError (not finite) or SettingError before the first
    step, and DivergedError when the loss stops being finite.
    """
    check_kind(start)
    steps = check_numbers(lr, steps, start.method if start else method, tolerance)
    lr = None if lr is None else float(lr)  # for a whole number, loops would be compiled again
    if batch_size is not None:
        batch_size, seed = check_count("batch_size", batch_size, 1), check_count("seed", seed)
    check_choice(method, objective, batch_size, network, loss)
    check_problem(network, loss, x, y)
    if weight is not None:
        check_weight(loss, x, weight)
        x, y, weight = weigh(loss, x, y, weight)
    if start:
        check_start(
            start, network, steps, method=method, objective=objective, batch_size=batch_size
        )
        method, objective = _as_before(start, batch_size)
    if method == "auto":
        named = objective != "fastest" or batch_size is not None
        method = choose_method(network, loss, x, steps=steps, named=named)
    with torch.no_grad(), watched(progress, steps) as watch:
        done = start.step if start else 0
        goal: Objective | None = None
        begin = time.perf_counter()
        if method == "spectral":
            pass  # it needs the table alone
        elif batch_size is not None:
            goal = Batches(network, loss, x, y, weight, size=batch_size, seed=seed, done=done)
        else:
            goal = make_objective(method, objective, network, loss, x, y, weight, steps)
        exact: Objective | None = None
        if goal and method == "flow":
            exact = in_float64(goal, network, loss, x, y, weight)
        make_ready([one for one in (goal, exact) if one], curvature=method == "flow")
        compile_seconds = time.perf_counter() - begin
        name = goal.name if goal else "quadratic"

        begin = time.perf_counter() - (start.seconds if start else 0.0)
        before = start.evaluations if start else 0

        def checkpoint(path: Path, losses: Tensor) -> Checkpoint:
            how = path.certificate
            return Checkpoint(
                theta=path.theta,
                losses=losses,
                method=method,
                objective=name,
                memory=path.memory,
                snapshots=path.snapshots.copy(),
                evaluations=before + path.gradient_evaluations,
                seconds=time.perf_counter() - begin,
                note=how.note if how.exact else "",
                deviation=how.deviation + (start.deviation if start else 0.0),
            )

        plan = Plan(
            theta=start.theta if start else network.theta,
            lr=lr or math.nan,
            steps=steps,
            most=torch.finfo(x.dtype).max,
            losses=start.losses if start else torch.empty(0, dtype=torch.float64),
            tolerance=tolerance,
            progress=watch,
            keep=lambda path: keep(checkpoint(path, path.losses)),
            memory=start.memory if start else {},
            taken=_snapshots(start, steps, network),
            note=start.note if start else "",
        )
        path = _run(method, goal, exact, plan, network, x, y, weight)
        seconds = time.perf_counter() - begin
    return Descent(
        network=network.with_theta(path.theta),
        losses=path.losses,
        lr=None if method == "lbfgs" else lr,
        steps=len(path.losses) - 1,
        method=method,
        objective=name,
        gradient_evaluations=before + path.gradient_evaluations,
        certificate=path.certificate.after(start) if start else path.certificate,
        seconds=seconds,
        compile_seconds=compile_seconds,
        interrupted=path.interrupted,
        snapshots=path.snapshots,
        checkpoint=checkpoint(path, path.losses[:-1]),
    )


def _run(
    method: str,
    goal: Objective | None,
    exact: Objective | None,
    plan: Plan,
    network: Network,
    x: Tensor,
    y: Tensor,
    weight: Tensor | None,
) -> Path:
    """The path of one method."""
    if goal is None:
        with on_one_thread(x.numel()):
            return spectral.leap(x, y, weight, plan)
    if exact is not None:
        return follow(goal, exact, plan, smooth=is_smooth(network))
    if method == "lbfgs":
        return lbfgs.minimise(goal, plan)
    return take_steps(goal, plan) if method == "steps" else optimise(goal, plan, method)


def _snapshots(start: Checkpoint | None, steps: int, network: Network) -> Snapshots:
    """Those of the checkpoint, as often from now on as all steps together ask for."""
    snapshots = Snapshots.of(steps, network.theta.numel())
    if start and start.snapshots:
        return replace(snapshots, at=start.snapshots.at, taken=start.snapshots.taken)
    return snapshots


def _as_before(start: Checkpoint, batch_size: int | None) -> tuple[str, str]:
    """The method and objective of a checkpoint, so that its bits go on."""
    objective = start.objective if start.objective in OBJECTIVES else "fastest"
    return start.method, objective if batch_size is None else "fastest"
