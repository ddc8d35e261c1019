"""How the fused and the features-major objective grow: rows, features, width, depth, threads.

    python benchmarks/scaling.py                            one size at a time; some minutes
    python benchmarks/scaling.py --grid                     all features x widths x depths besides
    python benchmarks/scaling.py --write docs/benchmarks.md writes the tables into the docs
    python benchmarks/scaling.py --quick                    tiny, to see that it runs

One loss and gradient in float32 of a network on random numbers. The two objectives take turns, and
the least time of the repeats is shown, because what else a machine does only ever adds to it.
`chosen` is what `fastest` picks, and `price` its time as a multiple of the better one's:
it should stay below 1.1. Extra memory is the peak of the process (Linux) while an objective is made
and computes one gradient, less what it was before.
"""

from __future__ import annotations

import argparse
import gc
import re
from functools import partial
from pathlib import Path

import _common
import torch

from derivable import MSE, Network, ReLU, Tanh
from derivable.objective import FeaturesMajor, Fused, fastest
from derivable.problem import Problem

KINDS = (Fused, FeaturesMajor)
FEW_ROWS = 16_512
FEATURES, WIDTHS, DEPTHS = (4, 8, 16, 32, 64, 128), (4, 10, 16, 32, 64, 128, 256, 512), (1, 2, 3, 4)
ENOUGH = 0.3  # seconds of repeats, of which there are three at least
PRICE = 1.1


