"""What every `backward` must take and return, whichever way it is run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from derivable.errors import GradientError, NotATensorError, ShapeError
from derivable.function.signature import Signature


class Like(NamedTuple):
    """The shape, dtype and device of a tensor, without the tensor."""

    shape: torch.Size
    dtype: torch.dtype
    device: torch.device

    @classmethod
    def of(cls, value: Any) -> Like | None:
        """What `value` looks like; None if it is no tensor."""
        return cls(value.shape, value.dtype, value.device) if isinstance(value, Tensor) else None

    @property
    def is_differentiable(self) -> bool:
        """Whether a tensor of this dtype can have a gradient at all."""
        return self.dtype.is_floating_point or self.dtype.is_complex

    def zeros(self) -> Tensor:
        """Zeros that look like it."""
        return torch.zeros(self.shape, dtype=self.dtype, device=self.device)


def as_tuple(value: Any) -> tuple[Any, ...]:
    """What a rule returned, as a tuple: Functions of one output return it bare."""
    if isinstance(value, list):
        return tuple(value)
    return value if isinstance(value, tuple) else (value,)


def fit_grad_outputs(
    function: str, given: tuple[Any, ...], outputs: Sequence[Like | None], materialize: bool
) -> list[Tensor | None]:
    """One `grad_output` per output, of its shape and dtype.

    A bare number stands for itself everywhere; None stands for zeros if `materialize`.
    """
    if len(given) != len(outputs):
        raise GradientError(
            f"{function}.backward takes one grad_output per output of forward: expected "
            f"{len(outputs)}, got {len(given)}"
        )
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
        raise NotATensorError(
            f"{function}.backward: {name} must be a tensor, got {type(grad).__name__}"
        )
    if grad.ndim == 0:
        return grad.to(output.device, output.dtype).expand(output.shape)
    if grad.shape != output.shape:
        raise ShapeError(
            f"{function}.backward: {name} must have the shape of forward's output, "
            f"{tuple(output.shape)}, got {tuple(grad.shape)}"
        )
    if grad.dtype != output.dtype:
        raise GradientError(
            f"{function}.backward: {name} must have the dtype of forward's output, "
            f"{output.dtype}, got {grad.dtype}; convert it with {name}.to({output.dtype})"
        )
    return grad


def check_gradients(
    signature: Signature, gradients: tuple[Any, ...], inputs: Sequence[Like | None]
) -> None:
    """One gradient per input, of its shape and dtype; more may follow only if they are None."""
    expected = len(inputs)
    if len(gradients) != expected and (
        len(gradients) < expected or any(extra is not None for extra in gradients[expected:])
    ):
        names = ", ".join(signature.names(expected))
        raise GradientError(
            f"{signature.function}.backward must return one gradient per input ({names}): "
            f"expected {expected}, got {len(gradients)}; return None where there is none"
        )
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
    """Raise the one sentence for a gradient that does not belong to its input."""
    who = f"{function}.backward: the gradient of {argument}"
    if like is None:
        got = type(gradient).__name__
        raise GradientError(f"{who} must be None, because it is no tensor, got {got}")
    if not isinstance(gradient, Tensor):
        raise GradientError(f"{who} must be a tensor or None, got {type(gradient).__name__}")
    if not like.is_differentiable:
        return  # an integer input has no gradient; autograd drops what is returned for it
    if gradient.shape != like.shape:
        raise GradientError(
            f"{who} must have the shape of {argument}, {tuple(like.shape)}, "
            f"got {tuple(gradient.shape)}; sum over the dimensions that were broadcast, for "
            f"example with .sum_to_size({argument}.shape)"
        )
    mend = f"convert it with .to({argument}.dtype)"
    if gradient.is_complex() and not like.dtype.is_complex:
        mend = "take its .real part"
    raise GradientError(
        f"{who} must have the dtype of {argument}, {like.dtype}, got {gradient.dtype}; {mend}"
    )
