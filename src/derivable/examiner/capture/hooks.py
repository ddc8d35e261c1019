"""Hooks for calls of Functions, installed while there is at least one watcher.

`torch.autograd.Function.apply` is one Python function that every class and every alias shares; an
alias such as `mse = MSE.apply` may exist before the recording. So the code of the function is
replaced, not the attribute, and aliases run the new code too. The same holds for `gradcheck`.
Functions of derivable are observed where they make a `CallRecord` of each call.
"""

from __future__ import annotations

import builtins
import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any, Protocol

import torch

from derivable.examiner.targets.applying import applying
from derivable.function import function as own
from derivable.function.call_record import CallRecord, Rules

_lock = threading.RLock()
_watchers: list[Watcher] = []
_installed = contextlib.ExitStack()
_originals: dict[str, Callable[..., Any]] = {}


class Watcher(Protocol):
    """The interface of an object that is notified of calls."""

    def applied(self, function: type, inputs: tuple[Any, ...], options: dict[str, Any]) -> None:
        """`function.apply(*inputs, **options)` is about to run."""

    def defined(self, created: type) -> None:
        """A class statement has made `created`."""

    def check_failed(self) -> None:
        """A gradcheck failed, and returns False."""

    def checking(self) -> contextlib.AbstractContextManager[bool]:
        """Entered around a gradcheck; True if a failing one returns False instead of raising."""


def add(watcher: Watcher) -> None:
    """Notify `watcher` of every call from now on."""
    with _lock:
        if not _watchers:
            for hook in (_torch_applied(), _own_applied(), _classes_defined(), *_gradchecks()):
                _installed.enter_context(hook)
        _watchers.append(watcher)


def remove(watcher: Watcher) -> None:
    """Stop notifying `watcher`; after the last one, the hooks are removed."""
    with _lock:
        _watchers.remove(watcher)
        if not _watchers:
            _installed.close()


def relayed_apply(function: type, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Called by the replaced code of `apply`."""
    for watcher in tuple(_watchers):
        watcher.applied(function, inputs, options)
    return _originals["apply"](function, *inputs, **options)


def relayed_check(name: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Called by the replaced code of `gradcheck` and `gradgradcheck`."""
    with contextlib.ExitStack() as stack:
        lenient = [stack.enter_context(watcher.checking()) for watcher in tuple(_watchers)]
        try:
            return _originals[name](*inputs, **options)
        except _gradcheck_module().GradcheckError:
            if not any(lenient):
                raise
            for watcher in tuple(_watchers):
                watcher.check_failed()
            return False


def _torch_applied() -> contextlib.AbstractContextManager[None]:
    apply = vars(torch.autograd.Function)["apply"].__func__
    if len(apply.__code__.co_freevars) == 1:
        return _exchanged(apply, _apply_relay(), "apply")

    def by_attribute(original: Callable[..., Any], cls: type, *inputs: Any) -> Any:
        _originals["apply"] = original
        return relayed_apply(cls, inputs, {})

    return applying(by_attribute)  # a PyTorch whose apply is made in another way


def _gradchecks() -> Iterator[contextlib.AbstractContextManager[None]]:
    module = _gradcheck_module()
    for name, relay in (("gradcheck", _gradcheck), ("gradgradcheck", _gradgradcheck)):
        function = getattr(module, name)
        if not function.__code__.co_freevars:
            yield _exchanged(function, relay.__code__, name)


def _gradcheck_module() -> Any:
    """The module, which `torch.autograd` hides behind the function of its name."""
    return sys.modules["torch.autograd.gradcheck"]


def _apply_relay() -> CodeType:
    """Code with one free variable, `__class__`, as the code that it replaces."""
    __class__ = None

    def apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
        from derivable.examiner.capture.hooks import relayed_apply

        __class__  # noqa: B018 - the free variable
        return relayed_apply(cls, args, kwargs)

    return apply.__code__


def _gradcheck(*args: Any, **kwargs: Any) -> Any:
    from derivable.examiner.capture.hooks import relayed_check

    return relayed_check("gradcheck", args, kwargs)


def _gradgradcheck(*args: Any, **kwargs: Any) -> Any:
    from derivable.examiner.capture.hooks import relayed_check

    return relayed_check("gradgradcheck", args, kwargs)


@contextlib.contextmanager
def _exchanged(function: Any, code: CodeType, name: str) -> Iterator[None]:
    """Inside, `function` runs `code`; what it ran before is `_originals[name]`."""
    before = function.__code__
    copy = FunctionType(
        before, function.__globals__, name, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    _originals[name] = copy
    function.__code__ = code
    try:
        yield
    finally:
        function.__code__ = before


@contextlib.contextmanager
def _own_applied() -> Iterator[None]:
    """Functions of derivable: each call makes one CallRecord from the rules of its class."""

    def watched(rules: Rules, inputs: tuple[Any, ...], transformed: bool) -> CallRecord:
        for watcher in tuple(_watchers):
            watcher.applied(_class_of(rules), inputs, {})
        return CallRecord(rules, inputs, transformed)

    vars(own)["CallRecord"] = watched  # the module only calls it
    try:
        yield
    finally:
        vars(own)["CallRecord"] = CallRecord


def _class_of(rules: Rules) -> type:
    """The class with these rules; found once, and kept beside them."""
    if id(rules) not in _classes:
        _classes.update({id(c._rules): c for c in _subclasses(own.Function) if "_rules" in vars(c)})
    return _classes[id(rules)]


_classes: dict[int, type] = {}


def _subclasses(of: Any) -> Iterator[Any]:
    for subclass in of.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


@contextlib.contextmanager
def _classes_defined() -> Iterator[None]:
    """Each class statement: classes may be called by hand in the file that defines them."""
    original = builtins.__build_class__

    def build(*args: Any, **kwargs: Any) -> Any:
        created = original(*args, **kwargs)
        if isinstance(created, type):
            for watcher in tuple(_watchers):
                watcher.defined(created)
        return created

    builtins.__build_class__ = build
    try:
        yield
    finally:
        builtins.__build_class__ = original
