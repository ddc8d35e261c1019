"""All steps of a linear network at once: its loss is quadratic, so each step is known.

With the features (x, 1) of a row written x, X = U S V^T and y the targets, one step of gradient
descent multiplies the part of the residual that lies along the i-th column of U by
1 - lr 2 s_i^2 / N and leaves the part outside of U alone. So with p = U^T (X theta_0 - y), after k
steps

    loss_k  = |y - U U^T y|^2 / N + sum_i (1 - lr lambda_i)^(2k) p_i^2 / N,  lambda_i = 2 s_i^2 / N
    theta_k = theta_0 - V (1 - (1 - lr lambda)^k) / s p

which needs nothing but s and p: the triangle of a QR decomposition of (X, y), taken block by block
of rows. Nothing is divided by a singular value that is 0: the quotient goes to 0 with s.

An L2 penalty l / 2 |w|^2 is the squared error of more rows: sqrt(N l / 2) in one feature and 0
elsewhere, for each feature, with targets 0. So ridge regression needs nothing else.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from derivable.descent.messages import say
from derivable.descent.method import Method, Prepared
from derivable.descent.request import DescentRequest, Trajectory
from derivable.descent.sharpness import not_finite_at_start
from derivable.errors import DivergedError
from derivable.functions import MSE
from derivable.objective.mlp import Mlp
from derivable.problem import Problem
from derivable.storage import ROWS_AT_ONCE
from derivable.threads import on_one_thread

STEPS_AT_ONCE = 8_192


@dataclass(frozen=True)
class Spectral(Method):
    """All steps of exact gradient descent at once, for a network of one Linear layer and MSE."""

    name: ClassVar[str] = "spectral"

    def refusal(self, problem: Problem) -> str:
        """Why it cannot have this problem; empty where its loss is quadratic."""
        if is_linear(problem):
            return ""
        return say("spectral")

    def prepare(self, request: DescentRequest) -> Prepared:
        """Nothing: it needs the table alone."""
        return Prepared("quadratic", partial(solve, request))


def is_linear(problem: Problem) -> bool:
    """Whether the loss is quadratic in the parameters: one Linear layer, and MSE."""
    mlp = Mlp.of(problem, (MSE,))
    return mlp is not None and not mlp.activations


def solve(request: DescentRequest) -> Trajectory:
    """All losses and the last theta of the linear network, in float64.

    Raises DivergedError, with a learning rate that is stable, when a loss is not finite.
    """
    problem = request.problem
    with on_one_thread(problem.x.numel() if problem.shard is None else 0):
        return _solve(request)


def _solve(request: DescentRequest) -> Trajectory:
    modes, todo = _Modes(request.problem, request.theta, request.lr), request.steps - request.done
    losses = request.allocate_losses()
    for first in range(0, todo + 1, STEPS_AT_ONCE):
        count = min(STEPS_AT_ONCE, todo + 1 - first)
        losses[request.done + first : request.done + first + count] = modes.losses(first, count)
    broken = torch.nonzero(~(losses[request.done :] <= request.max_loss)) + request.done
    if len(broken):
        if broken[0] == 0:
            raise not_finite_at_start(losses[0].item())
        gaps = {"lr": f"{request.lr:g}", "first": losses[0].item()}
        stable = float(modes.stable_lr)
        raise DivergedError(say("diverges", step=int(broken[0]), stable=stable, **gaps))
    snapshots = request.snapshots()
    for at in (*snapshots.wanted(request.done, request.steps), request.steps):
        snapshots.take(at, modes.theta(at - request.done))
    found = Trajectory(modes.theta(todo), losses, gradient_evaluations=1, snapshots=snapshots)
    with suppress(KeyboardInterrupt):  # there is nothing more to do
        request.report(request.steps, found, False)
    return found


class _Modes:
    """The residual in the columns of U, and what a step does to each of them.

    A row of weight w is a row times sqrt(w).
    """

    def __init__(self, problem: Problem, theta: Tensor, lr: float) -> None:
        rows, outputs = problem.rows, problem.y.size(1)
        edges = problem.x.size(1) + 1
        self.start = theta.double().view(edges, outputs)
        both = triangle(problem, problem.y)  # of (X, y)
        u, self.s, self.vt = torch.linalg.svd(both[:edges, :edges])
        self.p = u.t() @ (both[:edges, :edges] @ self.start - both[:edges, edges:])  # (E, K)
        self.rest = (both[edges:, edges:] ** 2).sum() / rows
        self.powers = (self.p**2).sum(1) / rows  # (E,)
        self.step = lr * 2 * self.s**2 / rows  # (E,); it multiplies the residual by 1 - step
        # log |1 - step|, whose powers stay exact for tiny steps; finite, as 0 times it must be 0
        log = torch.where(self.step < 1, torch.log1p(-self.step), torch.log(self.step - 1))
        self.rate = log.clamp(min=-1e300)
        self.stable_lr = rows / self.s[0].item() ** 2

    def losses(self, first: int, count: int) -> Tensor:
        """The losses (count,) after `first` steps, `first` + 1, ..."""
        k = torch.arange(first, first + count, dtype=torch.float64)
        decay = torch.exp(2 * k.view(-1, 1) * self.rate)  # (n, E)
        losses: Tensor = self.rest + decay @ self.powers
        return losses

    def theta(self, done: int) -> Tensor:
        """The parameters (P,) after `done` steps."""
        # 1 - (1 - step)^done; the sign matters where a step goes too far
        gone = torch.where(
            (self.step > 1) & (done % 2 == 1),
            1 + torch.exp(done * self.rate),
            -torch.expm1(done * self.rate),
        )
        reach = torch.where(self.s > 0, gone / torch.where(self.s > 0, self.s, 1.0), 0.0)  # (E,)
        moved: Tensor = self.vt.t() @ (reach.view(-1, 1) * self.p)  # (E, K)
        return (self.start - moved).flatten()


def triangle(problem: Problem, y: Tensor) -> Tensor:
    """R of the QR decomposition of the problem's weighted (x, 1, y), (D + 1 + K) square.

    It is in float64, and includes the rows that the penalty is. Where the rows lie in several
    processes it is made of the triangles of all tasks.
    """
    features, width = problem.x[0].numel(), problem.x[0].numel() + 1 + y.size(1)
    if problem.shard is None:
        found = _triangle_of(problem, y, slice(None))
    else:
        own = [_triangle_of(problem, y, rows).flatten() for rows in problem.shard.own_rows()]
        each = problem.shard.gather(torch.stack(own))  # (tasks, width * width)
        _, found = torch.linalg.qr(each.view(-1, width), mode="r")
    if problem.penalty:
        penalty = torch.zeros(features, width, dtype=torch.float64)
        penalty.fill_diagonal_(math.sqrt(problem.rows * problem.penalty / 2))
        _, found = torch.linalg.qr(torch.cat([found, penalty]), mode="r")
    return found


def _triangle_of(problem: Problem, y: Tensor, rows: slice) -> Tensor:
    """The same of some rows of this process, without the penalty."""
    x, y = problem.x[rows].flatten(1), y[rows]
    weight = None if problem.weight is None else problem.weight[rows]
    width = x.size(1) + 1 + y.size(1)
    found = torch.zeros(width, width, dtype=torch.float64)
    for first in range(0, len(x), ROWS_AT_ONCE):
        part = slice(first, first + ROWS_AT_ONCE)
        ones = torch.ones(len(x[part]), 1, dtype=torch.float64)
        columns = torch.cat([x[part].double(), ones, y[part].double()], 1)
        if weight is not None:
            columns *= weight[part].double().sqrt().view(-1, 1)
        _, found = torch.linalg.qr(torch.cat([found, columns]), mode="r")
    return found
