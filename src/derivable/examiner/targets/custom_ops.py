"""Custom operators of `torch.library`, examined as Functions: by the rules registered for them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from torch._library.custom_ops import OPDEFS, CustomOpDef
from torch._ops import OpOverload, OpOverloadPacket

from derivable.errors import InputError
from derivable.examiner.message import Message
from derivable.examiner.messages import error_of
from derivable.examiner.targets.recorder import Recorder
from derivable.examiner.targets.target import Adapter, FunctionAdapter, Inputs
from derivable.function.gradients import as_tuple


def custom_op_of(target: Any) -> CustomOpDef | None:
    """The definition of a custom operator, also from torch.ops; None for anything else."""
    if isinstance(target, CustomOpDef):
        return target
    if isinstance(target, OpOverloadPacket):
        return OPDEFS.get(target._qualified_op_name)
    if isinstance(target, OpOverload):
        return OPDEFS.get(target.name().partition(".")[0])
    return None


class CustomOpAdapter(FunctionAdapter):
    """A custom operator: its implementation, and the backward and setup_context registered for it.

    Raises InputError where no backward is registered.
    """

    def __init__(self, definition: CustomOpDef) -> None:
        Adapter.__init__(self, definition._qualname, definition)
        if definition._backward_fn is None:
            raise error_of(InputError, "error.operator_without_backward", name=self.name)
        self.ours, self.split, self.signature, self.protect = False, True, None, False
        self.forward: Callable[..., Any] = definition._init_fn
        self.arguments = definition._opoverload._schema.arguments
        self.backward = self._with_keywords(definition._backward_fn)

    def _with_keywords(self, backward: Callable[..., Any]) -> Callable[..., Any]:
        """`backward` with None for each keyword-only input, which has no gradient to return."""
        more = (None,) * sum(argument.kwarg_only for argument in self.arguments)

        @functools.wraps(backward)
        def padded(ctx: Any, *grad_outputs: Any) -> tuple[Any, ...]:
            return (*as_tuple(backward(ctx, *grad_outputs)), *more)

        return padded

    @property
    def apply(self) -> Callable[..., Any]:
        """The operator, through PyTorch's dispatcher; keyword-only inputs follow the others."""

        def call(*inputs: Any) -> Any:
            positional, keywords = self._parted(inputs)
            return self.target(*positional, **keywords)

        return call

    def _parted(self, inputs: Inputs) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """The positional inputs, and those by keyword."""
        count = sum(not argument.kwarg_only for argument in self.arguments)
        names = [argument.name for argument in self.arguments[count:]]
        return tuple(inputs[:count]), dict(zip(names, inputs[count:], strict=False))

    def bind(self, inputs: Inputs, options: dict[str, Any]) -> list[Any]:
        """The inputs in the order of the schema, its defaults filled in.

        Raises InputError for an unknown and for a missing input.
        """
        names = self.names(len(self.arguments))
        unknown = [name for name in options if name not in names[len(inputs) :]]
        if unknown or len(inputs) > len(names):
            raise error_of(
                InputError, "error.operator_takes", name=self.name, names=names,
                count=len(inputs), keywords=list(options) or Message("error.none"),
            )  # fmt: skip
        bound = list(inputs)
        for argument in self.arguments[len(inputs) :]:
            if argument.name not in options and not argument.has_default_value():
                raise error_of(
                    InputError, "error.input_missing", function=self.name, argument=argument.name
                )
            bound.append(options.get(argument.name, argument.default_value))
        return bound

    def names(self, count: int) -> list[str]:
        """The names in the operator's schema."""
        return [argument.name for argument in self.arguments][:count]

    def _forward(self, ctx: Recorder, inputs: list[Any]) -> Any:
        positional, keywords = self._parted(inputs)
        returned = self.forward(*positional, **keywords)
        setup = self.target._setup_context_fn
        if setup is not None and keywords:
            setup(ctx=ctx, inputs=positional, keyword_only_inputs=keywords, output=returned)
        elif setup is not None:
            setup(ctx=ctx, inputs=positional, output=returned)
        return returned
