"""A command that torchrun has started in several processes, of which the first one reports."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import click

from derivable.errors import DerivableError, LostProcessError

if TYPE_CHECKING:
    from derivable.distributed import Group

LAUNCHED = ("TORCHELASTIC_RUN_ID", "WORLD_SIZE")  # what torchrun states in the environment
SECONDS = 5.0  # that the others wait for the first process, which reports an error


def silence_others() -> bool:
    """Turn off what all processes of torchrun but the first write; whether this is another one."""
    other = _is_launched() and os.environ.get("RANK") != "0"
    if other:
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (until the process ends)
    return other


def _is_launched() -> bool:
    return all(name in os.environ for name in LAUNCHED)


@contextmanager
def together() -> Iterator[Group | None]:
    """The group of the processes that torchrun has started; None without torchrun.

    An error that all of them raise is reported by the first one, and a process that has been lost
    by the first of the others. Signals interrupt once: torchrun repeats them.
    """
    if not _is_launched():
        yield None
        return
    import torch.distributed as dist

    from derivable.distributed import Group

    dist.init_process_group("gloo")
    group = Group()
    asked: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        if isinstance(sys.exception(), LostProcessError):  # reported now; torchrun ends all
            return
        if len(asked) == 1:
            group.check_running()  # torchrun ends all where one has ended
            raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    try:
        yield group
    except BaseException as error:
        if _is_reported_by(group.rank, error):
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        else:  # as soon as one process fails, torchrun ends all others
            group.wait_for_first(SECONDS)
        raise
    finally:
        dist.destroy_process_group()


def _is_reported_by(rank: int, error: BaseException) -> bool:
    """Whether the process of this rank reports an error; one that nobody expects, each does."""
    if isinstance(error, LostProcessError):
        return error.rank is None or rank == (0 if error.rank else 1)
    expected = (DerivableError, click.ClickException, click.exceptions.Exit, KeyboardInterrupt)
    return rank == 0 or not isinstance(error, expected)
