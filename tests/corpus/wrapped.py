"""Any operation of PyTorch as a `torch.autograd.Function` whose backward is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from tests.corpus.drawing import Draw
from tests.corpus.entry import Right


def _is_differentiable(value: Any) -> bool:
    return isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex())


def _as_tuple(outputs: Any) -> tuple[Any, ...]:
    return tuple(outputs) if isinstance(outputs, (tuple, list)) else (outputs,)


def wrapped(name: str, operation: Callable[..., Any]) -> Any:
    """A class called `name`; its forward is `operation`, its backward is PyTorch's own.

    backward differentiates `operation` at the saved inputs, so it can be differentiated again.
    """

    def forward(ctx: Any, *inputs: Any) -> Any:
        ctx.save_for_backward(*(value for value in inputs if isinstance(value, Tensor)))
        ctx.is_tensor = [isinstance(value, Tensor) for value in inputs]
        ctx.constants = [None if isinstance(value, Tensor) else value for value in inputs]
        outputs = operation(*inputs)
        ctx.is_differentiable = [_is_differentiable(value) for value in _as_tuple(outputs)]
        ctx.mark_non_differentiable(
            *(value for value in _as_tuple(outputs) if not _is_differentiable(value))
        )
        return tuple(outputs) if isinstance(outputs, (tuple, list)) else outputs

    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        saved = iter(ctx.saved_tensors)
        values = [
            next(saved) if is_tensor else constant
            for is_tensor, constant in zip(ctx.is_tensor, ctx.constants, strict=True)
        ]
        places = [place for place, needed in enumerate(ctx.needs_input_grad) if needed]

        def of_the_differentiable(*chosen: Tensor) -> tuple[Tensor, ...]:
            full = list(values)
            for place, value in zip(places, chosen, strict=True):
                full[place] = value
            outputs = _as_tuple(operation(*full))
            return tuple(
                output for output, kept in zip(outputs, ctx.is_differentiable, strict=True) if kept
            )

        pulling = torch.func.vjp(of_the_differentiable, *(values[place] for place in places))
        gradients = pulling[1](
            tuple(
                grad for grad, kept in zip(grad_outputs, ctx.is_differentiable, strict=True) if kept
            )
        )
        returned: list[Any] = [None] * len(values)
        for place, gradient in zip(places, gradients, strict=True):
            returned[place] = gradient
        return tuple(returned)

    body = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type(name, (torch.autograd.Function,), body)


def operation(
    name: str, function: Callable[..., Any], inputs: Callable[[Draw], Sequence[Any]]
) -> Right:
    """The test case of one operation, with inputs drawn from the seed of its name."""
    return Right(name, wrapped(name, function), lambda: inputs(Draw(name)))


def named(
    name: str, inputs: Callable[[Draw], Sequence[Any]], where: Any = torch, suffix: str = ""
) -> Right:
    """The test case of the function called `name` in `where`."""
    return operation(name + suffix, getattr(where, name), inputs)


def case(name: str, target: Any, inputs: Callable[[Draw], Sequence[Any]]) -> Right:
    """The test case of any target, with inputs drawn from the seed of its name."""
    return Right(name, target, lambda: inputs(Draw(name)))
