"""Ctrl-C and SIGTERM: once, finish the block and save; twice, stop now."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

from derivable.cli.codes import INTERRUPTED
from derivable.cli.messages import say

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class Interrupts:
    """What was asked for by a signal, and when it is done.

    While a descent calls `between` again and again, the first signal waits for its next call.
    Elsewhere nothing would be gained by that: it interrupts at once.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._asked = self._promised = False

    def between(self, *, ended: bool) -> None:
        """Between two blocks of steps, and where a descent has ended."""
        if threading.current_thread() is threading.main_thread():
            self._promised = not ended
        if self._asked:
            raise KeyboardInterrupt

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear signals inside, but for those that whoever started the process has turned off."""
        before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for name in NAMES:
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    before[number] = signal.signal(number, self._hear)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            self._stop_now()
        self._asked = True
        if not self._promised:
            raise KeyboardInterrupt
        click.echo(f"\n{say('stopping')}", err=True)

    def _stop_now(self) -> None:
        """Without waiting for compiled loops or other threads; files are whole at any moment."""
        message = say("stopped_now")
        if sys.stderr.isatty():
            click.echo("\x1b[?25h", err=True, nl=False)  # a progress bar has hidden the cursor
        click.echo(f"\nderivable: {message}", err=True)
        if self._as_json:
            click.echo(json.dumps({"error": message, "exit_code": INTERRUPTED}))
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(INTERRUPTED)
