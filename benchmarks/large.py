"""Large tables: a million rows from a CSV, wide tables, and piecewise steps beside fused ones.

    python benchmarks/large.py                            some minutes, on a quiet machine
    python benchmarks/large.py --write docs/benchmarks.md writes the tables into the docs
    python benchmarks/large.py --quick                    tiny, to see that it runs

`seconds` is wall-clock time and `CPU` the time of all threads, which is more reliable where the
machine is busy with something else. Reading is compared with `polars.read_csv`, which takes every
cell for what it looks like. `piecewise / fused` is the time of so many exact steps by the stepper
that is chosen for ReLU, as a ratio to the fused loop in the same run, at the learning rate that
`choose_rate` finds, and at a hundredth of it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import _common
import numpy as np
import polars
import torch

from derivable import MSE, Network, ReLU, descend
from derivable.data import SPLITS, read_table
from derivable.descent import choose_rate
from derivable.problem import Problem

FEATURES = 10


def write_csv(file, rows, columns):
    """A table of numbers with four decimals."""
    generator = np.random.default_rng(0)
    x = generator.standard_normal((rows, columns))
    y = np.tanh(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] + 0.1 * generator.standard_normal(rows)
    table = {f"x{i}": x[:, i].round(4) for i in range(columns)}
    polars.DataFrame({**table, "y": y.round(4)}).write_csv(file)


def timed(work):
    """The seconds and CPU seconds of one call, with processes that it waits for."""
    begin, before = time.perf_counter(), os.times()
    result = work()
    after = os.times()
    return time.perf_counter() - begin, sum(after[:4]) - sum(before[:4]), result


def million(page, folder, rows, steps):
    """Each stage of a comparison of one model, and the whole command."""
    file = folder / "big.csv"
    write_csv(file, rows, FEATURES)
    page.say(f"| {rows:,} rows x {FEATURES} columns, tanh(10) | seconds | CPU | ratio to polars |")
    page.say("|---|---:|---:|---:|")
    *peer, _ = timed(lambda: polars.read_csv(file))
    peer[1] = max(peer[1], 0.01)  # the system counts processor time in hundredths of a second
    page.row("polars.read_csv", *peer, 1.0)
    *spent, table = timed(lambda: read_table(file, target="y"))
    page.row("reading, with the second look", *spent, spent[1] / peer[1])
    *spent, split = timed(lambda: SPLITS["sound"](table, 0))
    page.row("shuffling and scaling", *spent, spent[1] / peer[1])
    network = Network.mlp(FEATURES, 10, 1)
    problem = Problem(network, MSE, split.x_train, split.y_train)
    descend(
        network, MSE, split.x_train, split.y_train, lr=1e-9, steps=1, method="steps"
    )  # compiles
    *spent, rate = timed(lambda: choose_rate(problem))
    page.row("choosing a learning rate", *spent, spent[1] / peer[1])
    x, y = split.x_train, split.y_train
    *spent, _ = timed(lambda: descend(network, MSE, x, y, lr=rate.lr, steps=steps, method="steps"))
    page.row(f"{steps:,} exact steps", *spent, spent[1] / peer[1])
    words = f"compare {file} --target y --models tanh:10 --method steps --steps {steps} --quiet"
    command = [sys.executable, "-m", "derivable", *words.split(), "--out", str(folder / "run")]
    *spent, _ = timed(lambda: subprocess.run(command, check=True, capture_output=True))
    page.row("the whole command", *spent, spent[1] / peer[1])
    page.say()


def wide(page, folder, rows, widths):
    """Reading tables of many columns."""
    page.head(f"{rows} rows", "seconds", "CPU", "polars, CPU", "CPU for a column, ms")
    for columns in widths:
        file = folder / "wide.csv"
        write_csv(file, rows, columns)
        *peer, _ = timed(lambda file=file: polars.read_csv(file))
        *spent, _ = timed(lambda file=file: read_table(file, target="y"))
        page.row(f"{columns:,} columns", *spent, peer[1], 1000 * spent[1] / columns)
    page.say()


def piecewise(page, sizes, steps):
    """The stepper for ReLU beside the fused loop."""
    page.head(f"{steps:,} steps of relu", "lr", "piecewise / fused", "a hundredth of it")
    for rows, features, units in sizes:
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(rows, features, generator=generator)
        noise = 0.1 * torch.randn(rows, 1, generator=generator)
        y = torch.tanh(x[:, :1]) + 0.5 * x[:, 1:2] * x[:, 2:3] + noise
        network = Network.mlp(features, units, 1, activation=ReLU)
        lr, ratios = choose_rate(Problem(network, MSE, x, y)).lr, []
        for rate in (lr, lr / 100):
            spent = [
                descend(
                    network, MSE, x, y, lr=rate, steps=steps, method="steps", objective=way
                ).seconds
                for way in ("piecewise", "fused")
            ]
            ratios.append(spent[0] / spent[1])
        page.row(f"{rows:,} x {features}, {units} units", lr, *ratios)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny, to see that it runs")
    parser.add_argument("--write", metavar="FILE", help="write the tables into this document")
    asked = parser.parse_args()
    page = _common.Page()
    with tempfile.TemporaryDirectory() as folder:
        if asked.quick:
            million(page, Path(folder), 1000, 20)
            wide(page, Path(folder), 30, (10, 20))
            piecewise(page, ((1000, 3, 2),), 50)
        else:
            million(page, Path(folder), 1_000_000, 2000)
            wide(page, Path(folder), 300, (2000, 20_000))
            piecewise(
                page,
                ((1000, 8, 10), (20_000, 8, 10)),
                4000,
            )
    page.say()
    page.say(f"{_common.machine()} Load of the machine in the end: {os.getloadavg()[2]:.1f}.")
    if asked.write:
        page.write(asked.write, "large")


if __name__ == "__main__":
    main()
