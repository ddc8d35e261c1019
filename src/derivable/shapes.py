"""The shape sentences that the Functions share: who, which argument, expected, got."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from derivable.errors import NotATensorError, ShapeError


def require_tensors(function: str, **arguments: Any) -> None:
    """Refuse an argument that is no tensor, by name."""
    for name, value in arguments.items():
        if not isinstance(value, Tensor):
            raise NotATensorError(
                f"{function}: {name} must be a tensor, got {type(value).__name__}; "
                f"torch.as_tensor({name}) makes one"
            )


def shape_error(function: str, name: str, expected: str, got: Tensor, hint: str) -> ShapeError:
    """The one sentence for a wrong shape."""
    return ShapeError(f"{function}: {name} must have {expected}, got {tuple(got.shape)}; {hint}")
