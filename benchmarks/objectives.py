"""One exact step of gradient descent, by objective, as a ratio to the lab sheet's way.

    python benchmarks/objectives.py            the lab's sizes
    python benchmarks/objectives.py --quick    tiny, to see that it runs

Every objective does the same step on the same table (16,512 rows, 8 features, float32). They
take turns within each repeat, so that a machine that slows down slows all of them; the median
over the repeats is shown, and compile time is left out. The first column is the sheet's way:
Functions and Contexts, run eagerly by hand.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from derivable import MSE, Network, ReLU, Tanh
from derivable.objective import OBJECTIVES

NETWORKS = {
    "linear": lambda: Network.linear(8),
    "tanh(10)": lambda: Network.mlp(8, 10, 1, activation=Tanh),
    "relu(10)": lambda: Network.mlp(8, 10, 1, activation=ReLU),
}


def microseconds(objective, theta, steps):
    """Time of one step, after a few that warm up the caches."""
    for _ in range(3):
        objective.value_and_gradient(theta)
    start = time.perf_counter()
    for _ in range(steps):
        loss, gradient = objective.value_and_gradient(theta)
        theta -= 1e-4 * gradient
    return (time.perf_counter() - start) / steps * 1e6, loss.item()


def measure(network, rows, repeats, steps):
    """Median microseconds per objective; all must have reached the same loss."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, 8, generator=generator)
    y = x[:, :1] + 2
    objectives = {name: kind(network, MSE, x, y) for name, kind in OBJECTIVES.items()}
    times = {name: [] for name in objectives}
    for _ in range(repeats):
        losses = []
        for name, objective in objectives.items():
            spent, loss = microseconds(objective, network.theta, steps)
            times[name].append(spent)
            losses.append(loss)
        assert max(losses) - min(losses) < 1e-4 * max(losses), losses
    return {name: statistics.median(values) for name, values in times.items()}


def main():
    """Print a Markdown table of medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    quick = parser.parse_args().quick
    rows, repeats, steps = (300, 1, 3) if quick else (16_512, 9, 100)
    print("| one step | " + " | ".join(OBJECTIVES) + " |")
    print("|---|" + "---|" * len(OBJECTIVES))
    with torch.no_grad():
        for name, make in NETWORKS.items():
            medians = measure(make(), rows, repeats, steps)
            slowest = medians["by hand"]
            cells = (f"{us:.0f} us ({slowest / us:.1f}x)" for us in medians.values())
            print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
