"""The errors about shapes that the Functions share: who, which argument, expected, got."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from derivable.core_messages import say
from derivable.errors import NotATensorError, ShapeError


def require_tensors(function: str, **arguments: Any) -> None:
    """Refuse an argument that is no tensor, by name."""
    for name, value in arguments.items():
        if not isinstance(value, Tensor):
            kind = type(value).__name__
            raise NotATensorError(say("no_tensor", function=function, name=name, kind=kind))


def shape_error(function: str, name: str, expected: str, got: Tensor, hint: str) -> ShapeError:
    """The one message for a wrong shape."""
    gaps = {"expected": expected, "got": str(tuple(got.shape)), "hint": hint}
    return ShapeError(say("shape", function=function, name=name, **gaps))
