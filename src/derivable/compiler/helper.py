"""`Helper`: a second process that compiles what this one will need.

It imports what compiling takes, then waits for its work on its standard input. So it can be started
before this process knows what there is to compile, while PyTorch is being imported here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress

from derivable.compiler.store import Store
from derivable.extras import is_installed

MODULE = "derivable.stepper.ahead"  # what it runs


class Helper:
    """The second process of this one, if any."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def start_if_cold(self) -> None:
        """Start it where nothing is compiled yet, as on a new machine."""
        if is_installed("numba") and not Store().folder.is_dir():
            self.start()

    def start(self) -> bool:
        """Start it, unless it runs; whether it does now. It does not on a single processor."""
        if self._process is None and (os.cpu_count() or 1) > 1 and Store().is_writable():
            with suppress(OSError):  # without it, this process compiles all
                self._process = subprocess.Popen(
                    [sys.executable, "-m", MODULE],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
                threading.Thread(target=self._process.wait, daemon=True).start()
        return self._process is not None

    def give(self, work: str) -> None:
        """Give it its work, after which it ends. Without any, it ends at once."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            with suppress(OSError):  # it has ended
                process.stdin.write(work)
                process.stdin.close()


helper = Helper()
