"""`Found`: targets found in modules and in recordings."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from derivable.errors import SettingError
from derivable.examiner.capture import by_hand
from derivable.examiner.capture.calls import Calls
from derivable.examiner.capture.locations import TORCH, is_the_users, location_of
from derivable.examiner.capture.recording import Recording
from derivable.examiner.message import Message
from derivable.examiner.messages import error_of


@dataclass(frozen=True)
class Found:
    """A target, where it is defined, and its recorded calls.

    `module` is the dotted name, or the stem of a file that belongs to no package.
    """

    name: str
    module: str
    path: str
    line: int  # counted from 1
    target: Any
    calls: Calls | None = None
    dtype: torch.dtype = torch.float32  # PyTorch's default dtype where it is defined


def all_found(
    modules: Sequence[ModuleType], recording: Recording, also: Callable[[Any], bool],
    dtype: torch.dtype = torch.float32,
) -> tuple[Found, ...]:  # fmt: skip
    """The targets that the modules define, and the user's targets that were called."""
    calls = recording.calls
    found: dict[object, Found] = {}
    for module in modules:
        for target in _defined(vars(module), module.__name__):
            found[_key(target)] = _found(target, calls.get(id(target)), dtype)
    names = {module.__name__ for module in modules}
    for one in calls.values():
        target = one.target
        known = found.get(_key(target))
        if known is not None:
            if known.calls is None and one.kinds:  # of an earlier definition of the same name
                found[_key(target)] = replace(known, calls=one)
        elif is_target(one) and (
            is_the_users(target) or module_of(target) in names or also(target)
        ):
            found[_key(target)] = _found(target, one, dtype)
    return tuple(sorted(found.values(), key=lambda one: (one.path, one.line)))


def is_target(calls: Calls) -> bool:
    """Whether a call was kept, and `backward` is that of a gradient and not another method."""
    target = calls.target
    plain = isinstance(target, type) and not by_hand.is_function(target)
    return bool(calls.kinds) and (
        calls.backward_called or not plain or not by_hand.takes_self(target)
    )


def called(recording: Recording) -> tuple[Found, ...]:
    """The called targets; of several definitions of one name in a module, the last one."""
    targets = filter(is_target, recording.calls.values())
    found = {_key(one.target): _found(one.target, one) for one in targets}
    return tuple(sorted(found.values(), key=lambda one: (one.path, one.line)))


def module_of(target: Any) -> str:
    """The dotted name of the module that it gives as its own; empty for none."""
    return getattr(target, "__module__", None) or ""


def _key(target: Any) -> object:
    """A key that is the same for all definitions of one name in one module."""
    name = getattr(target, "__qualname__", None)
    if name is None or "<locals>" in name:
        return str(target), location_of(target) if name else ""
    return module_of(target), name


def _defined(names: dict[str, Any], module: str) -> Iterator[Any]:
    """The Functions and plain classes with rules that a module defines, nested ones too."""
    for value in list(names.values()):
        if isinstance(value, type) and value.__module__ == module:
            if _is_function(value) or by_hand.is_plain(value):
                yield value
            nested = {n: v for n, v in vars(value).items() if getattr(
                v, "__qualname__", "").startswith(f"{value.__qualname__}.")}  # fmt: skip
            yield from _defined(nested, module)


def named(module: ModuleType, name: str, where: str, recording: Recording) -> Found:
    """The Function or callable that the module has by this name, as in `file.py:Name`."""
    value = getattr(module, name, None)
    plain = callable(value) and not isinstance(value, type)
    if _is_function(value) or by_hand.is_plain(value) or plain:
        return _found(value, recording.calls.get(id(value)))
    known = [target.__qualname__ for target in _defined(vars(module), module.__name__)]
    near = difflib.get_close_matches(name, known, 1)
    hint = Message("error.defines", {"names": known or Message("error.none")})
    if near:
        hint = Message("error.did_you_mean", {"name": near[0]})
    raise error_of(SettingError, "error.no_function", location=where, name=name, hint=hint)


def _found(value: Any, calls: Calls | None, dtype: torch.dtype = torch.float32) -> Found:
    path, line = location_of(value)
    module = module_of(value) or "?"
    if "." not in module and Path(path).stem not in ("__init__", "?"):
        module = Path(path).stem  # without what was added where the name was taken
    return Found(name_of(value), module, path, line, value, calls, dtype)


def name_of(target: Any) -> str:
    """The name of a class, or `library::operator`."""
    if isinstance(target, torch._ops.OpOverload):
        return str(target.name()).removesuffix(".default")
    named = getattr(target, "__qualname__", None) or getattr(target, "__name__", None)
    return str(named or type(target).__name__).rpartition("<locals>.")[2]


def _is_function(value: Any) -> bool:
    """Whether it is a Function with a rule of its own; a base for others has none."""
    return (
        by_hand.is_function(value)
        and value.forward is not torch.autograd.Function.forward
        and not location_of(value).path.startswith(TORCH)
    )
