"""Checks of what every `backward` takes and returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from derivable.errors import GradientError, NotATensorError, ShapeError
from derivable.function.messages import say
from derivable.function.signature import Signature


class Like(NamedTuple):
    """The shape, dtype and device of a tensor, without the tensor."""

    shape: torch.Size
    dtype: torch.dtype
    device: torch.device

    @classmethod
    def of(cls, value: Any) -> Like | None:
        """The Like of `value`; None if it is no tensor."""
        return cls(value.shape, value.dtype, value.device) if isinstance(value, Tensor) else None

    @property
    def is_differentiable(self) -> bool:
        """Whether a tensor of this dtype can have a gradient at all."""
        return self.dtype.is_floating_point or self.dtype.is_complex

    def zeros(self) -> Tensor:
        """Zeros of this shape, dtype and device."""
        return torch.zeros(self.shape, dtype=self.dtype, device=self.device)


def as_tuple(value: Any) -> tuple[Any, ...]:
    """What a rule returned, as a tuple: a single output may be returned without one."""
    if isinstance(value, list):
        return tuple(value)
    return value if isinstance(value, tuple) else (value,)


def fit_grad_outputs(
    function: str, given: tuple[Any, ...], outputs: Sequence[Like | None], materialize: bool
) -> list[Tensor | None]:
    """One `grad_output` per output, of its shape and dtype.

    A number is expanded to the shape of the output; None becomes zeros if `materialize`.
    """
    if len(given) != len(outputs):
        gaps = {"expected": len(outputs), "got": len(given)}
        raise GradientError(say("grad_outputs", function=function, **gaps))
    fitted = []
    for position, (grad, output) in enumerate(zip(given, outputs, strict=True)):
        name = "grad_output" if len(outputs) == 1 else f"grad_outputs[{position}]"
        fitted.append(_fit(function, name, grad, output, materialize))
    return fitted


def _fit(
    function: str, name: str, grad: Any, output: Like | None, materialize: bool
) -> Tensor | None:
    if output is None or (grad is None and not materialize):
        return None
    if grad is None:
        return output.zeros()
    if isinstance(grad, int | float | complex):
        grad = torch.tensor(grad)
    if not isinstance(grad, Tensor):
        kind = type(grad).__name__
        raise NotATensorError(say("grad_output", function=function, name=name, kind=kind))
    if grad.ndim == 0:
        return grad.to(output.device, output.dtype).expand(output.shape)
    if grad.shape != output.shape:
        gaps = {"expected": str(tuple(output.shape)), "got": str(tuple(grad.shape))}
        raise ShapeError(say("grad_output_shape", function=function, name=name, **gaps))
    if grad.dtype != output.dtype:
        dtypes = {"expected": output.dtype, "got": grad.dtype}
        raise GradientError(say("grad_output_dtype", function=function, name=name, **dtypes))
    return grad


def check_gradients(
    signature: Signature, gradients: tuple[Any, ...], inputs: Sequence[Like | None]
) -> None:
    """Raise unless there is one gradient per input, of its shape and dtype; None may follow."""
    expected = len(inputs)
    if len(gradients) != expected and (
        len(gradients) < expected or any(extra is not None for extra in gradients[expected:])
    ):
        names = ", ".join(signature.names(expected))
        gaps = {"expected": expected, "got": len(gradients)}
        raise GradientError(say("gradients", function=signature.function, names=names, **gaps))
    for position, (like, gradient) in enumerate(zip(inputs, gradients, strict=False)):
        if gradient is None or (
            like is not None
            and isinstance(gradient, Tensor)
            and gradient.shape == like.shape
            and gradient.dtype == like.dtype
        ):
            continue
        name = signature.names(expected)[position]
        _refuse(signature.function, name, gradient, like)


def _refuse(function: str, argument: str, gradient: Any, like: Like | None) -> None:
    """Raise the error for a gradient that does not belong to its input."""
    who = {"function": function, "argument": argument}
    if like is None:
        raise GradientError(say("gradient_of_none", got=type(gradient).__name__, **who))
    if not isinstance(gradient, Tensor):
        raise GradientError(say("gradient", got=type(gradient).__name__, **who))
    if not like.is_differentiable:
        return  # an integer input has no gradient; autograd drops what is returned for it
    if gradient.shape != like.shape:
        shapes = {"expected": str(tuple(like.shape)), "got": str(tuple(gradient.shape))}
        raise GradientError(say("gradient_shape", **who, **shapes))
    real = gradient.is_complex() and not like.dtype.is_complex
    key = "gradient_real" if real else "gradient_dtype"
    raise GradientError(say(key, expected=like.dtype, got=gradient.dtype, **who))
