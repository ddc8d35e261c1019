"""`attempt`: runs one worker process on one copy, and ends it if it exceeds a limit.

The copy is in a temporary folder, which is also its home. Its environment has what Python needs
and nothing else of the marker's. It is ended when a statement takes longer than it may, and on
Linux when its processes use too much memory or disk together or are too many. It ends itself, with
the processes of its group, when the grading is killed. What is not protected is stated in `guard`
and `processes`.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import derivable
from derivable.data.california import cache_folder
from derivable.labs.feedback import Feedback
from derivable.labs.grading import processes
from derivable.labs.grading.caches import COMPILED, FONTS
from derivable.labs.grading.incidents import Incident
from derivable.labs.grading.job import Job, Statement, feedback_of_json
from derivable.labs.grading.limits import MB

GRACE = 3.0  # seconds after which a worker that has not kept to a limit is ended
START = 120.0  # seconds for the imports, on a busy machine
POLL, WATCH = 0.1, 0.25  # seconds
PATIENCE = 2.0  # seconds to wait until no process holds the pipe open
OURS = 512 * MB  # of memory that PyTorch and the sheet may use
MOST_REPORTS = 16 << 20  # bytes of one attempt
MOST_INCIDENTS = 500  # of one attempt that are kept
FOLDER_EVERY = 4  # checks of the processes per check of the folder


@dataclass
class Attempt:
    """What one worker process reported, and how it ended.

    done       whether it came to its end
    statement  in which it was when it ended, or None; `place` is its cell and line
    question   that it was checking then; empty where it was not
    reason     why it ended: a key of `words.REASONS`, and a number where that has one
    broken     the traceback of an error of the worker itself
    stray      processes that were left behind
    """

    incidents: list[Incident] = field(default_factory=list)
    feedback: dict[str, Feedback] = field(default_factory=dict)
    done: bool = False
    ready: bool = False
    statement: Statement | None = None
    place: tuple[int, int] = (0, 0)
    question: str = ""
    reason: tuple[str, int] = ("exit", 0)
    broken: str = ""
    stray: int = 0
    deadline: float = 0.0

    def take(self, line: bytes) -> None:
        """One message; a line that is none is ignored."""
        with suppress(Exception):  # a copy can write into the pipe as well, and that is anything
            self._take(json.loads(line))

    def _take(self, message: dict[str, Any]) -> None:
        if "incident" in message:
            if len(self.incidents) < MOST_INCIDENTS:
                self.incidents.append(Incident.of_json(message["incident"]))
        elif "feedback" in message:
            feedback = feedback_of_json(message["feedback"])
            self.feedback[feedback.question] = feedback
            self.question = ""
        elif "begin" in message:
            block, statement = message["begin"]
            self.place = (int(message["at"][0]), int(message["at"][1]))
            self.statement, self.question = (int(block), int(statement)), ""
            self._allow(message["allow"])
        elif "question" in message:
            self.statement, self.question = None, str(message["question"])
            self._allow(message["allow"])
        elif "ready" in message:
            self.ready = True
        elif "done" in message:
            self.done = True
        elif "broken" in message:
            self.broken = str(message["broken"])

    def _allow(self, seconds: float) -> None:
        self.deadline = time.monotonic() + min(600.0, float(seconds)) + GRACE


class Interrupted(Exception):  # noqa: N818 (it is no error: somebody asked for it)
    """The grading was stopped; the worker has been ended."""


def attempt(job: Job, root: Path, folder: Path, stop: threading.Event) -> Attempt:
    """Run the job once.

    root    the temporary folder of the copy
    folder  below it, where the copy is: the working directory
    stop    ends the worker when it is set; then Interrupted is raised
    """
    mark = secrets.token_hex(8)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "derivable.labs.grading.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=environment(root, mark),
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    lines = _Lines(process.stdout)
    made = Attempt(deadline=time.monotonic() + START)
    try:
        with suppress(
            OSError
        ):  # it stays open: its end signals the worker that the grading has ended
            process.stdin.write(json.dumps(job.to_json()).encode() + b"\n")
            process.stdin.flush()
        ended = _follow(process, lines, made, _Watch(job, root, mark), stop)
    finally:
        made.stray = processes.end_all(mark, process.pid)
        process.kill()
        process.wait()
        with suppress(OSError):
            process.stdin.close()
        lines.close()
    if not ended and not made.done:
        made.reason = _status(process.returncode)
    return made


def _follow(
    process: subprocess.Popen[bytes],
    lines: _Lines,
    made: Attempt,
    watch: _Watch,
    stop: threading.Event,
) -> bool:
    """Take reports until the process ends; whether it was ended from here."""
    size = 0
    while (line := lines.next()) is not None:
        size += len(line)
        if line:
            made.take(line)
        if stop.is_set():
            raise Interrupted
        reason = "reports" if size > MOST_REPORTS else watch.over(made)
        if reason and not made.done:
            made.reason = (reason, 0)
            return True
        if not line and process.poll() is not None:  # others may hold the pipe open
            return False
    return False


class _Watch:
    """Looks now and then at what the processes of a copy use."""

    def __init__(self, job: Job, root: Path, mark: str) -> None:
        self.limits, self.root, self.mark = job.limits, root, mark
        self.next = time.monotonic() + WATCH
        self.polls = 0

    def over(self, made: Attempt) -> str:
        """The reason to end it; empty while there is none."""
        now = time.monotonic()
        if now > made.deadline:
            return "time"
        if now < self.next or not made.ready:
            return ""
        self.next, self.polls = now + WATCH, self.polls + 1
        found = processes.marked(self.mark)
        if len(found) > self.limits.processes + 2:
            return "processes"
        if processes.memory_of(found) > OURS + 2 * self.limits.memory:
            return "memory"
        check_folder = self.polls % FOLDER_EVERY == 0
        return (
            "folder"
            if check_folder and processes.folder_size(self.root) > self.limits.folder
            else ""
        )


class _Lines:
    """The lines of a pipe, read by a thread of their own."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def next(self) -> bytes | None:
        """The next line; empty where there is none yet, and None at the end."""
        try:
            return self._lines.get(timeout=POLL)
        except queue.Empty:
            return b""

    def close(self) -> None:
        """Close the pipe, unless a process that was left behind still holds it open."""
        self._thread.join(PATIENCE)
        if not self._thread.is_alive():
            self._stream.close()

    def _read(self) -> None:
        size = 0
        with suppress(OSError, ValueError):
            while size <= 2 * MOST_REPORTS and (line := self._stream.readline(MOST_REPORTS)):
                size += len(line)
                self._lines.put(line)
        self._lines.put(None)


def environment(root: Path, mark: str) -> dict[str, str]:
    """All that the worker and the copy find in their environment."""
    fixed = {
        "HOME": str(root),
        "USERPROFILE": str(root),
        "TMPDIR": str(root),
        "TMP": str(root),
        "LANG": "C.UTF-8",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": str(root / FONTS),
        "NUMBA_CACHE_DIR": str(root / COMPILED),
        "PYTHONPATH": str(Path(derivable.__file__).parents[1]),
        "PYTHONSAFEPATH": "1",
        "PYTHONUTF8": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        processes.MARK: mark,
    }
    for name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH"):
        if name in os.environ:
            fixed[name] = os.environ[name]
    data = cache_folder()
    if data.is_dir():
        fixed["SCIKIT_LEARN_DATA"] = str(data.resolve())
    return fixed


def _status(code: int | None) -> tuple[str, int]:
    return ("signal", -code) if code is not None and code < 0 else ("exit", code or 0)
