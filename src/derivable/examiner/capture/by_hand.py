"""Classes whose `forward(ctx, ...)` is called by hand: observes calls, and makes Functions of them.

Such a class need not be a Function: students write plain ones, with a Context of their own.
"""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from derivable.examiner.targets.recorder import Recorder
from derivable.function.context import Context, Tape

OnForward = Callable[[type, Any, tuple[Any, ...], dict[str, Any]], None]
OnBackward = Callable[[type], None]


def has_rules(value: Any) -> bool:
    """Whether it is a class with a forward(ctx, ...) and a backward(ctx, ...) of its own or a base.

    False for modules, for Functions without a rule, and for the split style, whose forward takes
    no ctx.
    """
    if not isinstance(value, type) or issubclass(value, nn.Module):
        return False
    rules = [_rule(value, "forward"), _rule(value, "backward")]
    if issubclass(value, torch.autograd.Function):
        base = torch.autograd.Function
        split = value.setup_context is not base.setup_context
        return not split and value.forward is not base.forward
    return all(rule is not None and rule.__code__.co_argcount >= 2 for rule in rules)


def is_function(value: Any) -> bool:
    """Whether it is a subclass of PyTorch's Function, which derivable's is, too."""
    return isinstance(value, type) and issubclass(value, torch.autograd.Function)


def is_plain(value: Any) -> bool:
    """Whether it is such a class and no Function; its first argument is a ctx and not `self`."""
    return has_rules(value) and not is_function(value) and not takes_self(value)


def takes_self(value: Any) -> bool:
    """Whether its forward is a method of an object, which keeps what backward needs."""
    rule = _rule(value, "forward")
    return rule is not None and bool(rule.__code__.co_varnames[0] == "self")


def watch(owner: type, on_forward: OnForward, on_backward: OnBackward) -> Callable[[], None]:
    """Call `on_forward(owner, ctx, inputs, options)` before each forward by hand of `owner`.

    `on_backward(owner)` is called if a backward receives a tensor of the shape that the forward
    with the same ctx returned: not every method called backward is one. Returns a function that
    restores the class.
    """
    last: list[Any] = [None, None]  # the ctx of the last forward by hand, and what it returned

    def observed_forward(rule: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(rule)
        def forward(ctx: Any, *inputs: Any, **options: Any) -> Any:
            if _is_called_by_autograd(ctx):
                return rule(ctx, *inputs, **options)
            on_forward(owner, ctx, inputs, options)
            returned = rule(ctx, *inputs, **options)
            last[:] = [ctx, getattr(returned, "shape", None)]
            return returned

        return forward

    def observed_backward(rule: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(rule)
        def backward(ctx: Any, *grad_outputs: Any) -> Any:
            if ctx is last[0] and [getattr(g, "shape", None) for g in grad_outputs] == last[1:]:
                on_backward(owner)
            return rule(ctx, *grad_outputs)

        return backward

    names = ("forward",) if is_function(owner) else ("forward", "backward")
    written = {name: vars(owner)[name] for name in names if name in vars(owner)}
    for name, rule in written.items():
        static = isinstance(rule, staticmethod)
        wrap = observed_forward if name == "forward" else observed_backward
        wrapped = wrap(rule.__func__ if static else rule)
        setattr(owner, name, staticmethod(wrapped) if static else wrapped)

    def restore() -> None:
        last[:] = [None, None]
        for name, rule in written.items():
            setattr(owner, name, rule)

    return restore


def context_factory(ctx: Any, owner: type) -> Callable[[], Any]:
    """A function that makes a new ctx of the same kind as `ctx`.

    Where forward is a method of an object, its own attributes are copied.
    """
    kind = type(ctx)
    if kind is Recorder:
        return Context
    if issubclass(kind, owner):
        kept = _copy_of_object(ctx)
        return lambda: _copy_of_object(kept)
    try:
        kind()
    except Exception:  # it takes arguments
        kept = copy.copy(ctx)
        return lambda: copy.copy(kept)
    return kind


def _copy_of_object(one: Any) -> Any:
    """A copy of an object, with copies of its tensors, which backward may add to."""
    other = copy.copy(one)
    for name, value in vars(one).items():
        if isinstance(value, Tensor):
            vars(other)[name] = value.detach().clone()
    return other


def as_function(owner: type, context: Callable[[], Any]) -> type[torch.autograd.Function]:
    """A Function that runs the two rules of `owner` by hand, with a ctx made by `context`."""
    forward_rule, backward_rule = _rule(owner, "forward"), _rule(owner, "backward")
    assert forward_rule is not None
    assert backward_rule is not None

    @functools.wraps(forward_rule)
    def forward(ctx: Any, *inputs: Any) -> Any:
        ctx.by_hand = context()
        return forward_rule(ctx.by_hand, *inputs)

    @functools.wraps(backward_rule)
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        if torch.is_grad_enabled():
            raise RuntimeError("a class that is no Function is run by hand, to first order")
        return backward_rule(ctx.by_hand, *grad_outputs)

    rules = {
        "forward": staticmethod(forward),
        "backward": staticmethod(backward),
        "__module__": owner.__module__,
        "__qualname__": owner.__qualname__,
    }
    return types.new_class(
        owner.__name__, (torch.autograd.Function,), exec_body=lambda names: names.update(rules)
    )


def _rule(owner: type, name: str) -> Any:
    """The function below a static or plain method; None for anything else."""
    for base in owner.__mro__:
        if name in vars(base):
            found = vars(base)[name]
            found = found.__func__ if isinstance(found, staticmethod) else found
            found = getattr(found, "rule", found)  # without our checks of a call by hand
            written = functools.reduce(lambda f, _: getattr(f, "__wrapped__", f), range(9), found)
            return found if isinstance(written, types.FunctionType) else None
    return None


def _is_called_by_autograd(ctx: Any) -> bool:
    """Whether a call is not by hand: it has a ctx of PyTorch or of derivable, or none."""
    if isinstance(ctx, Context | Recorder):
        return False
    ours = isinstance(ctx, Tape | torch.autograd.function.FunctionCtx | Tensor | type | None)
    return ours or type(ctx).__module__.startswith("torch.")
