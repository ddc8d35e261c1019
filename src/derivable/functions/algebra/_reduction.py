"""What the Functions that reduce over dimensions share."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from derivable.errors import SettingError
from derivable.functions.messages import say
from derivable.shapes import shape_error

Dim = int | Sequence[int] | None


def reduced_dims(function: str, input: Tensor, dim: Dim) -> tuple[int, ...]:
    """`dim` as dimensions of `input`, each from 0 on; None and () are all of them."""
    if dim is None or dim == () or dim == []:
        return tuple(range(input.ndim))
    given = tuple(dim) if isinstance(dim, tuple | list) else (dim,)
    if not all(isinstance(d, int) for d in given):
        raise SettingError(say("dims", function=function, got=dim))
    # A tensor without dimensions may be reduced over its dimension 0, as everywhere in PyTorch.
    count = max(input.ndim, 1)
    dims = tuple(d % count for d in given if -count <= d < count)
    if len(dims) < len(given):
        raise SettingError(
            say(
                "dim_range",
                function=function,
                low=-count,
                high=count - 1,
                shape=tuple(input.shape),
                got=dim,
            )
        )
    if len(set(dims)) < len(dims):
        raise SettingError(say("dim_once", function=function, got=dim))
    return dims if input.ndim else ()


def one_dim(function: str, input: Tensor, dim: int) -> int:
    """`dim` as one dimension of `input`, from 0 on."""
    if not isinstance(dim, int):
        raise SettingError(say("one_dim", function=function, got=dim))
    reduced_dims(function, input, dim)
    return dim % max(input.ndim, 1)


def require_entries(function: str, input: Tensor, dims: tuple[int, ...]) -> None:
    """Refuse a reduction over no entries, for those that have no value for it."""
    if math.prod(input.shape[d] for d in dims) == 0:
        raise shape_error(
            function,
            "input",
            say("one_entry", dims=dims),
            input,
            say("largest_of_none"),
        )


def kept(reduced: Tensor, shape: Sequence[int], dims: tuple[int, ...]) -> Tensor:
    """`reduced` with the reduced dimensions there as 1, whether they were kept or not."""
    return reduced.reshape([1 if d in dims else size for d, size in enumerate(shape)])
