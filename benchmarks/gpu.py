"""Exact steps on a CUDA device: recorded as a graph, one by one, and on this machine's CPU.

    python benchmarks/gpu.py [--quick]

Networks of tanh units descend on the same random table from the same parameters. `recorded` is
what `descend(..., device="cuda")` runs; `one by one` the same gradient without a graph; `torch`
PyTorch's own modules, autograd and SGD on the device. Each is a median over turns. Without a CUDA
device the table has the CPU's column alone.
"""

from __future__ import annotations

import argparse
import statistics
import time

import _common
import torch
from torch import nn

from derivable import MSE, Network, descend

TURNS = 5


def main():
    """Time each way in turns, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small network and few steps")
    options = parser.parse_args()
    page = _common.Page()
    sizes = [(1_000, 8, 10)] if options.quick else SIZES
    steps = 50 if options.quick else 1_000
    ways = WAYS if torch.cuda.is_available() else {"CPU": WAYS["CPU"]}
    page.head("rows x features, units", "dtype", *(f"{name}, us" for name in ways))
    for rows, features, units in sizes:
        for dtype in (torch.float32, torch.float64):
            draw = torch.Generator().manual_seed(0)
            x = torch.randn(rows, features, generator=draw).to(dtype)
            y = torch.sin(x[:, :1])
            found = {name: [] for name in ways}
            for _ in range(1 if options.quick else TURNS):
                for name, way in ways.items():
                    found[name].append(way(x, y, units, steps))
            cells = [1e6 * statistics.median(times) / steps for times in found.values()]
            kind = str(dtype).removeprefix("torch.")
            page.row(f"{rows:,} x {features}, {units}", kind, *cells)
    page.say()
    there = torch.cuda.get_device_name() if torch.cuda.is_available() else "no CUDA device"
    page.say(f"{there}. {_common.machine()}")


def _descended(x, y, units, steps, **where):
    network = Network.mlp(x.size(1), units, 1, dtype=x.dtype)
    return descend(network, MSE, x, y, lr=1e-3, steps=steps, method="steps", **where).seconds


def _torch(x, y, units, steps):
    """PyTorch as people write it."""
    model = nn.Sequential(nn.Linear(x.size(1), units), nn.Tanh(), nn.Linear(units, 1))
    model, x, y = model.to("cuda", x.dtype), x.cuda(), y.cuda()
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-3)
    for _ in range(3):
        _step(model, x, y, optimiser)
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        _step(model, x, y, optimiser)
    torch.cuda.synchronize()
    return time.perf_counter() - start


def _step(model, x, y, optimiser):
    loss = nn.functional.mse_loss(model(x), y)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


SIZES = [(16_512, 8, 10), (16_512, 8, 256), (1_000_000, 8, 10), (1_000_000, 64, 256)]
WAYS = {
    "recorded": lambda *given: _descended(*given, device="cuda"),
    "one by one": lambda *given: _descended(*given, device="cuda", objective="features-major"),
    "torch": _torch,
    "CPU": _descended,
}

if __name__ == "__main__":
    main()
