"""Checks that the layers share."""

from __future__ import annotations

from torch import Tensor

from derivable.errors import SettingError
from derivable.shapes import require_tensors, shape_error


def require_real(function: str, **arguments: Tensor | None) -> None:
    """Refuse what is no tensor of real numbers; None stands for an optional one that is absent."""
    for name, value in arguments.items():
        if value is None:
            continue
        require_tensors(function, **{name: value})
        if value.is_complex():
            raise SettingError(
                f"{function}: {name} must hold real numbers, got {value.dtype}; apply it to "
                f"{name}.real and {name}.imag instead"
            )


def require_shape(
    function: str, hint: str, shape: tuple[int, ...], **arguments: Tensor | None
) -> None:
    """Refuse a tensor of another shape; None stands for an optional one that is absent."""
    for name, value in arguments.items():
        if value is not None and tuple(value.shape) != shape:
            raise shape_error(function, name, f"shape {shape}", value, hint)


def require_rows(
    function: str,
    input: Tensor,
    sizes: tuple[int, ...],
    weight: Tensor | None,
    bias: Tensor | None = None,
) -> None:
    """Refuse inputs of a normalisation over the last dimensions, `sizes`, that do not fit it."""
    require_tensors(function, input=input)
    require_real(function, input=input, weight=weight, bias=bias)
    if not sizes:
        raise SettingError(
            f"{function}: normalized_shape must name at least one size, got (); give the sizes "
            "of the last dimensions, such as (input.size(-1),)"
        )
    if tuple(input.shape[-len(sizes) :]) != sizes:
        raise shape_error(
            function, "input", f"{sizes} as its last sizes", input, "or change normalized_shape"
        )
    require_shape(function, "it is normalized_shape", sizes, weight=weight, bias=bias)
