"""What the losses that compare two tensors entry by entry have in common."""

from __future__ import annotations

from torch import Tensor

from derivable.errors import SettingError
from derivable.functions.losses._reduction import REDUCTIONS, check_reduction
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error


def check_pair(
    function: str,
    reduction: str,
    allowed: tuple[str, ...] = REDUCTIONS,
    real: bool = True,
    **pair: Tensor,
) -> None:
    """Two tensors, by name, of one shape, real unless said otherwise; a reduction that exists."""
    require_tensors(function, **pair)
    (first, a), (second, b) = pair.items()
    if a.shape != b.shape:
        # Broadcasting (N, 1) against (N,) would compare every row with every other, silently.
        raise shape_error(
            function,
            second,
            say("shape_of", name=first, shape=tuple(a.shape)),
            b,
            say("reshape_one"),
        )
    for name, value in pair.items():
        if real and value.is_complex():
            raise SettingError(say("real_pair", function=function, name=name, dtype=value.dtype))
    check_reduction(function, reduction, allowed)


def fit(gradient: Tensor, argument: Tensor) -> Tensor:
    """The gradient in the shape and dtype of its argument, which may have been promoted."""
    if gradient.is_complex() and not argument.is_complex():
        gradient = gradient.real
    return gradient.sum_to_size(argument.shape).to(argument.dtype)
