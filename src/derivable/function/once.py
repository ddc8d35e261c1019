"""Backwards that their authors marked with `once_differentiable`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from derivable.errors import TransformError
from derivable.function.messages import say

_CODE = once_differentiable(lambda ctx: None).__code__


def is_once_differentiable(rule: Callable[..., Any]) -> bool:
    """Whether `rule` is decorated with PyTorch's `once_differentiable`."""
    return getattr(rule, "__code__", None) is _CODE


def refuse(function: str) -> TransformError:
    """The error for differentiating a backward that is marked once_differentiable."""
    return TransformError(say("once", function=function))


def _make_once() -> type[torch.autograd.Function]:
    """The identity whose derivative raises. A local class, so that the examiner finds no target."""

    class Once(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(function: str, gradient: Tensor, *_: Any) -> Tensor:
            return gradient.clone()

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            ctx.function = inputs[0]

        @staticmethod
        def backward(ctx: Any, *_: Any) -> Any:
            raise refuse(ctx.function)

        @staticmethod
        def jvp(ctx: Any, *_: Any) -> Any:
            raise refuse(ctx.function)

    return Once


_once = _make_once().apply


def guarded(function: str, gradient: Tensor, sources: tuple[Any, ...]) -> Tensor:
    """`gradient`, computed from `sources`, which raises TransformError if it is differentiated."""
    result: Tensor = _once(function, gradient, *sources)  # type: ignore[no-untyped-call]
    return result
