"""Functions of one's own: exact steps with a compiled kernel, beside the library's and by hand.

    python benchmarks/own_functions.py            the lab's table: 16,512 rows, 8 columns, 10 units
    python benchmarks/own_functions.py --write docs/benchmarks.md writes the table into the docs
    python benchmarks/own_functions.py --quick    tiny, to see that it runs

Each activation is written as a student writes it, traced and compiled. The peer is the Function of
the library whose formula costs the same. The three take turns, and the medians of the ratios over
the turns are shown; all end at the same loss, up to rounding. `derived in` is what it takes from
the class to its kernel, without Numba, in a process that has derived another one before.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time

import _common
import torch

from derivable import MSE, Elementwise, Function, Network, functions
from derivable.formula import kernel_of
from derivable.objective import ByHand
from derivable.problem import Problem
from derivable.stepper.fused import FusedSteps
from derivable.stepper.plain import PlainSteps


class Bump(Elementwise):
    """README's own."""

    @staticmethod
    def function(input):
        return torch.exp(-(input**2))

    @staticmethod
    def slope(input, output):
        return -2 * input * output


class OwnTanh(Function):
    """With a ctx, and tanh computed twice."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.tanh(x)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return grad_output * (1 - torch.tanh(x) ** 2)


class OwnReLU(Function):
    """With a mask that is written into."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        grad_x = grad_output.clone()
        grad_x[x <= 0] = 0
        return grad_x


class OwnGELU(Function):
    """By erf and the normal density."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        p = 0.5 * (1 + torch.erf(x / math.sqrt(2)))
        density = torch.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)
        return grad_output * (p + x * density)


class OwnSoftplus(Function):
    """Safe from overflow."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.relu(x) + torch.log1p(torch.exp(-x.abs()))

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return grad_output / (1 + torch.exp(-x))


PEERS = {
    Bump: functions.Sigmoid,
    OwnTanh: functions.Tanh,
    OwnReLU: functions.ReLU,
    OwnGELU: functions.GELU,
    OwnSoftplus: functions.Softplus,
}


def seconds_per_step(stepper, theta, steps):
    """The time of one of so many exact steps, and the loss before the last of them."""
    losses = torch.empty(steps, dtype=torch.float64)
    seconds, _ = _common.seconds(lambda: stepper.take_steps(theta.clone(), 1e-3, losses))
    return seconds / steps, losses[-1].item()


def turns_of(own, peer, table, options):
    """Medians over turns: seconds of a compiled step, and as ratios to the peer and by hand."""
    x, y = table
    networks = [Network.mlp(8, 10, 1, activation=kind, dtype=x.dtype) for kind in (own, peer)]
    problems = [Problem(network, MSE, x, y) for network in networks]
    steppers = [*map(FusedSteps, problems), PlainSteps(ByHand(problems[0]))]
    theta = networks[0].theta
    for stepper in steppers:
        seconds_per_step(stepper, theta, 2)  # compiles
    times, losses = [], []
    for _ in range(options.turns):
        counts = options.steps, options.steps, max(2, options.steps // 20)
        turn = [seconds_per_step(o, theta, n) for o, n in zip(steppers, counts, strict=True)]
        times.append([seconds for seconds, _ in turn])
    losses = [seconds_per_step(o, theta, 20)[1] for o in (steppers[0], steppers[2])]
    if not math.isclose(*losses, rel_tol=1e-4):
        raise SystemExit(f"{own.__name__}: losses {losses} differ")
    ours, theirs, by_hand = zip(*times, strict=True)
    return (
        statistics.median(ours),
        statistics.median(a / b for a, b in zip(ours, theirs, strict=True)),
        statistics.median(b / a for a, b in zip(ours, by_hand, strict=True)),
    )


def main():
    """Print a Markdown table of the activations."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny, to see that it runs")
    parser.add_argument("--write", metavar="FILE", help="write the table into this document")
    options = parser.parse_args()
    rows, options.turns, options.steps = (300, 2, 5) if options.quick else (16_512, 15, 60)
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    table = [torch.randn(rows, columns, generator=generator) for columns in (8, 1)]
    kernel_of(functions.Square)
    page = _common.Page()
    page.head("activation", "derived in", "step, compiled", "peer", "to the peer", "by hand")
    with torch.no_grad():
        for own, peer in PEERS.items():
            start = time.perf_counter()
            kernel_of(own)
            derived = time.perf_counter() - start
            ours, ratio, by_hand = turns_of(own, peer, table, options)
            page.row(
                own.__name__,
                f"{derived * 1e3:.1f} ms",
                f"{ours * 1e6:.0f} us",
                peer.__name__,
                f"{ratio:.2f}",
                f"{by_hand:.1f} times",
            )
    page.say()
    page.say(f"{rows:,} rows, float32, fused. {_common.machine()}")
    if options.write:
        page.write(options.write, "own_functions")


if __name__ == "__main__":
    main()
