"""The inputs of a `forward(ctx, ...)`: their names, their order and their defaults."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from derivable.errors import DefinitionError, InputError
from derivable.function.messages import say


class Signature:
    """The inputs of a Function as its `forward` declares them.

    Autograd takes inputs by position only. `bind` converts keywords and defaults to positions,
    and `call` passes keyword-only inputs by name again.
    """

    def __init__(self, function: str, forward: Callable[..., Any]) -> None:
        self.function = function
        found = list(inspect.signature(forward).parameters.values())
        parameters = found[1:]  # without ctx
        if not found or any(p.kind is p.VAR_KEYWORD for p in parameters):
            raise DefinitionError(say("signature", function=function))
        self.positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        self.variadic = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
        self.keyword_only = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
        self.fixed = len(self.positional) + len(self.keyword_only)
        self._signature = inspect.Signature(parameters)

    @property
    def shown(self) -> inspect.Signature:
        """The signature of `apply`, a classmethod, as `help` and editors show it."""
        cls = inspect.Parameter("cls", inspect.Parameter.POSITIONAL_ONLY)
        return inspect.Signature([cls, *self._signature.parameters.values()])

    def bind(self, inputs: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, ...]:
        """All inputs in the order of `forward`, with defaults filled in.

        Raises InputError if one is missing, unknown or given twice.
        """
        if not options and len(inputs) == self.fixed and not self.keyword_only:
            return inputs
        try:
            bound = self._signature.bind(*inputs, **options)
        except TypeError as error:
            gaps = {"error": error, "signature": self._signature}
            raise InputError(say("bind", function=self.function, **gaps)) from None
        bound.apply_defaults()
        return *bound.args, *bound.kwargs.values()

    def call(self, forward: Callable[..., Any], ctx: Any, inputs: tuple[Any, ...]) -> Any:
        """Call `forward` with inputs in the order of `bind`."""
        if not self.keyword_only:
            return forward(ctx, *inputs)
        cut = len(inputs) - len(self.keyword_only)
        named = dict(zip(self.keyword_only, inputs[cut:], strict=True))
        return forward(ctx, *inputs[:cut], **named)

    def names(self, count: int) -> list[str]:
        """The names of `count` inputs in the order of `bind`; *xs is xs[0], xs[1], ..."""
        names = [p.name for p in self.positional]
        names += [f"{self.variadic}[{i}]" for i in range(count - self.fixed)]
        return names + self.keyword_only
