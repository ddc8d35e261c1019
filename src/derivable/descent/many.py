"""`descend_many`: the same descent from many starts, so that a result is a distribution."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any

import torch
from torch import Tensor

from derivable.descent.driver import descend
from derivable.descent.path import Checkpoint, Progress
from derivable.descent.result import Descent
from derivable.function import Function
from derivable.network import Network
from derivable.objective.team import alone, may_share


def descend_many(
    networks: Sequence[Network],
    loss: type[Function],
    x: Tensor,
    y: Tensor,
    *,
    progress: Callable[[int, Descent], None] = lambda done, run: None,
    look: Progress = lambda step, loss: None,
    starts: Sequence[Checkpoint | None] = (),
    keep: Callable[[int, Checkpoint | Descent], None] = lambda i, found: None,
    **settings: Any,
) -> list[Descent]:
    """One `descend` from each network, with the same `settings`; their results, in order.

    Where the compiled loops allow it, several run at the same time with one thread each, which
    is faster than one after the other with all threads; the results are the same in bits.
    `progress(done, run)` is called after each, in the order in which they end; `look(step, loss)`
    between the blocks of each. An interruption (Ctrl-C) ends those that run and leaves out those
    that did not begin. `starts` are checkpoints to go on from, one for each network or None.
    `keep(i, found)` is called with each checkpoint of the descent from network i, and with its
    end.

    Raises what `descend` raises.
    """
    if not networks:
        return []
    results: dict[int, Descent] = {}
    stop, lock = threading.Event(), threading.Lock()

    def watched(step: int, value: float) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        look(step, value)

    def run(i: int, shared: bool) -> None:
        if stop.is_set():
            return
        own: dict[str, Any] = {"start": starts[i] if starts else None, "keep": partial(keep, i)}
        with alone() if shared else nullcontext():
            result = descend(networks[i], loss, x, y, progress=watched, **own, **settings)
        keep(i, result)
        if result.interrupted:
            stop.set()
        with lock:
            results[i] = result
            progress(len(results), result)

    with suppress(KeyboardInterrupt):
        run(0, shared=False)  # compiles what there is to compile
        workers = torch.get_num_threads() if may_share() else 1
        with ThreadPoolExecutor(workers) as pool:
            futures = [pool.submit(run, i, workers > 1) for i in range(1, len(networks))]
            try:
                for future in futures:
                    future.result()
            finally:
                stop.set()
    return [results[i] for i in sorted(results)]
