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
from derivable.descent.dealt import OnEnd, deal
from derivable.descent.driver import descend
from derivable.descent.messages import say
from derivable.descent.result import Descent
from derivable.device import CPU, device_of
from derivable.distributed import Group
from derivable.errors import SettingError
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
    on_end: OnEnd = lambda i, run: None,
    callbacks: Callable[[int], Sequence[Callback]] = lambda i: (),
    dealt: bool = False,
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

    `dealt` deals the networks out to the processes of the current group of `torch.distributed`,
    which all call this with the same networks, table and settings. Every process returns all
    results, the same in bits as those of one process. `on_block` is called where a descent runs,
    `on_end` in every process, for each round of descents after all of them.

    Raises what `descend` raises, and LostProcessError where another process has ended.
    """
    if not isinstance(networks, Sequence) or not all(isinstance(n, Network) for n in networks):
        raise SettingError(say("networks", kind=type(networks).__name__))

    def descend_one(i: int, on_block: Callback) -> Descent:
        start = starts[i] if starts else None
        own: list[Callback] = [*callbacks(i), on_block]
        return descend(networks[i], loss, x, y, start=start, on_block=own, **settings)

    at_once = not settings.get("shard") and _on_cpu(networks, settings.get("device"))
    many = _Many(descend_one, on_block, at_once=at_once)
    if dealt:
        run = partial(many.run, on_end=lambda i, run: None)
        results = deal(Group(), run, networks, settings.get("lr"), on_end)
    else:
        results = many.run(range(len(networks)), on_end)
    return [results[i] for i in sorted(results)]


def _on_cpu(networks: Sequence[Network], device: str | torch.device | None) -> bool:
    """Whether the networks descend on the CPU, whose threads descents can share."""
    if device is not None:
        return device_of(device) == CPU
    return all(parameter.is_cpu for network in networks for parameter in network.parameters())


class _Many:
    """Descents that run `at_once`, where that is possible, until one of them is interrupted."""

    def __init__(
        self,
        descend_one: Callable[[int, Callback], Descent],
        on_block: Callable[[int, State], None],
        *,
        at_once: bool,
    ) -> None:
        self._descend_one, self._on_block, self._at_once = descend_one, on_block, at_once
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._is_compiled = False

    def run(self, indices: Sequence[int], on_end: OnEnd) -> dict[int, Descent]:
        """The descents of some networks, but for those that did not begin before an interruption.

        The first one of all runs alone, as it compiles what there is to compile.
        """
        results: dict[int, Descent] = {}

        def run(i: int, shared: bool) -> None:
            if self._stop.is_set():
                return
            with alone() if shared else nullcontext():
                result = self._descend_one(i, partial(self._report, i))
            if result.interrupted:
                self._stop.set()
            with self._lock:
                results[i] = result
                with _setting(self._stop):  # before this thread begins the next descent
                    on_end(i, result)

        with suppress(KeyboardInterrupt):
            todo = list(indices)
            if todo and not self._is_compiled:
                run(todo.pop(0), shared=False)
                self._is_compiled = True
            workers = torch.get_num_threads() if self._at_once and may_share() else 1
            with ThreadPoolExecutor(workers) as pool:
                futures = [pool.submit(run, i, workers > 1) for i in todo]
                with _setting(self._stop):  # before the pool waits for those that run
                    for future in futures:
                        future.result()
        return results

    def _report(self, i: int, state: State) -> None:
        if self._stop.is_set():
            raise KeyboardInterrupt
        self._on_block(i, state)


@contextmanager
def _setting(event: threading.Event) -> Iterator[None]:
    """Set the event where what is inside raises."""
    try:
        yield
    except BaseException:
        event.set()
        raise
