"""The checks around a `forward` or `backward` that is called by hand.

They are the same for every Function, so that an author writes formulas alone: a Context serves one
forward, `grad_output` fits the output, and each gradient fits its argument. Any other `ctx` is
passed on unchecked: autograd calls through `bridge.py`, which checks the gradients too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from derivable.errors import ContextError, InputError
from derivable.function.context import Call, Context
from derivable.function.gradients import Like, as_tuple, check_gradients, fit_grad_outputs
from derivable.function.messages import say
from derivable.function.signature import Signature

Rule = Callable[..., Any]


def forward_by_hand(owner: type, rule: Rule) -> Rule:
    """`owner.forward` with checks: a Context serves one call and records its shapes and dtypes."""
    function = owner.__name__
    signature = Signature(function, rule)

    @functools.wraps(rule)
    def forward(ctx: Any, *inputs: Any, **options: Any) -> Any:
        _require_ctx(function, "forward", ctx)
        values = signature.bind(inputs, options)
        # A Context in use means that a subclass's forward called super().forward(ctx, ...).
        if not isinstance(ctx, Context) or (ctx._call and ctx._call.outputs is None):
            return signature.call(rule, ctx, values)
        if ctx._call is not None:
            raise ContextError(say("used_context", function=function))
        ctx._call = Call(owner, signature, [Like.of(value) for value in values])
        ctx.needs_input_grad = tuple(_differentiable(value) for value in values)
        try:
            output = signature.call(rule, ctx, values)
        except BaseException:
            ctx._call = ctx._saved = None  # after an error the Context can be used again
            raise
        ctx._call.outputs = [Like.of(value) for value in as_tuple(output)]
        return output

    forward.rule = rule  # type: ignore[attr-defined]  # of functions mypy knows no more
    return forward


def backward_by_hand(owner: type, rule: Rule) -> Rule:
    """`owner.backward` with checks of each grad_output and each gradient against the forward."""
    function = owner.__name__

    @functools.wraps(rule)
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        _require_ctx(function, "backward", ctx)
        if not isinstance(ctx, Context) or ctx._running_backward:
            return rule(ctx, *grad_outputs)
        call = ctx._call
        if call is None or call.outputs is None:
            raise ContextError(say("empty_context", function=function))
        if _strangers(call.owner, owner):
            other = call.owner.__name__
            raise ContextError(say("other_context", function=function, other=other))
        fitted = fit_grad_outputs(function, grad_outputs, call.outputs, ctx._materialize)
        ctx._running_backward = True
        try:
            gradients = rule(ctx, *fitted)
        finally:
            ctx._running_backward = False
        check_gradients(call.signature, as_tuple(gradients), call.inputs)
        return gradients

    backward.rule = rule  # type: ignore[attr-defined]  # the same
    return backward


def _require_ctx(function: str, rule: str, ctx: Any) -> None:
    """Raise InputError for what cannot be a ctx, such as the first input if ctx was left out."""
    if isinstance(ctx, Tensor | type | None):
        kind = type(ctx).__name__
        got = say("the_class", name=ctx.__name__) if isinstance(ctx, type) else kind
        raise InputError(say("no_context", function=function, rule=rule, got=got))


def _strangers(one: type, other: type) -> bool:
    """Whether two Functions are different and both define forward and backward themselves.

    Names are compared, because a notebook cell defines the same Function each time it runs.
    """
    both = {"forward", "backward"}
    return one.__name__ != other.__name__ and both <= vars(one).keys() & vars(other).keys()


def as_written(rule: Rule) -> Rule:
    """A rule as its author wrote it, decorators included, without the checks around it."""
    written: Rule = getattr(rule, "rule", rule)
    return written


def _differentiable(value: Any) -> bool:
    """Whether `value` is a tensor that can have a gradient."""
    return isinstance(value, Tensor) and (torch.is_floating_point(value) or torch.is_complex(value))
