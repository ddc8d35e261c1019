"""What the Functions of square matrices share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from derivable.errors import DataError
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error


def require_square(function: str, **matrix: Any) -> None:
    """Refuse what is no square matrix, or no batch of them."""
    require_tensors(function, **matrix)
    for name, value in matrix.items():
        if value.ndim < 2 or value.size(-1) != value.size(-2):
            raise shape_error(function, name, say("square"), value, say("square_or_batch"))


@contextmanager
def required(function: str, name: str, kind: str, hint: str) -> Iterator[None]:
    """Say in our words what LAPACK refuses: a matrix that is not of the `kind` that is needed.

    `kind` and `hint` are keys of messages, which are made only where they are needed.

    The refusal is left to LAPACK, because looking at values would stop vmap and compile.
    """
    try:
        yield
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        found = re.search(r"Batch element (\d+)", str(error))
        which = say("of_the_batch", number=found[1]) if found else ""
        raise DataError(
            say("matrix", function=function, name=name, which=which, kind=say(kind), hint=say(hint))
        ) from error


def invertible(*shape: int) -> Tensor:
    """Square matrices for examples, not symmetric, of which the symmetric part is definite."""
    far = 2 * shape[-1] * torch.eye(shape[-1], dtype=torch.float64)  # (N, N)
    return (torch.randn(shape, dtype=torch.float64) + far).requires_grad_()  # (..., N, N)