def problem(rows, features, width, depth, activation):
    """A network of `depth` hidden layers, all of one width, and a table."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, features, generator=generator)
    y = x[:, :1] - 0.5 * x[:, 1:2] ** 2
    network = Network.mlp(features, *[width] * depth, 1, activation=activation)
    return Problem(network, MSE, x, y)


def least_times(objectives, theta, enough):
    """The least seconds of a gradient by each objective; they take turns."""
    times = [[] for _ in objectives]
    for objective in objectives:
        objective.value_and_gradient(theta)  # warms up
    while len(times[0]) < 3 or sum(map(sum, times)) < enough * len(times):
        for objective, mine in zip(objectives, times, strict=True):
            mine.append(_common.seconds(partial(objective.value_and_gradient, theta))[0])
    return [min(mine) for mine in times]


def compare(given, enough):
    """Seconds of fused and features-major, the kind that is chosen, and its price."""
    theta = given.theta
    objectives = [kind(given) for kind in KINDS]
    values = [objective.value_and_gradient(theta)[0].item() for objective in objectives]
    assert abs(values[0] / values[1] - 1) < 1e-4, values
    times = least_times(objectives, theta, enough)
    chosen = fastest(given)
    return *times, chosen, times[KINDS.index(chosen)] / min(times)


class Sweep:
    """A table of comparisons, which remembers the prices."""

    def __init__(self, page, enough):
        self.page, self.enough = page, enough
        self.prices, self.found = [], []

    def head(self, what):
        """Begin a table."""
        self.page.say()
        self.page.head(what, "parameters", "fused", "features-major", "ratio", "chosen", "price")

    def run(self, name, rows, features, width, depth, activation=Tanh):
        """One row: microseconds of one gradient."""
        given = problem(rows, features, width, depth, activation)
        fused, major, chosen, price = compare(given, self.enough)
        parameters = given.theta.numel()
        self.prices.append((price, name))
        self.found.append((parameters, major / fused, name))
        shown = f"{price:.2f}" if price <= PRICE else f"**{price:.2f}**"
        self.page.row(
            name, f"{parameters:,}", f"{fused * 1e6:,.0f} us", f"{major * 1e6:,.0f} us",
            f"{major / fused:.2f}", chosen.name, shown,
        )  # fmt: skip

    def conclude(self):
        """Where the two meet, and the worst choice."""
        major = [parameters for parameters, ratio, _ in self.found if ratio < 1]
        fused = [parameters for parameters, ratio, _ in self.found if ratio > 1]
        _, ratio, slowest = min(self.found, key=lambda found: found[1])
        price, name = max(self.prices)
        dearer = sum(price > PRICE for price, _ in self.prices)
        self.page.say()
        self.page.say(
            f"Features-major is nowhere the faster below {min(major, default=0):,} parameters, and "
            f"fused nowhere above {max(fused, default=0):,}. "
            if major and fused
            else "One of the two is the faster everywhere. "
        )
        self.page.say(f"Fused takes at most {1 / ratio:.2f} times as long ({slowest}).")
        self.page.say(
            f"The worst choice costs {price:.2f} ({name}); {dearer} of {len(self.prices)} cost "
            f"more than {PRICE}."
        )


def by_rows(page, counts, enough):
    """Time of a gradient per row, and extra memory, from few rows to many."""
    page.head(
        "rows, tanh(10)", "fused, ns per row", "features-major, ns per row",
        "fused, extra MB", "of which its copy", "features-major, extra MB",
    )  # fmt: skip
    for kind in KINDS:
        started(kind, problem(300, 8, 10, 1, Tanh))  # loads what there is to load
    for rows in counts:
        needed = rows * 4 * (9 * 2 + 9 + 20)  # drawn and held, by the hungrier one
        if needed > 0.7 * available():
            page.row(f"{rows:,}", f"not run: it takes {needed / 1e9:.1f} GB", "", "", "", "")
            continue
        given = problem(rows, 8, 10, 1, Tanh)
        cells = []
        for kind in KINDS:
            extra, objective = peak(partial(started, kind, given))
            (least,) = least_times([objective], given.theta, enough)
            cells.append((f"{least / rows * 1e9:.2f}", "-" if extra is None else f"{extra:.0f}"))
            del objective
        copy = f"{rows * 9 * 4 / 1e6:.0f}"
        page.row(f"{rows:,}", cells[0][0], cells[1][0], cells[0][1], copy, cells[1][1])


def started(kind, given):
    """An objective that has computed a gradient."""
    objective = kind(given)
    objective.value_and_gradient(given.theta)
    return objective


def peak(work):
    """Megabytes of the process at its peak in `work`, less those before; None if unknown."""
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    except OSError:
        return None, work()
    before = _status("VmRSS")
    result = work()
    return (_status("VmHWM") - before) / 1e3, result


def available():
    """Bytes of memory that are free, where the system tells it."""
    try:
        found = re.search(r"MemAvailable:\s*(\d+)", Path("/proc/meminfo").read_text())
    except OSError:
        found = None
    return int(found[1]) * 1024 if found else float("inf")


def _status(name):
    return int(re.search(rf"{name}:\s*(\d+)", Path("/proc/self/status").read_text())[1]) * 1.024


def one_size_at_a_time(sweep, rows, features, widths, depths, most_threads):
    """Four tables: features, width, depth, threads."""
    sweep.head("features, tanh(10)")
    for count in features:
        sweep.run(f"{count} features", rows, count, 10, 1)
    for activation in (Tanh, ReLU):
        sweep.head(f"width, 8 features, {activation.__name__}")
        for width in widths:
            sweep.run(f"width {width}", rows, 8, width, 1, activation)
    sweep.head("depth, 8 features")
    for width in widths[1::2]:
        for depth in depths:
            sweep.run(f"depth {depth}, width {width}", rows, 8, width, depth)
    sweep.head("threads")
    threads = torch.get_num_threads()
    for count in range(1, most_threads + 1):
        torch.set_num_threads(count)
        for width in widths[1:6:2]:
            name = f"{count} thread{'s' * (count > 1)}, tanh({width})"
            sweep.run(name, rows, 8, width, 1)
    torch.set_num_threads(threads)


def grid(sweep, rows):
    """Every combination of features, width and depth; folded, where the page is shown."""
    sweep.page.say()
    sweep.page.say("<details><summary>Every combination of features, depth and width</summary>")
    sweep.head("every combination, tanh")
    for features in FEATURES:
        for width in WIDTHS:
            for depth in DEPTHS:
                name = f"{features} features, depth {depth}, width {width}"
                sweep.run(name, rows, features, width, depth)
    sweep.page.say()
    sweep.page.say("</details>")


def main():
    """Print the tables; write them where that is asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--grid", action="store_true", help="all combinations besides")
    parser.add_argument("--rows", type=int, default=FEW_ROWS, help="but for the table by rows")
    parser.add_argument("--write", type=Path, help="a Markdown file to write into")
    options = parser.parse_args()
    page, threads = _common.Page(), torch.get_num_threads()
    sweep = Sweep(page, 0.0 if options.quick else ENOUGH)
    with torch.no_grad():
        if options.quick:
            torch.set_num_threads(1)
            options.rows = 300
            by_rows(page, (300, 3000), 0.0)
            one_size_at_a_time(sweep, options.rows, (4,), (4, 10), (1, 2), 1)
        else:
            by_rows(page, (10_000, 100_000, 1_000_000, 10_000_000), ENOUGH)
            one_size_at_a_time(sweep, options.rows, FEATURES, WIDTHS, DEPTHS, threads)
        if options.grid:
            grid(sweep, options.rows)
    sweep.conclude()
    page.say()
    page.say(f"{options.rows:,} rows but for the first table, float32. {_common.machine()}")
    if options.write:
        page.write(options.write, "scaling")


if __name__ == "__main__":
    main()
