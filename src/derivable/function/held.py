"""The tensors that a forward leaves on its ctx: where each comes from, and where it is kept.

A saved tensor is an input, an output, or an intermediate; `Slot` states which, without the tensor.
An author may also keep tensors as attributes of ctx, by themselves or in a list, a tuple, a
dictionary or the Context of another Function. There they are found and replaced by slots.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from types import FunctionType, SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from derivable.function.context import Tape

CONTAINERS = (list, tuple, dict)  # in which an author may keep tensors


class Slot(NamedTuple):
    """Where a saved tensor is found: among the inputs, or the outputs and intermediates."""

    among_inputs: bool
    position: int


def locate(tensor: Tensor, inputs: tuple[Any, ...], outputs: list[Any]) -> Slot:
    """The Slot of `tensor`; an intermediate is appended to `outputs`."""
    for among_inputs, places in ((True, inputs), (False, outputs)):
        for position, value in enumerate(places):
            if value is tensor:
                return Slot(among_inputs, position)
    outputs.append(tensor)
    return Slot(False, len(outputs) - 1)


def replaced(value: Any, kind: type, change: Callable[[Any], Any]) -> Any:
    """`value` with everything of `kind` in it changed; the containers are copied."""
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, list | tuple):
        items = [replaced(item, kind, change) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        table = copy.copy(value)
        table.update({key: replaced(item, kind, change) for key, item in value.items()})
        return table
    if isinstance(value, Tape | SimpleNamespace):
        twin = copy.copy(value)
        vars(twin).update(replaced(vars(value), kind, change))
        return twin
    return value


def tensors_in(value: Any) -> list[Tensor]:
    """The tensors in `value`, in the order in which `replaced` meets them."""
    found: list[Tensor] = []

    def note(tensor: Tensor) -> Tensor:
        found.append(tensor)
        return tensor

    replaced(value, Tensor, note)
    return found


_PLAIN = (bool, int, float, complex, str, bytes, type, torch.dtype, torch.device, torch.Generator)


def hides_tensors(value: Any, depth: int = 4) -> bool:
    """Whether `value`, which is no container, has tensors in it: a closure, a partial, an object.

    Modules do not count: their parameters are no inputs, so that they are not differentiated here.
    """
    if value is None or isinstance(value, (*_PLAIN, torch.nn.Module)) or not depth:
        return False
    if isinstance(value, Tensor):
        return True
    if isinstance(value, list | tuple | set | frozenset):
        parts = list(value)
    elif isinstance(value, dict):
        parts = list(value.values())
    elif isinstance(value, FunctionType):
        parts = [cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)]
    elif isinstance(value, partial):
        parts = [value.func, *value.args, *value.keywords.values()]
    else:
        parts = list(getattr(value, "__dict__", {}).values())
    return any(hides_tensors(part, depth - 1) for part in parts)


def _is_filled(cell: Any) -> bool:
    """Whether a variable of a closure has a value yet."""
    try:
        cell.cell_contents  # noqa: B018 - reading it raises ValueError if it has no value
    except ValueError:
        return False
    return True
