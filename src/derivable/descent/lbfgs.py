"""L-BFGS, from SciPy: the minimum in few evaluations, not the trajectory of gradient descent."""

from __future__ import annotations

import importlib
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from derivable.descent.callbacks import Stop
from derivable.descent.checks import check_count
from derivable.descent.error_estimate import OF_ITS_OWN
from derivable.descent.field import Vector
from derivable.descent.method import Method, Prepared
from derivable.descent.request import DescentRequest, Trajectory
from derivable.descent.sharpness import not_finite_at_start
from derivable.extras import needed
from derivable.objective import Objective, fastest
from derivable.problem import Problem
from derivable.stepper import make_ready
from derivable.stepper.ahead import Demand


@dataclass(frozen=True)
class LBFGS(Method):
    """SciPy's L-BFGS-B: at most `steps` iterations, without a learning rate.

    `memory` is how many of the last changes of the gradient it knows the Hessian from. There is one
    loss per iteration. It ends earlier where the loss does not fall any more.
    """

    memory: int = 10

    name: ClassVar[str] = "lbfgs"
    needs_lr: ClassVar[bool] = False
    reports_all: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_count("memory", self.memory, 1)

    def demands(self, problem: Problem, steps: int) -> list[Demand]:
        """That of the fastest objective."""
        found = Demand.of(fastest(problem), problem, problem.dtype, hvp=False)
        return [found] if found else []

    def prepare(self, request: DescentRequest) -> Prepared:
        """The objective, with its loops compiled."""
        with needed("method_lbfgs"):
            importlib.import_module("scipy.optimize")  # now: the descent is timed without it
            importlib.import_module("threadpoolctl")
        objective = request.make_objective()
        make_ready(objective.routines(hvp=False))
        return Prepared(objective.name, partial(minimise, objective, request, self.memory))


def minimise(objective: Objective, request: DescentRequest, memory: int) -> Trajectory:
    """The iterations from theta.

    Raises DivergedError where the first loss is not finite; SciPy goes nowhere from there.
    """
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits

    search = _Search(objective, request)
    interrupted = False
    steps = request.steps
    options = {"maxiter": steps - request.done, "maxfun": 20 * steps, "maxcor": memory}
    try:
        # The threads of SciPy's linear algebra wait by spinning, and take the processors from the
        # compiled loops: on two cores a fit of digits takes 0.4 s with one such thread, else 6 s.
        with threadpool_limits(1, user_api="blas"):
            if steps > request.done:
                minimize(
                    search.value,
                    request.theta.double().numpy(),
                    jac=True,
                    method="L-BFGS-B",
                    callback=search.after_each,
                    options={**options, "ftol": 0.0, "gtol": 1e-9},
                )
    except Stop:
        pass
    except KeyboardInterrupt:
        interrupted = True
    found = search.trajectory(interrupted=interrupted)
    found.snapshots.take(search.done, found.theta)
    if not interrupted and search.done < steps:
        with suppress(KeyboardInterrupt):  # there is nothing more to do
            request.report(search.done, replace(found, converged=True), False)
    return found


class _Search:
    """What SciPy calls, and what it has found so far."""

    def __init__(self, objective: Objective, request: DescentRequest) -> None:
        self.objective, self.request = objective, request
        self.losses, self.snapshots = request.losses.tolist(), request.snapshots()
        self.theta = request.theta.double().clone()
        self.evaluations = 0
        self.losses.append(self.value(self.theta.numpy())[0])
        if not self.losses[-1] <= request.max_loss:
            raise not_finite_at_start(self.losses[-1])

    @property
    def done(self) -> int:
        """The number of iterations."""
        return len(self.losses) - 1

    def value(self, point: Vector) -> tuple[float, Vector]:
        """The loss and its gradient at a point."""
        self.evaluations += 1
        theta = torch.from_numpy(point).to(self.objective.dtype)
        loss, gradient = self.objective.value_and_gradient(theta)
        slope: Vector = gradient.double().numpy()
        return loss.item(), slope

    def after_each(self, intermediate_result: Any) -> None:  # SciPy looks at this name
        """Keep what an iteration found, and report it."""
        self.theta = torch.from_numpy(intermediate_result.x.copy())
        self.losses.append(intermediate_result.fun)
        if self.snapshots.wanted(self.done - 1, self.done):
            self.snapshots.take(self.done, self.theta)
        self.request.report(self.done, self.trajectory(), False)

    def trajectory(self, *, interrupted: bool = False) -> Trajectory:
        """What there is."""
        losses: Tensor = torch.tensor(self.losses, dtype=torch.float64)
        return Trajectory(
            self.theta,
            losses,
            self.evaluations,
            self.snapshots,
            OF_ITS_OWN,
            interrupted=interrupted,
        )
