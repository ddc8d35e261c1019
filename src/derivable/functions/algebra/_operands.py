"""What the Functions of two operands share: either may be a number, and shapes broadcast."""

from __future__ import annotations

from numbers import Number
from typing import Any, TypeVar

import torch
from torch import Tensor

from derivable.errors import NotATensorError
from derivable.function.gradients import Like
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error

Operand = Tensor | complex

_Operand = TypeVar("_Operand", Tensor, complex)
_NUMBERS = (Number, torch.SymInt, torch.SymFloat)  # the last two replace numbers while compiling


def check_operands(function: str, **operands: Any) -> None:
    """Refuse two operands that are both no tensors, or whose shapes do not broadcast."""
    (first, one), (second, two) = operands.items()
    for name, value in operands.items():
        if not isinstance(value, (Tensor, *_NUMBERS)):
            raise NotATensorError(
                say("operand", function=function, name=name, kind=type(value).__name__)
            )
    if not isinstance(one, Tensor) and not isinstance(two, Tensor):
        require_tensors(function, **{first: one})
    if isinstance(one, Tensor) and isinstance(two, Tensor):
        require_broadcast(function, first, one, second, two)


def require_broadcast(
    function: str, first: str, one: Tensor, second: str, two: Tensor, trailing: int = 0
) -> None:
    """Raise ShapeError for shapes that do not broadcast, without the last `trailing` dimensions."""
    lengths = zip(
        reversed(one.shape[: one.ndim - trailing]),
        reversed(two.shape[: two.ndim - trailing]),
        strict=False,
    )
    if any(a != b and 1 not in (a, b) for a, b in lengths):
        leading = say("trailing_apart", trailing=trailing) if trailing else ""
        raise shape_error(
            function,
            second,
            say("broadcasts_with", first=first, shape=tuple(one.shape), leading=leading),
            two,
            say("from_the_last"),
        )


def keep_operands(ctx: Any, *operands: Operand, output: Tensor | None = None) -> None:
    """Save the operands, and `output` where backward needs it; numbers become an attribute."""
    tensors = [value if isinstance(value, Tensor) else None for value in operands]
    ctx.numbers = [None if isinstance(value, Tensor) else value for value in operands]
    ctx.save_for_backward(*tensors, *(() if output is None else (output,)))


def kept_operands(ctx: Any) -> tuple[Any, ...]:
    """What `keep_operands` kept, in its order."""
    tensors = ctx.saved_tensors
    operands = (
        number if tensor is None else tensor
        for tensor, number in zip(tensors, ctx.numbers, strict=False)
    )
    return *operands, *tensors[len(ctx.numbers) :]


def fit(gradient: Tensor, operand: Tensor | Like) -> Tensor:
    """`gradient` in the shape and dtype of its operand: what was broadcast or promoted, undone."""
    if gradient.is_complex() and not operand.dtype.is_complex:
        gradient = gradient.real  # the imaginary part of a real operand cannot move
    return gradient.sum_to_size(operand.shape).to(operand.dtype)


def conj(value: _Operand) -> _Operand:
    """The complex conjugate of a tensor or a number."""
    if isinstance(value, Tensor):
        return value.conj()
    return value.conjugate() if isinstance(value, complex) else value
