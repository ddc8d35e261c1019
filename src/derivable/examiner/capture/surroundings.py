"""The environment of a program: no input, no windows; global state is restored afterwards."""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import itertools
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from derivable.examiner.capture.locations import DERIVABLE
from derivable.examiner.messages import error_of

ANSWERS = 100  # empty answers to input(), before it raises EOFError


class TimeUpError(BaseException):
    """The time limit is reached. No subclass of Exception, which programs catch."""


@contextlib.contextmanager
def surroundings(folder: Path, arguments: Sequence[str]) -> Iterator[None]:
    """As if Python had been started on a file in `folder` with `arguments`.

    Figures are drawn in memory, `input()` gets empty answers, and `os._exit` is an ordinary exit.
    Working directory, sys.path, environment, signal handlers, PyTorch's defaults: restored.
    """
    with contextlib.ExitStack() as stack:
        stack.callback(os.chdir, Path.cwd())
        for name, value in (("argv", list(arguments)), ("path", [str(folder), *sys.path])):
            stack.callback(setattr, sys, name, getattr(sys, name))
            setattr(sys, name, value)
        stack.enter_context(_environment(MPLBACKEND="Agg"))
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", message=".*FigureCanvasAgg is non-interactive.*")
        stack.enter_context(_replaced(builtins, "input", _no_answers()))
        stack.enter_context(_replaced(os, "_exit", _leaver()))
        stack.enter_context(_torch_settings())
        stack.enter_context(_signal_handlers())
        _draw_in_memory()
        stack.callback(_close_figures)
        yield


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeUpError inside after so many seconds, repeatedly until it ends the code.

    In the main thread of a Unix system by SIGALRM, which also ends a sleep; elsewhere between two
    steps of the interpreter.
    """
    main = threading.current_thread() is threading.main_thread()
    if main and hasattr(signal, "setitimer"):
        rings, trace = itertools.count(), sys.gettrace()

        def ring(number: int, frame: FrameType | None) -> None:
            if next(rings):
                raise_again(frame, TimeUpError)
            raise TimeUpError

        before = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3), 0.5)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            sys.settrace(trace)
        return
    ended = threading.Event()
    thread = threading.get_ident()

    def interrupt() -> None:
        wait = seconds
        while not ended.wait(wait):
            raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
            raise_in(ctypes.c_ulong(thread), ctypes.py_object(TimeUpError))
            wait = 0.5

    threading.Thread(target=interrupt, daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def raise_again(frame: FrameType | None, error: type[BaseException]) -> None:
    """Raise `error` again in the next line, in case a bare `except:` has caught it.

    It holds until a `time_limit` around it ends.
    """

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            raise error
        return trace

    sys.settrace(lambda frame, event, argument: None)
    while frame is not None:
        if not frame.f_code.co_filename.startswith(DERIVABLE):
            frame.f_trace = trace
        frame = frame.f_back


@contextlib.contextmanager
def output_to_stderr() -> Iterator[None]:
    """Inside, output goes to stderr, also that of subprocesses."""
    sys.stdout.flush()
    try:
        kept = os.dup(1) if sys.stdout.fileno() == 1 else None
    except (OSError, ValueError, AttributeError):  # stdout is no file, as in a test
        kept = None
    with contextlib.redirect_stdout(sys.stderr):
        if kept is not None:
            os.dup2(2, 1)
        try:
            yield
        finally:
            sys.stderr.flush()
            if kept is not None:
                os.dup2(kept, 1)
                os.close(kept)


@contextlib.contextmanager
def _environment(**names: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(names)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def _no_answers() -> Any:
    """An `input` that answers with nothing, and raises EOFError once it is asked too often."""
    left = iter(range(ANSWERS))

    def answer(prompt: object = "") -> str:
        print(prompt)
        if next(left, None) is None:
            raise error_of(EOFError, "error.input_called")
        return ""

    return answer


def _leaver() -> Any:
    """An `os._exit` that ends this program only; in a child process it is the real one."""
    here, real = os.getpid(), os._exit

    def leave(status: int) -> None:
        if os.getpid() != here:
            real(status)
        raise SystemExit(status)

    return leave


@contextlib.contextmanager
def _torch_settings() -> Iterator[None]:
    dtype, grad = torch.get_default_dtype(), torch.is_grad_enabled()
    anomaly = torch.is_anomaly_enabled()
    try:
        yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)
        torch.set_anomaly_enabled(anomaly)


@contextlib.contextmanager
def _signal_handlers() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            if handler is not None:
                signal.signal(one, handler)


def _draw_in_memory() -> None:
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].use("Agg", force=True)


def _close_figures() -> None:
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
