"""What the losses that compare two tensors entry by entry have in common."""

from __future__ import annotations

from torch import Tensor

from derivable.errors import SettingError
from derivable.functions.losses._reduction import REDUCTIONS, check_reduction
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
            f"the shape of {first}, {tuple(a.shape)}",
            b,
            "reshape one to the other",
        )
    for name, value in pair.items():
        if real and value.is_complex():
            raise SettingError(
                f"{function}: {name} must be real, got {value.dtype}; complex numbers have no "
                "order: compare the real and the imaginary parts apart"
            )
    check_reduction(function, reduction, allowed)


def fit(gradient: Tensor, argument: Tensor) -> Tensor:
    """The gradient in the shape and dtype of its argument, which may have been promoted."""
    if gradient.is_complex() and not argument.is_complex():
        gradient = gradient.real
    return gradient.sum_to_size(argument.shape).to(argument.dtype)
