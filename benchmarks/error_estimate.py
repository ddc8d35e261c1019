"""How often the error estimate of a flow states less than what the flow is off by.

Random smooth networks, tables, starts and learning rates; those that the flow accepts are
compared with exact steps in float64, over every loss. `ratio` is the largest deviation that was
found, as a part of the one that the error estimate states: above 1, it states too little.

    python benchmarks/error_estimate.py [--problems N]
"""

from __future__ import annotations

import argparse
import math

import torch

from derivable import MSE, Network, descend, functions
from derivable.descent.sharpness import extreme_eigenvalues
from derivable.objective import Fused
from derivable.problem import Problem

ACTIVATIONS = (functions.Tanh, functions.Sigmoid, functions.SiLU, functions.ELU)


def random_problem(seed):
    """A network, its table, a learning rate and a number of steps."""
    draw = torch.Generator().manual_seed(seed)

    def whole(low, high):
        return int(torch.randint(low, high + 1, (), generator=draw))

    def between(low, high):  # evenly in the logarithm
        return math.exp(
            math.log(low) + torch.rand((), generator=draw).item() * math.log(high / low)
        )

    sizes = whole(1, 6), *(whole(1, 9) for _ in range(whole(1, 2))), whole(1, 2)
    activation = ACTIVATIONS[whole(0, len(ACTIVATIONS) - 1)]
    network = Network.mlp(*sizes, activation=activation, dtype=torch.float64)
    theta = torch.randn(network.theta.shape, generator=draw, dtype=torch.float64)
    network = network.with_theta(between(0.01, 1.0) * theta)
    rows = whole(50, 300)
    x = torch.randn(rows, sizes[0], generator=draw, dtype=torch.float64)
    mix = torch.randn(sizes[0], sizes[-1], generator=draw, dtype=torch.float64)
    y = between(0.3, 3) * torch.sin(between(0.3, 3) * x @ mix)
    objective = Fused(Problem(network, MSE, x, y))
    _, sharpest = extreme_eigenvalues(objective, network.theta)
    return network, x, y, between(1e-4, 0.1) / max(sharpest, 1e-3), whole(4_000, 20_000)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="two problems, to see that it runs")
    options = parser.parse_args()
    torch.set_num_threads(1)
    ratios, refused = [], 0
    for seed in range(2 if options.quick else options.problems):
        network, x, y, lr, steps = random_problem(seed)
        flow = descend(network, MSE, x, y, lr=lr, steps=steps, method="flow")
        if flow.error_estimate.exact:
            refused += 1
            continue
        exact = descend(network, MSE, x, y, lr=lr, steps=steps, method="steps", objective="fused")
        off = ((flow.losses - exact.losses).abs() / exact.losses).max().item()
        ratios.append(
            (off / flow.error_estimate.deviation, off, flow.error_estimate.deviation, seed)
        )
    ratios.sort(reverse=True)
    print(
        "| problems | accepted | left to exact steps | ratio above 1 | above 1/2 | median ratio |"
    )
    print("|---|---|---|---|---|---|")
    above = [sum(r[0] > bound for r in ratios) for bound in (1, 0.5)]
    median = ratios[len(ratios) // 2][0] if ratios else math.nan
    print(
        f"| {len(ratios) + refused} | {len(ratios)} | {refused} | {above[0]} | {above[1]} "
        f"| {median:.2f} |"
    )
    print("\n| the largest ratios | deviation found | stated | problem |\n|---|---|---|---|")
    for ratio, off, stated, seed in ratios[:5]:
        print(f"| {ratio:.2f} | {off:.1e} | {stated:.1e} | {seed} |")


if __name__ == "__main__":
    main()
