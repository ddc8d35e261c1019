"""`Mailbox`: memory that the processes of one machine share, for what they exchange in every step.

A message of PyTorch's takes one to two milliseconds where all cores are busy, because the process
that waits sleeps and has to be woken up. Here it looks into the memory of the others until their
numbers are there.
"""

from __future__ import annotations

import mmap
import os
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from derivable.distributed.group import Group

CAPACITY = 2**15  # numbers of a message; longer ones go by PyTorch
LOOKED = 1_000  # times without a pause, about a tenth of a millisecond
CHECKED = 0.05  # seconds from one look at whether the others still run to the next
MEMORY = Path("/dev/shm")

Words = np.ndarray[Any, np.dtype[np.int64]]


class Mailbox:
    """Two places for a message of each process, which are used in turn.

    Message k lies in place k mod 2: whoever writes message k has all messages k - 1, which were
    written after messages k - 2 had been read. In front of a message are its number and a digest of
    both, written last. Processors may let others see what is written in another order; then the
    digest does not fit yet.
    """

    def __init__(self, group: Group, memory: mmap.mmap) -> None:
        self._group, self._sent = group, 0
        whole: Words = np.frombuffer(memory, np.int64)
        self._places = whole.reshape(2, group.size, 2 + CAPACITY)
        generator = np.random.default_rng(0)
        self._factors: Words = generator.integers(2**62, size=CAPACITY, dtype=np.int64) | 1

    @classmethod
    def of(cls, group: Group) -> Self | None:
        """That of a group whose processes share a machine and have a core each; else None.

        All processes call it, and all or none have one.
        """
        path, memory = "", None
        length = 16 * group.size * (2 + CAPACITY)
        fits = hasattr(os, "sched_yield") and (os.cpu_count() or 1) >= group.size
        if group.rank == 0 and fits:
            with suppress(OSError):
                path = _made(length)
        try:
            machine, first = socket.gethostname(), group.of_first(path.encode()).decode()
            same = len(set(group.texts(machine))) == 1
            if first and same and fits:
                with suppress(OSError, ValueError), open(first, "r+b") as file:
                    memory = mmap.mmap(file.fileno(), length)
            ready = group.gather(torch.tensor(memory is not None))
        finally:
            if path:
                os.unlink(path)
        return cls(group, memory) if memory is not None and bool(ready.all()) else None

    def gather(self, mine: Tensor) -> Tensor:
        """Those of all processes, (size, n), of vectors of float64 (n,).

        Raises LostProcessError where another process has ended.
        """
        words: Words = mine.numpy().view(np.int64)
        self._sent += 1
        places = self._places[self._sent % 2]
        own = places[self._group.rank]
        own[2 : 2 + len(words)] = words
        own[1] = self._digest(words)
        own[0] = self._sent
        found = np.empty((self._group.size, len(words)), np.int64)
        for rank, place in enumerate(places):
            self._receive(place, found[rank])
        return torch.from_numpy(found.view(np.float64))

    def _receive(self, place: Words, words: Words) -> None:
        """Wait for the message of one process, and copy it."""
        looked, checked = 0, time.monotonic()
        while True:
            if place[0] == self._sent:
                words[:] = place[2 : 2 + len(words)]
                if place[1] == self._digest(words):
                    return
            looked += 1
            if looked > LOOKED:
                os.sched_yield()
                if time.monotonic() > checked + CHECKED:
                    self._group.check_running()
                    checked = time.monotonic()

    def _digest(self, words: Words) -> int:
        return int((words * self._factors[: len(words)]).sum()) ^ self._sent


def _made(length: int) -> str:
    """A new file of so many zeros, in memory where the system has such a folder."""
    folder = MEMORY if MEMORY.is_dir() else None
    handle, path = tempfile.mkstemp(prefix="derivable-", dir=folder)
    try:
        with open(handle, "wb") as file:
            file.write(bytes(length))
    except OSError:
        os.unlink(path)
        raise
    return path
