"""Classes whose `forward(ctx, ...)` is called by hand: seen while they run, and made Functions of.

A class need not be a Function for that: students write plain ones, with a Context of their own.
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

Seen = Callable[[type, Any, tuple[Any, ...], dict[str, Any]], None]


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
    if not has_rules(value) or is_function(value):
        return False
    rules = [_rule(value, "forward"), _rule(value, "backward")]
    return all(rule is not None and rule.__code__.co_varnames[0] != "self" for rule in rules)


def watch(owner: type, seen: Seen) -> Callable[[], None]:
    """Have `seen(owner, ctx, inputs, options)` called before each forward by hand.

    Returns what takes the watch off again.
    """
    written = vars(owner)["forward"]
    rule = written.__func__ if isinstance(written, staticmethod) else written

    @functools.wraps(rule)
    def forward(ctx: Any, *inputs: Any, **options: Any) -> Any:
        if not _is_autograds(ctx):
            seen(owner, ctx, inputs, options)
        return rule(ctx, *inputs, **options)

    static = isinstance(written, staticmethod)
    setattr(owner, "forward", staticmethod(forward) if static else forward)  # noqa: B010
    return functools.partial(setattr, owner, "forward", written)


def maker(ctx: Any) -> Callable[[], Any]:
    """What makes another ctx like this one, which no forward has filled yet."""
    kind = type(ctx)
    if kind is Recorder:
        return Context
    try:
        kind()
    except Exception:  # it takes arguments
        kept = copy.copy(ctx)
        return lambda: copy.copy(kept)
    return kind


def as_function(owner: type, context: Callable[[], Any]) -> type[torch.autograd.Function]:
    """A Function that runs the two rules of `owner` by hand, with a ctx made by `context`."""
    run, pull = _rule(owner, "forward"), _rule(owner, "backward")
    assert run is not None
    assert pull is not None

    @functools.wraps(run)
    def forward(ctx: Any, *inputs: Any) -> Any:
        ctx.by_hand = context()
        return run(ctx.by_hand, *inputs)

    @functools.wraps(pull)
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        if torch.is_grad_enabled():
            raise RuntimeError("a class that is no Function is run by hand, to first order")
        return pull(ctx.by_hand, *grad_outputs)

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


def _is_autograds(ctx: Any) -> bool:
    """Whether it is no call by hand: a ctx of PyTorch's or of ours, or no ctx at all."""
    if isinstance(ctx, Context | Recorder):
        return False
    ours = isinstance(ctx, Tape | torch.autograd.function.FunctionCtx | Tensor | type | None)
    return ours or type(ctx).__module__.startswith("torch.")
