"""Checks that the layers share."""

from __future__ import annotations

from torch import Tensor

from derivable.errors import SettingError
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error


def require_real(function: str, **arguments: Tensor | None) -> None:
    """Refuse what is no tensor of real numbers; None stands for an optional one that is absent."""
    for name, value in arguments.items():
        if value is None:
            continue
        require_tensors(function, **{name: value})
        if value.is_complex():
            raise SettingError(say("real_numbers", function=function, name=name, dtype=value.dtype))


def require_shape(
    function: str, hint: str, shape: tuple[int, ...], **arguments: Tensor | None
) -> None:
    """Refuse a tensor of another shape; None stands for an optional one that is absent.

    `hint` is the key of a message, which is made only where it is needed.
    """
    for name, value in arguments.items():
        if value is not None and tuple(value.shape) != shape:
            raise shape_error(function, name, say("exact_shape", shape=shape), value, say(hint))


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
        raise SettingError(say("normalized_shape", function=function))
    if tuple(input.shape[-len(sizes) :]) != sizes:
        raise shape_error(
            function, "input", say("last_sizes", sizes=sizes), input, say("or_normalized")
        )
    require_shape(function, "normalized", sizes, weight=weight, bias=bias)
