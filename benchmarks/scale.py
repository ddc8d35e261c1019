"""One table in several processes, and tables larger than memory: time, messages, memory.

    python benchmarks/scale.py [--quick] [--write FILE]

The network is the lab's tanh(10) on 8 features in float32. Processes are started as torchrun does,
on this machine; each has one thread but where stated. Where there is a core for each, sums go
through memory that they share, else over gloo and the loopback device. `waiting` is the part of a
step in which a process waits for the sums of the others. `by all-reduce` is a step
in which PyTorch's plain all-reduce of one gradient takes the place of these sums; its bits depend
on the number of processes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import _common
import numpy as np
import torch
import torch.distributed as dist

from derivable import MSE, Network, descend
from derivable.distributed import Group
from derivable.distributed.mailbox import Mailbox
from derivable.system import PROCESS, sizes

FEATURES = 8
MACHINES = (8, 64, 1000)
LATENCY, BYTES_PER_SECOND = 50e-6, 1.25e9  # of the model: one message, a network of 10 Gbit/s


def main():
    """Run as the one who measures, or as one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rows and steps")
    parser.add_argument("--write", metavar="FILE", help="put the tables into this Markdown file")
    parser.add_argument("--worker", metavar="JSON", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        WORKERS[json.loads(options.worker)["what"]](**json.loads(options.worker))
        return
    page = _common.Page()
    rows, steps = (20_000, 5) if options.quick else (1_000_000, 200)
    _processes(page, rows, steps)
    page.say()
    _memory(page, 200_000 if options.quick else 100_000_000)
    page.say()
    page.say(
        "The limit is one of private memory beyond what the process has when it begins. Pages of "
        "files do not count: the system takes them back where it needs memory."
    )
    page.say()
    page.say(_common.machine())
    if options.write:
        page.write(options.write, "scale")


def _processes(page, rows, steps):
    """Time per step of 1, 2 and 4 processes, and the model for more."""
    page.head(
        "processes x threads", "ms per step", "bytes sent per step", "waiting", "by all-reduce, ms"
    )
    found = {}
    for size, threads in ((1, 1), (1, 2), (2, 1), (4, 1)):
        told = _group(size, what="steps", rows=rows, steps=steps, threads=threads)
        found[size, threads] = told
        page.row(
            f"{size} x {threads}", 1e3 * told["step"], f"{told['bytes']:,}",
            f"{100 * told['share']:.1f}%", 1e3 * told["by_all_reduce"],
        )  # fmt: skip
    page.say()
    ratio = found[2, 1]["step"] / found[1, 2]["step"]
    page.say(
        f"{rows:,} rows, medians of {steps} steps. Two processes of one thread take {ratio:.2f} "
        "times as long per step as one process of two threads. Losses and parameters of all are "
        f"the same in bits: {len({one['bits'] for one in found.values()}) == 1}."
    )
    page.say()
    alone, message = found[1, 1]["step"], found[2, 1]["bytes"]
    page.head("machines, of one thread each", "rows", "model: ms per step", "of it messages")
    for machines in MACHINES:
        # a ring passes on everybody's sums: as many messages as machines, and all the bytes
        sent = (machines - 1) * (LATENCY + message / machines / BYTES_PER_SECOND)
        step = alone + sent
        page.row(machines, f"{rows * machines:,}", 1e3 * step, f"{100 * sent / step:.0f}%")
    page.say()
    page.say(
        f"A model and no measurement: each machine has {rows:,} rows and takes the measured time "
        f"of one process; a message takes {1e6 * LATENCY:.0f} µs and a byte {1e9 / 1.25e9:.1f} ns."
    )


def _memory(page, rows):
    """Spectral and exact steps on a table in a file."""
    page.head("in one process, from a file", "rows", "table, GB", "seconds", "limit, GB")
    with tempfile.TemporaryDirectory() as folder:
        _write_table(Path(folder), rows)
        for what, limit in (("spectral", 10**9), ("exact", max(rows * (FEATURES + 1), 30_000_000))):
            told = _group(1, what=what, rows=rows, folder=folder, limit=limit)
            size = 4 * rows * (FEATURES + 1) / 1e9
            page.row(told["name"], f"{rows:,}", size, told["seconds"], told["limit"])


def _write_table(folder, rows):
    """X (N, 8) and y (N, 1) in float32, part by part."""
    x = np.memmap(folder / "x", np.float32, "w+", shape=(rows, FEATURES))
    y = np.memmap(folder / "y", np.float32, "w+", shape=(rows, 1))
    draw, part = np.random.default_rng(0), 1_000_000
    for first in range(0, rows, part):
        own = x[first : first + part]
        own[:] = draw.standard_normal(own.shape, np.float32)
        y[first : first + part, 0] = own @ np.arange(1, 9, dtype=np.float32) / 10 + own[:, 0] ** 2


def _group(size, *, threads=1, **asked):
    """What process 0 of a group tells."""
    with tempfile.TemporaryDirectory() as folder:
        group = [
            subprocess.Popen(
                [sys.executable, __file__, "--worker", json.dumps(asked | {"threads": threads})],
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ
                | {"RANK": str(rank), "WORLD_SIZE": str(size), "MEETING": f"file://{folder}/at"}
                | {"NUMBA_NUM_THREADS": str(threads)},
            )
            for rank in range(size)
        ]
        answers = [process.communicate()[0] for process in group]
    if any(process.returncode for process in group):
        raise SystemExit("a process has failed")
    return json.loads(answers[0].splitlines()[-1])


def _join():
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if size > 1:
        meeting = os.environ["MEETING"]
        dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=size)
    return rank, size


