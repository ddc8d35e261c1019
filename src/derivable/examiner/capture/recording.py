"""`Recording`: a context manager that keeps a few calls of every Function that runs inside."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType
from typing import Any, Self

import torch

from derivable.examiner.capture import by_hand, hooks
from derivable.examiner.capture.calls import TOTAL, WHOLE, Call, Calls, copied
from derivable.examiner.capture.closures import shared_tensors
from derivable.examiner.capture.locations import (
    CAPTURE,
    DERIVABLE,
    EXAMINER,
    INSTALLED,
    TORCH,
    Location,
    is_below,
    location_of,
)
from derivable.examiner.capture.surroundings import raise_again
from derivable.function.call_record import CallRecord

LONG_LOOP = 200  # calls of one kind by one Function, from which a loop is long


class LongLoopError(BaseException):
    """Raised in the first long loop of a program of which only the setup is run.

    No subclass of Exception, so that an `except Exception` in the loop does not catch it.
    """


class Recording:
    """Records calls of Functions, of operators with a backward, and of classes run by hand.

    lenient     a gradcheck that fails returns False instead of raising
    setup_only  raise LongLoopError in the call that shows that a loop is long

    `calls` has the recorded calls by the identity of the target. Calls by the examiner itself are
    not recorded, except the first one of a target, whose inputs are those of the user.
    """

    def __init__(self, *, lenient: bool = False, setup_only: bool = False) -> None:
        self.lenient, self.setup_only = lenient, setup_only
        self.test = ""  # the id of the test that runs
        self.calls: dict[int, Calls] = {}
        self._unwatch: list[Callable[[], None]] = []
        self._watched: set[type] = set()
        self.failed_checks = 0  # gradchecks that returned False instead of raising
        self._checks = 0  # those that are running
        self._local = threading.local()

    def __enter__(self) -> Self:
        for created in list(_classes_of_the_user()):
            self.defined(created)
        hooks.add(self)
        return self

    def __exit__(self, *error: object) -> None:
        hooks.remove(self)
        while self._unwatch:
            self._unwatch.pop()()
        self._watched.clear()

    def applied(self, function: type, inputs: tuple[Any, ...], options: dict[str, Any]) -> None:
        """A call of `.apply`, or of an operator that goes through one."""
        if torch.compiler.is_compiling() or (inputs and type(inputs[0]) is CallRecord):
            return
        module = function.__module__
        target: Any = function
        if module == "torch._library.autograd":
            *most, last = inputs
            target, inputs = _operator(function), tuple(most)
            options = dict(getattr(last, "keyword_only_args", {}))
        elif module.partition(".")[0] == "torch":
            return
        if target is not None:
            self._note(target, inputs, options, None)

    def defined(self, created: type) -> None:
        """A class was defined; its forward is watched if it may be called by hand."""
        own = vars(created).get("forward") is not None
        if own and created not in self._watched and by_hand.has_rules(created):
            if is_below(location_of(created).path, DERIVABLE, TORCH):
                return
            self._watched.add(created)
            self._unwatch.append(by_hand.watch(created, self._called, self._backward_called))

    def check_failed(self) -> None:
        """A gradcheck failed that was to return False."""
        self.failed_checks += 1

    @contextlib.contextmanager
    def checking(self) -> Iterator[bool]:
        """Around a gradcheck, whose many calls are no loop."""
        self._checks += 1
        try:
            yield self.lenient
        finally:
            self._checks -= 1

    def _called(
        self, owner: type, ctx: Any, inputs: tuple[Any, ...], options: dict[str, Any]
    ) -> None:
        self._note(owner, inputs, options, ctx)

    def _backward_called(self, owner: type) -> None:
        self.calls[id(owner)].backward_called = True  # its forward was called before

    def _note(
        self, target: Any, inputs: tuple[Any, ...], options: dict[str, Any], ctx: Any
    ) -> None:
        """Keep a copy of the call if it is new; errors in copying are ignored."""
        if getattr(self._local, "busy", False):
            return
        self._local.busy = True
        calls = self.calls.setdefault(id(target), Calls(target))
        try:
            if calls.new(inputs, options, self.test):
                self._consider(calls, inputs, options, ctx)
        except Exception:  # a tensor of a kind that cannot be copied
            calls.forget()
            return
        finally:
            self._local.busy = False
        if self.setup_only and not self._checks and calls.count > LONG_LOOP:
            if calls.count > LONG_LOOP + 1:
                raise_again(sys._getframe(), LongLoopError)
            raise LongLoopError

    def _consider(
        self, calls: Calls, inputs: tuple[Any, ...], options: dict[str, Any], ctx: Any
    ) -> None:
        location, examining = _running_location(sys._getframe(2))
        if (examining and calls.kinds) or not calls.wants(inputs, options, self.test):
            return
        names, values = list(options), tuple(options.values())
        kept = sum(call.entries for one in self.calls.values() for call in one)
        everything = copied((*inputs, *values), min(WHOLE, max(0, TOTAL - kept)))
        calls.keep(
            Call(
                everything[: len(inputs)],
                dict(zip(names, everything[len(inputs) :], strict=True)),
                location,
                self.test,
                None if ctx is None else by_hand.context_factory(ctx, calls.target),
                torch.get_default_dtype(),
                shared_tensors(inputs),
            )
        )


def _operator(generated: type) -> Any:
    """The operator whose registered backward PyTorch runs as this class; None without one."""
    rule = vars(generated)["forward"].__func__
    cells = dict(zip(rule.__code__.co_freevars, rule.__closure__ or (), strict=True))
    if "op" not in cells or ("info" in cells and cells["info"].cell_contents._backward_fn is None):
        return None
    return cells["op"].cell_contents


def _running_location(frame: FrameType | None) -> tuple[Location | None, bool]:
    """The line of the user's code that is running, and whether the examiner runs it."""
    examining = False
    location = None
    while frame is not None and not (location and examining):
        file = frame.f_code.co_filename
        examining = examining or (file.startswith(EXAMINER) and not file.startswith(CAPTURE))
        if location is None and not is_below(file, DERIVABLE, TORCH, *INSTALLED):
            location = Location(file, frame.f_lineno)
        frame = frame.f_back
    return location, examining


def _classes_of_the_user() -> Iterator[type]:
    """The classes with rules in the modules that are loaded and not installed."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None) or ""
        if isinstance(module, ModuleType) and not is_below(file, DERIVABLE, *INSTALLED):
            for value in list(vars(module).values()):
                if isinstance(value, type) and "forward" in vars(value):
                    yield value
