"""`make_ready`: compiled code is got ready before it is timed, and a long wait is announced."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass

from derivable.compiler.jit import Compiled
from derivable.compiler.messages import say
from derivable.compiler.store import Store

LONG = 1.0  # about so many seconds of compiling are announced

_log = logging.getLogger("derivable")


@dataclass
class _Announcement:
    """The message about compiling: once in a process, when it is known how fast this machine is."""

    made: bool = False

    def make(self, seconds: float) -> None:
        """Say that compiling takes about so long."""
        if self.made or seconds < LONG:
            return
        self.made = True
        store = Store()
        how_often = say("once")
        if not store.is_writable():
            how_often = say("each_time", folder=store.folder)
        _log.warning("%s", say("compiling", seconds=seconds, how_often=how_often))


announcement = _Announcement()


def missing(routines: Iterable[Compiled]) -> list[Compiled]:
    """Those that have to be compiled, each once."""
    return [one for one in dict.fromkeys(routines) if not one.is_at_hand]


def make_ready(routines: Iterable[Compiled]) -> None:
    """Load all routines, or compile them where they are not on the disk.

    What another process is compiling is left to it until the rest is there. How long it takes is
    announced after the first routine, which shows how fast this machine is.
    """
    routines = list(dict.fromkeys(routines))
    to_compile = missing(routines)
    expected, scale = sum(one.seconds for one in to_compile), 0.0
    begin = time.monotonic()
    for routine in to_compile:
        if routine.load(wait=False) and not scale:
            scale = (time.monotonic() - begin) / routine.seconds
            announcement.make(scale * expected)
    for routine in routines:
        routine.load()