def _steps(*, rows, steps, threads, **_):
    """One process of a group: exact steps on its rows."""
    torch.set_num_threads(threads)
    rank, size = _join()
    waited, sent = [0.0], [0]
    gather = Group.gather

    def timed(gather):
        def gathered(self, mine):
            start = time.perf_counter()
            found = gather(self, mine)
            waited[0] += time.perf_counter() - start
            if size > 1:  # the longest message is that of the sums
                sent[0] = max(sent[0], mine.numel() * mine.element_size())
            return found

        return gathered

    first, end = (rows * one // size for one in (rank, rank + 1))
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(rows, FEATURES, generator=draw)
    y = torch.sin(x[:, :1]) + x[:, 1:2]
    network = Network.mlp(FEATURES, 10, 1)
    shared = {"lr": 1e-3, "method": "steps", "shard": True}
    descend(network, MSE, x[first:end], y[first:end], steps=3, **shared)
    Group.gather, Mailbox.gather = timed(Group.gather), timed(Mailbox.gather)

    waited[0] = 0.0
    begin = time.perf_counter()
    run = descend(network, MSE, x[first:end], y[first:end], steps=steps, **shared)
    total = time.perf_counter() - begin
    bits, plain = run.losses.numpy().tobytes().hex()[-32:], run.seconds
    if size > 1:
        width = run.network.theta.numel() + 1
        Group.gather = lambda group, mine: _all_reduced(gather, width, group, mine)
        Mailbox.of = lambda group: None  # all messages by PyTorch
        plain = descend(network, MSE, x[first:end], y[first:end], steps=steps, **shared).seconds
        dist.destroy_process_group()
    facts = {"step": run.seconds / steps, "share": waited[0] / total, "bytes": sent[0]}
    print(json.dumps(facts | {"by_all_reduce": plain / steps, "bits": bits}))


def _all_reduced(gather, width, group, mine):
    """In place of the sums of all tasks: one sum by PyTorch, in the first task of each process."""
    if mine.numel() < width or mine.dtype != torch.float64:
        return gather(group, mine)  # not the sums of a step
    first = mine[:width].clone()
    dist.all_reduce(first)
    found = torch.zeros(group.size, mine.numel(), dtype=mine.dtype)
    found[0, :width] = first
    return found


def _from_file(*, what, rows, folder, limit, **_):
    """One process: a descent on a table in a file, under a limit of private memory."""
    torch.set_num_threads(2)
    x = np.memmap(Path(folder) / "x", np.float32, "r", shape=(rows, FEATURES))
    y = np.memmap(Path(folder) / "y", np.float32, "r", shape=(rows, 1))
    if what == "exact":
        network, method, steps = Network.mlp(FEATURES, 10, 1), "steps", 2
        name = f"{steps} exact steps of tanh(10)"
    else:
        network, method, steps = Network.mlp(FEATURES, 1), "spectral", 80_000
        name = "80,000 steps of a linear model, spectral"
    descend(network, MSE, x[:5000], y[:5000], steps=1, lr=1e-3, method=method)  # compiles
    used = sizes(PROCESS)["VmData"]
    resource.setrlimit(resource.RLIMIT_DATA, (used + limit, used + limit))
    begin = time.perf_counter()
    descend(network, MSE, x, y, steps=steps, lr=1e-3, method=method)
    facts = {"name": name, "seconds": time.perf_counter() - begin}
    print(json.dumps(facts | {"limit": limit / 1e9}))


WORKERS = {"steps": _steps, "spectral": _from_file, "exact": _from_file}

if __name__ == "__main__":
    main()
