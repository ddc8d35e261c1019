"""What stands at the door of a `forward` or `backward` that is called by hand.

The formulas stay four lines because everything around them is checked here, once, for every
Function: that a Context serves one forward, that `grad_output` fits the output, and that each
gradient fits its argument. Autograd brings a `ctx` of its own and does its own checks, so the
doors stand open for it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from derivable.context import Context
from derivable.errors import ContextError, GradientError, NotATensorError, ShapeError

Rule = Callable[..., Any]


@dataclass(frozen=True)
class Like:
    """The shape, dtype and device of an output: what its `grad_output` must look like."""

    shape: torch.Size
    dtype: torch.dtype
    device: torch.device


@dataclass
class Call:
    """One `forward` by hand, as its Context remembers it until `backward`."""

    names: list[str]
    shapes: list[torch.Size | None]  # None for an input that is no tensor
    outputs: list[Like] | None = None  # None while forward is still running


def forward_by_hand(function: str, rule: Rule) -> Rule:
    """Wrap `forward`: a Context is taken once, and remembers what the call looked like."""
    signature = inspect.signature(rule)

    @functools.wraps(rule)
    def forward(ctx: Any, *inputs: Any, **options: Any) -> Any:
        # A Context in use means that a subclass's forward called super().forward(ctx, ...).
        if not isinstance(ctx, Context) or (ctx._call and ctx._call.outputs is None):
            return rule(ctx, *inputs, **options)
        if ctx._call is not None:
            raise ContextError(
                f"{function}.forward was given a Context that already served a forward; one "
                "Context belongs to one forward: make a new Context() for each call"
            )
        names, values = _named_inputs(signature.bind(ctx, *inputs, **options))
        ctx._call = Call(names, [v.shape if isinstance(v, Tensor) else None for v in values])
        try:
            output = rule(ctx, *inputs, **options)
        except BaseException:
            ctx._call = ctx._saved = None  # a forward that failed leaves nothing behind
            raise
        ctx._call.outputs = [
            Like(o.shape, o.dtype, o.device) for o in as_tuple(output) if isinstance(o, Tensor)
        ]
        return output

    return forward


def backward_by_hand(function: str, rule: Rule) -> Rule:
    """Wrap `backward`: what goes in must fit the outputs, what comes out must fit the inputs."""

    @functools.wraps(rule)
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        if not isinstance(ctx, Context):
            return rule(ctx, *grad_outputs)
        call = ctx._call
        if call is None or call.outputs is None:
            raise ContextError(
                f"{function}.backward was called before forward: this Context is empty; call "
                f"{function}.forward(ctx, ...) first, with this same Context"
            )
        gradients = rule(ctx, *_fit_grad_outputs(function, grad_outputs, call.outputs))
        _check_gradients(function, as_tuple(gradients), call)
        return gradients

    return backward


def as_tuple(value: Any) -> tuple[Any, ...]:
    """What a rule returned, as a tuple: Functions of one output return it bare."""
    return value if isinstance(value, tuple) else (value,)


def _named_inputs(bound: inspect.BoundArguments) -> tuple[list[str], list[Any]]:
    """The inputs after `ctx`, each with its name; `*xs` becomes xs[0], xs[1], ..."""
    names: list[str] = []
    values: list[Any] = []
    for name, value in list(bound.arguments.items())[1:]:
        if bound.signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
            names += [f"{name}[{i}]" for i in range(len(value))]
            values += value
        else:
            names.append(name)
            values.append(value)
    return names, values


def _fit_grad_outputs(function: str, given: tuple[Any, ...], outputs: list[Like]) -> list[Tensor]:
    """One `grad_output` per output, of its shape; a bare number stands for itself everywhere."""
    if len(given) != len(outputs):
        raise GradientError(
            f"{function}.backward takes one grad_output per output of forward: expected "
            f"{len(outputs)}, got {len(given)}"
        )
    fitted = []
    for position, (grad, output) in enumerate(zip(given, outputs, strict=True)):
        name = "grad_output" if len(outputs) == 1 else f"grad_outputs[{position}]"
        if isinstance(grad, int | float):
            grad = torch.tensor(grad)
        if not isinstance(grad, Tensor):
            raise NotATensorError(
                f"{function}.backward: {name} must be a tensor, got {type(grad).__name__}"
            )
        if grad.ndim == 0:
            grad = grad.to(output.device, output.dtype).expand(output.shape)
        elif grad.shape != output.shape:
            raise ShapeError(
                f"{function}.backward: {name} must have the shape of forward's output, "
                f"{tuple(output.shape)}, got {tuple(grad.shape)}"
            )
        fitted.append(grad)
    return fitted


def _check_gradients(function: str, gradients: tuple[Any, ...], call: Call) -> None:
    """One gradient per input, of the input's shape; more may follow only if they are None."""
    expected = len(call.names)
    if len(gradients) < expected or any(extra is not None for extra in gradients[expected:]):
        raise GradientError(
            f"{function}.backward must return one gradient per input ({', '.join(call.names)}): "
            f"expected {expected}, got {len(gradients)}; return None where there is none"
        )
    for name, shape, gradient in zip(call.names, call.shapes, gradients, strict=False):
        if gradient is None:
            continue
        if shape is None or not isinstance(gradient, Tensor):
            raise GradientError(
                f"{function}.backward: the gradient of {name} must be "
                f"{'None, because it is no tensor' if shape is None else 'a tensor or None'}, "
                f"got {type(gradient).__name__}"
            )
        if gradient.shape != shape:
            raise GradientError(
                f"{function}.backward: the gradient of {name} must have the shape of {name}, "
                f"{tuple(shape)}, got {tuple(gradient.shape)}"
            )
