"""`descend_many`: the same descent from many starts, so that a result is a distribution."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from typing import Any

import torch

from derivable.descent.callbacks import Callback, State
from derivable.descent.checkpoint import Checkpoint
from derivable.descent.driver import descend
from derivable.descent.result import Descent
from derivable.loss import AnyLoss
from derivable.network import Network
from derivable.objective.team import alone, may_share
from derivable.problem import Rows


def descend_many(
    networks: Sequence[Network],
    loss: AnyLoss | str,
    x: Rows,
    y: Rows,
    *,
    starts: Sequence[Checkpoint | None] = (),
    on_block: Callable[[int, State], None] = lambda i, state: None,
    on_end: Callable[[int, Descent], None] = lambda i, run: None,
    callbacks: Callable[[int], Sequence[Callback]] = lambda i: (),
    **settings: Any,
) -> list[Descent]:
    """One `descend` from each network, with the same `settings`; their results, in order.

    Where the compiled loops allow it, several run at the same time with one thread each, which
    is faster than one after the other with all threads; the results are the same in bits.
    `on_block(i, state)` is called between the blocks of the descent from network i, from several
    threads, and before it what `callbacks(i)` returns, such as an `EarlyStopping` of its own;
    `on_end(i, run)` is called after it, one at a time, in the order in which they end. `starts`
    are checkpoints to go on from, one for each network or None. An interruption (Ctrl-C) ends those
    that run and leaves out those that did not begin.

    Raises what `descend` raises.
    """
    if not networks:
        return []
    results: dict[int, Descent] = {}
    stop, lock = threading.Event(), threading.Lock()

    def report(i: int, state: State) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        on_block(i, state)

    def run(i: int, shared: bool) -> None:
        if stop.is_set():
            return
        start = starts[i] if starts else None
        told: list[Callback] = [*callbacks(i), partial(report, i)]
        with alone() if shared else nullcontext():
            result = descend(networks[i], loss, x, y, start=start, on_block=told, **settings)
        if result.interrupted:
            stop.set()
        with lock:
            results[i] = result
            with _setting(stop):  # before this thread begins the next descent
                on_end(i, result)

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


@contextmanager
def _setting(event: threading.Event) -> Iterator[None]:
    """Set the event where what is inside raises."""
    try:
        yield
    except BaseException:
        event.set()
        raise
