"""Functions among the inputs of a call that use other inputs of the call.

A root finder takes a function f and also the parameters that f uses, so that autograd sees them. An
examination runs the target at other values of these parameters, and f must use them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import CellType, FunctionType, MethodType
from typing import Any

from torch import Tensor

from derivable.errors import InputError
from derivable.examiner.messages import error_of

DEPTH = 6  # of objects in objects
Positions = Mapping[int, int]  # id of a tensor -> its position among the inputs


def shared_tensors(inputs: Sequence[Any]) -> dict[int, int]:
    """The tensors among the inputs that a callable among them holds, with their positions."""
    known = {id(v): i for i, v in enumerate(inputs) if isinstance(v, Tensor)}
    held = (t for v in inputs if callable(v) for t in _held(v, DEPTH, set()))
    return {id(t): known[id(t)] for t in held if id(t) in known}


def _held(value: Any, depth: int, seen: set[int]) -> Iterator[Tensor]:
    """Every tensor that a value computes with, as far as its attributes show it."""
    if isinstance(value, Tensor):
        yield value
    elif depth and id(value) not in seen:
        seen.add(id(value))
        for part in _parts(value):
            yield from _held(part, depth - 1, seen)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, FunctionType):
        return [*_cells(value), *_globals(value).values(), *(value.__defaults__ or ())]
    if isinstance(value, partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, MethodType):
        return [value.__self__]
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, dict):
        return list(value.values())
    return list(getattr(value, "__dict__", {}).values()) if not isinstance(value, type) else []


def _cells(function: FunctionType) -> list[Any]:
    """The values of the closure; a cell that is still empty has none."""
    empty = object()
    found = [getattr(cell, "cell_contents", empty) for cell in function.__closure__ or ()]
    return [value for value in found if value is not empty]


def _globals(function: FunctionType) -> dict[str, Tensor]:
    """The global tensors that a function names."""
    known = function.__globals__
    return {n: known[n] for n in function.__code__.co_names if isinstance(known.get(n), Tensor)}


def with_shared(target: Any, positions: Positions) -> Callable[..., Any]:
    """`target.apply`, whose functions use the tensors of the call that it is given.

    Raises InputError if such a tensor belongs to an object, such as a module, which cannot be
    copied with other tensors in general.
    """

    def apply(*inputs: Any) -> Any:
        new = {key: inputs[i] for key, i in positions.items()}
        given = [v if isinstance(v, Tensor) else _rebound(v, new, target) for v in inputs]
        return target.apply(*given)

    parameters = list(inspect.signature(target.forward).parameters.values())
    takes_ctx = "setup_context" not in vars(target)
    apply.__signature__ = inspect.Signature(parameters[takes_ctx:])  # type: ignore[attr-defined]  # mypy does not know it
    apply.__name__ = target.__name__
    return apply


def _rebound(value: Any, new: Mapping[int, Tensor], target: type) -> Any:
    """A copy of a value with the old tensors replaced by the new ones."""
    if isinstance(value, Tensor):
        return new.get(id(value), value)
    if not any(id(t) in new for t in _held(value, DEPTH, set())):
        return value
    if isinstance(value, FunctionType):
        return _function(value, new, target)
    if isinstance(value, partial):
        keywords = {n: _rebound(v, new, target) for n, v in value.keywords.items()}
        args = [_rebound(v, new, target) for v in value.args]
        return partial(_rebound(value.func, new, target), *args, **keywords)
    if type(value) in (list, tuple):
        return type(value)(_rebound(v, new, target) for v in value)
    if type(value) is dict:
        return {n: _rebound(v, new, target) for n, v in value.items()}
    raise error_of(
        InputError,
        "error.tensors_inside",
        function=target.__name__,
        kind=type(value).__name__,
    )


def _function(function: FunctionType, new: Mapping[int, Tensor], target: type) -> FunctionType:
    cells = tuple(
        CellType(_rebound(cell.cell_contents, new, target)) for cell in function.__closure__ or ()
    )
    tensors = {n: new.get(id(t), t) for n, t in _globals(function).items()}
    known = {**function.__globals__, **tensors} if tensors else function.__globals__
    defaults = _rebound(function.__defaults__, new, target)
    made = FunctionType(function.__code__, known, function.__name__, defaults, cells or None)
    made.__kwdefaults__ = function.__kwdefaults__
    return made
