"""Why momentum has no flow: how far its own modified flow is from its steps.

Steps of heavy-ball momentum, v <- m v + g(theta) and theta <- theta - lr v, follow, once the first
of them are forgotten, to second order in lr

    d theta / dt = -g / (1 - m) - lr (1 + m) / (2 (1 - m)^3) H g,    t = lr * steps

(put the series of theta(t + lr) and theta(t - lr) into next - theta = m (theta - last) - lr g;
without momentum it is the flow of `descend`). It is crossed in float64, from where the steps have
forgotten that they began at rest, by strides that are far closer to it than it is to the steps.

    python benchmarks/momentum.py [--steps N]
"""

from __future__ import annotations

import argparse
import math

import _common
import numpy as np
import torch
from _peers import Problem as Lab
from descent import LAB_ROWS, table
from scipy.integrate import DOP853

from derivable import MSE
from derivable.descent import Momentum
from derivable.objective import Fused
from derivable.problem import Problem
from derivable.protocol import LAB_MODELS, parse_models

MOMENTUM = Momentum().momentum
FORGOTTEN = 1e-12  # what is left of the start
RELATIVE = 1e-7  # tolerance of a stride


def steps_of_momentum(objective, theta, lr, steps):
    """All losses (steps + 1,), and where theta was after enough steps to forget the start."""
    enough = math.ceil(math.log(FORGOTTEN) / math.log(MOMENTUM))
    theta, velocity, losses = theta.clone(), torch.zeros_like(theta), np.empty(steps + 1)
    for k in range(steps + 1):
        loss, gradient = objective.value_and_gradient(theta)
        losses[k] = loss
        if k == enough:
            begin = theta.clone()
        velocity = MOMENTUM * velocity + gradient
        theta = theta - lr * velocity
    return losses, enough, begin


def deviation(objective, losses, lr, enough, begin):
    """The largest relative deviation of the flow's losses at the ends of its strides."""
    rest = 1 - MOMENTUM
    bend = lr * (1 + MOMENTUM) / (2 * rest**3)

    def velocity(_, state):
        theta = torch.from_numpy(state)
        gradient = objective.value_and_gradient(theta)[1].clone()
        return -(gradient / rest + bend * objective.hvp(theta, gradient)).numpy()

    end = (len(losses) - 1 - enough) * lr
    solver = DOP853(velocity, 0.0, begin.numpy(), end, rtol=RELATIVE, atol=RELATIVE * 1e-2)
    worst = 0.0
    while solver.status == "running":
        solver.step()
        steps = int(solver.t / lr)
        theta = torch.from_numpy(solver.dense_output()(steps * lr))
        loss = objective.value_and_gradient(theta)[0].item()
        worst = max(worst, abs(loss / losses[enough + steps] - 1))
    return worst


def main():
    """Print the table: the lab's learning rate, and smaller ones."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny, to see that it runs")
    parser.add_argument("--steps", type=int, default=20_000, help="of momentum")
    options = parser.parse_args()
    rows, steps = (300, 500) if options.quick else (LAB_ROWS, options.steps)
    x, y, source = table(rows)
    page = _common.Page()
    page.head("momentum's modified flow, tanh(10)", "lr", "steps", "largest deviation of a loss")
    model = next(model for model in parse_models(LAB_MODELS) if model.activation == "tanh")
    network = Lab(model, x, y).network.double()
    objective = Fused(Problem(network, MSE, x.double(), y.double()))
    with torch.no_grad():
        for part in (1, 3, 10):
            lr = model.lr / part
            losses, enough, begin = steps_of_momentum(objective, network.theta, lr, steps)
            worst = deviation(objective, losses, lr, enough, begin)
            name = "the lab's learning rate" if part == 1 else f"a part of {part}"
            page.row(name, f"{lr:.2g}", f"{steps:,}", f"{worst:.0e}")
    page.say()
    page.say(f"{len(x):,} rows, momentum {MOMENTUM}, float64, {source}. {_common.machine()}")


if __name__ == "__main__":
    main()
