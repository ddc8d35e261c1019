"""`PlainAdapter`: runs a plain class with a forward and a backward, without autograd.

    class Cube:                                  class Cube:
        @staticmethod                                def forward(self, x):
        def forward(ctx, x): ...                         self.x = x
        @staticmethod                                    ...
        def backward(ctx, grad_output): ...          def backward(self, grad_output): ...

A forward with a ctx receives a Recorder; attributes that it lacks come from a Context class of the
same module. Without a ctx, each run uses a new object. Gradients are those of forward's inputs.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from derivable.errors import InputError
from derivable.examiner.messages import error_of
from derivable.examiner.targets.recorder import Recorder
from derivable.examiner.targets.target import Adapter, FunctionAdapter, is_float
from derivable.function.gradients import as_tuple

CONTEXTS = ("ctx", "context", "ctxt", "cache", "tape", "saved", "memory", "_ctx")


class PlainAdapter(FunctionAdapter):
    """The adapter of a plain class, which is run by hand, as its author runs it."""

    recordable = False

    def __init__(self, plain: type) -> None:
        Adapter.__init__(self, plain.__name__, plain)
        self.ours, self.signature, self.protect = False, None, False
        self.with_ctx = _has_ctx(plain)
        self.split = not self.with_ctx  # forward takes its inputs alone
        self.context = _context_of(plain)
        owner: Any = plain() if _needs_object(plain) else plain
        self.forward = owner.forward
        self.backward = owner.backward if self.with_ctx else _of_its_object(plain)

    def _ctx(self, needs: tuple[bool, ...]) -> Recorder:
        return self.context(needs, self.protect)

    def _forward(self, ctx: Recorder, inputs: list[Any]) -> Any:
        if self.with_ctx:
            return self.forward(ctx, *inputs)
        ctx._object = self.target()
        return ctx._object.forward(*inputs)  # type: ignore[attr-defined]

    def _recorded(self, inputs: Any) -> Any:
        raise error_of(InputError, "error.plain_class", name=self.name)


def is_plain_function_class(value: Any) -> bool:
    """Whether `value` is a class with a forward and a backward that can be examined by hand.

    Excluded are torch.autograd.Function, torch.nn.Module, abstract bases that only raise
    NotImplementedError, and classes whose forward needs an object that takes arguments.
    """
    if not isinstance(value, type) or issubclass(
        value, torch.autograd.Function | nn.Module | Tensor
    ):
        return False
    if not all(callable(getattr(value, name, None)) for name in ("forward", "backward")):
        return False
    try:
        if not _inputs(value) or (_needs_object(value) and _required(value.__init__, 1)):
            return False
    except (TypeError, ValueError):  # written in C
        return False
    return not (value.__subclasses__() and _raises_only(value.forward))  # type: ignore[attr-defined]


def by_hand(plain: type) -> type[torch.autograd.Function]:
    """A torch.autograd.Function whose rules are those of a plain class, for reproductions."""
    adapter = PlainAdapter(plain)

    class ByHand(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Any:
            wanted = [i for i, value in enumerate(inputs) if is_float(value)]
            ctx.run = adapter.run(inputs, wanted)
            outputs = ctx.run.outputs
            return outputs[0] if len(outputs) == 1 else tuple(outputs)

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            found = as_tuple(ctx.run.vjp([grads[i] for i in ctx.run.differentiable]))
            return found + (None,) * (len(ctx.run.inputs) - len(found))

    return ByHand


def _needs_object(plain: type) -> bool:
    """Whether forward is a method of an object: neither static nor of the class."""
    rule = inspect.getattr_static(plain, "forward")
    if isinstance(rule, staticmethod | classmethod):
        return False
    names = list(inspect.signature(rule).parameters)
    return bool(names) and names[0] == "self"


def _inputs(plain: type) -> list[str]:
    """The parameters of forward without self, cls and ctx."""
    names = _own(plain, "forward")
    return names[1:] if _has_ctx(plain) else names


def _own(plain: type, method: str) -> list[str]:
    """The parameters of a method without self or cls."""
    rule = inspect.getattr_static(plain, method)
    bound = isinstance(rule, classmethod) or _needs_object(plain)
    rule = rule.__func__ if isinstance(rule, staticmethod | classmethod) else rule
    return list(inspect.signature(rule).parameters)[1 if bound else 0 :]


def _has_ctx(plain: type) -> bool:
    """Whether forward and backward share a ctx, their first parameter."""
    forward, backward = _own(plain, "forward"), _own(plain, "backward")
    if not forward or not backward:
        return False
    return forward[0] in CONTEXTS or (forward[0] == backward[0] and not _needs_object(plain))


def _of_its_object(plain: type) -> Callable[..., Any]:
    """The backward of the object whose forward was run."""

    def backward(ctx: Any, *grads: Any) -> Any:
        return ctx._object.backward(*grads)

    backward.__wrapped__ = plain.backward  # type: ignore[attr-defined]  # the source to be shown
    return backward


def _context_of(plain: type) -> type[Recorder]:
    """A class of Recorder with the further attributes of a Context class of the same module."""
    module = sys.modules.get(plain.__module__)
    theirs = next((value for value in vars(module or object).values()
                   if isinstance(value, type) and value.__module__ == plain.__module__
                   and ("context" in value.__name__.lower() or value.__name__.lower() == "ctx")
                   and not issubclass(value, Recorder)), None)  # fmt: skip
    if theirs is None:
        return _Items
    standard = "saved_tensors" in _source(plain.backward)  # type: ignore[attr-defined]
    bases = (_Items, theirs) if standard else (theirs, _Items)

    def start(self: Any, needs: tuple[bool, ...], protect: bool = False) -> None:
        _Items.__init__(self, needs, protect)
        if "__init__" in vars(theirs) and not _required(theirs.__init__, 1):
            theirs.__init__(self)

    return type(theirs.__name__, bases, {"__init__": start})


class _Items(Recorder):
    """A Recorder that also supports items: `ctx["x"] = x`."""

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self, str(name), value)

    def __getitem__(self, name: str) -> Any:
        return getattr(self, str(name))


def _required(rule: Callable[..., Any], skipped: int) -> int:
    """How many arguments without a default a function has, after the first `skipped`."""
    if rule is object.__init__:
        return 0
    parameters: Sequence[inspect.Parameter] = list(inspect.signature(rule).parameters.values())
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)
    return sum(p.default is p.empty and p.kind in named for p in parameters[skipped:])


def _source(rule: Callable[..., Any]) -> str:
    try:
        return textwrap.dedent(inspect.getsource(rule))
    except (OSError, TypeError):
        return ""


def _raises_only(rule: Callable[..., Any]) -> bool:
    """Whether a function does nothing but raise."""
    try:
        body = ast.parse(_source(rule)).body[0].body  # type: ignore[attr-defined]
    except (SyntaxError, IndexError, AttributeError):
        return False
    kept = [s for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return all(isinstance(s, ast.Raise | ast.Pass) for s in kept)
