"""How many threads a compiled pass runs on: all of them, or one where that is faster.

The threads wait for each other after every pass. On a machine that is busy with something else,
or for a small table, that costs more than it brings; and what else runs may change at any time.
The result is the same in bits with any number of threads (see `kernels.py`).
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar

import torch

from derivable.errors import SettingError
from derivable.objective.messages import say

SECONDS = 1.0  # between two trials
REPEATS = 3

_alone: ContextVar[bool] = ContextVar("alone", default=False)
_one_at_a_time = threading.RLock()
_process: list[int] = []  # where the first pass ran


@contextmanager
def alone() -> Iterator[None]:
    """Passes inside run on one thread, because other descents run on the others."""
    token = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(token)


def may_share() -> bool:
    """Whether compiled passes may run at the same time; not on Numba's simplest threads.

    To be asked after a pass has run. Without Numba, PyTorch's operations always may.
    """
    numba = sys.modules.get("numba")
    if numba is None:
        return True
    try:
        return bool(numba.threading_layer() != "workqueue")
    except ValueError:  # no pass has run
        return True


def threads_at_most() -> int:
    """How many threads a compiled pass can have in this process."""
    import numba

    return int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]


class Team:
    """The threads for one objective."""

    def __init__(self) -> None:
        self._next_trial = 0.0
        self._size = 0  # none chosen yet

    @contextmanager
    def mustered(self, work: Callable[[], object]) -> Iterator[None]:
        """For passes inside, the number of threads is set; now and then `work` is timed with both.

        Where passes may not run at the same time, those of other Python threads wait: Numba would
        end the process. Raises SettingError where it would do so because of a fork.
        """
        import numba

        asked = torch.get_num_threads()
        numba.get_num_threads()  # starts Numba's threads, at first; OpenMP then forgets PyTorch's
        _check_process()
        with nullcontext() if may_share() else _one_at_a_time:
            self._choose(asked, work)
            yield

    def _choose(self, asked: int, work: Callable[[], object]) -> None:
        import numba

        if torch.get_num_threads() != asked:
            torch.set_num_threads(asked)
        most = min(asked, threads_at_most())
        if most == 1 or _alone.get():
            numba.set_num_threads(1)
            return
        if time.monotonic() < self._next_trial:
            numba.set_num_threads(min(self._size, most))
            return
        seconds = {}
        for size in (most, 1):
            numba.set_num_threads(size)
            work()  # wakes the threads, which slept or have just been made
            seconds[size] = sum(_time(work) for _ in range(REPEATS))
        self._size = min(seconds, key=lambda size: seconds[size])
        numba.set_num_threads(self._size)
        self._next_trial = time.monotonic() + max(SECONDS, 50 * sum(seconds.values()))


def _check_process() -> None:
    """Refuse to go on in a process that was forked from one whose OpenMP threads had started."""
    if not _process:
        _process.append(os.getpid())
    openmp = sys.modules.get("numba.np.ufunc.omppool")
    if _process[0] != os.getpid() and openmp and openmp.openmp_vendor == "GNU":
        raise SettingError(say("forked"))


def _time(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
