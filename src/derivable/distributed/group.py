"""`Group`: the processes that work on one table, over `torch.distributed`.

Messages are tensors of numbers on the CPU and text in UTF-8; nothing is pickled.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, Self

import torch
import torch.distributed as dist
from torch import Tensor

from derivable import errors
from derivable.distributed.messages import say
from derivable.errors import DerivableError, LostProcessError, SettingError
from derivable.tensors import from_bytes, to_bytes

NOTICED = 3.0  # seconds within which the operating system shows that a process has ended


class Group:
    """The processes of the current process group of PyTorch; this process alone without a group.

    Every process must call the same methods in the same order, as in `torch.distributed`. Raises
    LostProcessError where another process has ended.
    """

    def __init__(self) -> None:
        ready = dist.is_available() and dist.is_initialized()
        self.rank, self.size = (dist.get_rank(), dist.get_world_size()) if ready else (0, 1)
        self._interrupted = False
        self._processes: list[tuple[str, int]] = []  # machine and process number of each
        if self.size > 1:
            # Tables and sums are on the CPU, even where the default group is one for GPUs.
            own = dist.get_backend() == "gloo"
            # None is the default group. No reference to it is kept, because its threads end only
            # when it is destroyed, and threads that are left when Python exits abort the process.
            self._group: Any = None if own else dist.new_group(backend="gloo")
            processes = self.texts(f"{socket.gethostname()} {os.getpid()}")
            self._processes = [(one.split()[0], int(one.split()[1])) for one in processes]

    @classmethod
    def alone(cls) -> Self:
        """A group of this process alone, even where PyTorch has a process group."""
        group = cls.__new__(cls)
        group.rank, group.size, group._interrupted, group._processes = 0, 1, False, []
        return group

    def gather(self, mine: Tensor) -> Tensor:
        """The tensors of all processes, (size, ...), by rank; all have the same shape and dtype."""
        if self.size == 1:
            return mine[None]
        found = mine.new_empty(self.size, *mine.shape)
        with self._watched():
            dist.all_gather(list(found), mine.contiguous(), group=self._group)
        return found

    def contents(self, mine: bytes) -> list[bytes]:
        """The bytes that each process gives, by rank; their lengths may differ."""
        lengths = self.gather(torch.tensor(len(mine))).tolist()
        padded = torch.zeros(max(*lengths, 1), dtype=torch.uint8)
        if mine:
            padded[: len(mine)] = torch.frombuffer(bytearray(mine), dtype=torch.uint8)
        return [
            one[:length].numpy().tobytes()
            for one, length in zip(self.gather(padded), lengths, strict=True)
        ]

    def texts(self, mine: str) -> list[str]:
        """The texts that each process gives, by rank."""
        return [content.decode() for content in self.contents(mine.encode())]

    def concatenated(self, mine: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors (n, ...) of all processes by name, concatenated along n in order of rank."""
        each = [from_bytes(content)[0] for content in self.contents(to_bytes(mine, {}))]
        return {name: torch.cat([one[name] for one in each]) for name in mine}

    def of_first(self, content: bytes) -> bytes:
        """The bytes that process 0 gives, in every process; those of the others are not used."""
        return self.contents(content if self.rank == 0 else b"")[0]

    def exchange(self, sent: dict[int, Tensor], received: dict[int, Tensor]) -> None:
        """Send `sent[rank]` to each rank, and fill `received[rank]` with what that rank sends."""
        with self._watched():
            works = [dist.isend(one.contiguous(), to, self._group) for to, one in sent.items()]
            works += [dist.irecv(one, source, self._group) for source, one in received.items()]
            for work in filter(None, works):  # None only for who is not in the group
                work.wait()

    @contextmanager
    def agreed(self) -> Iterator[None]:
        """If the body raises a DerivableError in one process, every process raises it.

        The body must not call methods of the group, which wait for the other processes.
        """
        error: DerivableError | None = None
        try:
            yield
        except DerivableError as raised:
            error = raised
        if self.size == 1:
            if error:
                raise error
            return
        texts = self.texts(f"{_known_kind(error).__name__}\n{error}" if error else "")
        if error:
            raise error
        for rank, text in enumerate(texts):
            if text:
                name, _, message = text.partition("\n")
                text = say("of_process", rank=rank, size=self.size, message=message)
                raise _error_named(name)(text)

    def check_same(self, name: str, value: str, advice: str) -> None:
        """Raise SettingError in every process if `value` is not the same in all of them.

        `name` and `advice` are keys of messages.
        """
        values = self.texts(value)
        for rank, other in enumerate(values):
            if other != values[0]:
                gaps = {"name": say(name), "advice": say(advice), "size": self.size}
                gaps |= {"first": values[0], "rank": rank, "other": other}
                raise SettingError(say("not_the_same", **gaps))

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Inside, Ctrl-C or SIGTERM in any process interrupts all of them after the same step.

        The process that receives the signal records it, and sends it with its next sums.
        """
        if self.size == 1 or threading.current_thread() is not threading.main_thread():
            yield
            return

        def note(number: int, frame: Any) -> None:
            self._interrupted = True
            with suppress(KeyboardInterrupt):  # raised after the step, in all processes
                handler = before[signal.Signals(number)]
                if callable(handler):
                    handler(number, frame)

        before: dict[signal.Signals, Any] = {}
        try:
            for kind in (signal.SIGINT, signal.SIGTERM):
                before[kind] = signal.signal(kind, note)
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)

    def take_interruption(self) -> bool:
        """Whether this process received a signal since the last call of this method."""
        found, self._interrupted = self._interrupted, False
        return found

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Inside, an error of PyTorch's because a process has ended becomes LostProcessError."""
        try:
            yield
        except RuntimeError as error:
            end = time.monotonic() + NOTICED
            while self._lost() is None and time.monotonic() < end:
                time.sleep(0.05)
            raise self._error_of(self._lost()) from error

    def check_running(self) -> None:
        """Raise LostProcessError where another process of this machine has ended."""
        lost = self._lost()
        if lost is not None:
            raise self._error_of(lost)

    def _error_of(self, lost: int | None) -> LostProcessError:
        who = say("a_process_has")
        if lost is not None:
            who = say("process_has", rank=lost, size=self.size)
        return LostProcessError(say("lost", who=who), rank=lost)

    def _lost(self) -> int | None:
        """The lowest rank of a process of this machine that has ended; None if all run."""
        own = socket.gethostname()
        for rank, (machine, process) in enumerate(self._processes):
            if machine == own and not _is_running(process):
                return rank
        return None

    def wait_for_first(self, seconds: float) -> None:
        """Wait until process 0 has ended, if it runs on this machine, for at most `seconds`."""
        end = time.monotonic() + seconds
        machine, process = self._processes[0] if self._processes else ("", 0)
        here = self.rank > 0 and machine == socket.gethostname()
        while here and _is_running(process) and time.monotonic() < end:
            time.sleep(0.05)


def agreed(group: Group | None) -> AbstractContextManager[object]:
    """`group.agreed()`, or a context manager without effect where there is no group."""
    return nullcontext() if group is None else group.agreed()


def _known_kind(error: DerivableError) -> type:
    """The class of an error, or its first base class that is one of `derivable.errors`."""
    kinds = type(error).__mro__
    return next((k for k in kinds if getattr(errors, k.__name__, None) is k), DerivableError)


def _error_named(name: str) -> type[DerivableError]:
    """The class of `derivable.errors` with this name."""
    kind: type[DerivableError] = getattr(errors, name)
    return kind


def _is_running(process: int) -> bool:
    """Whether a process of this machine runs; a zombie, which has ended, does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:  # a system without /proc
        return True
