"""`Elementwise`: a Function made from a function of one entry and its slope."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from torch import Tensor

from derivable.errors import DefinitionError
from derivable.function.examples import normal
from derivable.function.function import Function
from derivable.function.kink import Kink
from derivable.function.messages import say
from derivable.shapes import require_tensors


class Elementwise(Function):
    """A Function that acts on each entry, from `function` and its derivative `slope`.

        class Square(Elementwise):
            @staticmethod
            def function(input):
                return input**2

            @staticmethod
            def slope(input):
                return 2 * input

    Only what the parameters of `slope` name is saved: the input, under its name in `function`; the
    value of the function, as `output`; or both. Further inputs of `function` are numbers or
    strings, such as `negative_slope=0.01`; `slope` names those that it needs, too.

    backward is grad_output * conj(slope), which is the convention of PyTorch for complex inputs.
    `kinks` lists the inputs at which there is no derivative, with the slope that is taken there.
    `examples` returns one call with normal numbers; a function that is not defined on all of them,
    or needs further inputs, overrides it.

    Defining a subclass without `function` and `slope`, or with a slope that names something
    unknown, raises DefinitionError. An input that is no tensor raises NotATensorError.
    """

    kinks: tuple[Kink, ...] = ()

    function: Callable[..., Tensor]
    slope: Callable[..., Tensor]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if not all(
            isinstance(cls.__dict__.get(name), staticmethod) for name in ("function", "slope")
        ):
            raise DefinitionError(say("elementwise", function=cls.__name__))
        # mypy forbids assigning to methods; the two rules of a class are assigned here once.
        cls.forward, cls.backward = _rules(cls.__name__, cls.function, cls.slope)  # type: ignore[method-assign]
        super().__init_subclass__(**kwargs)

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        """Example calls for the examiner: tuples of the inputs of `function`."""
        return [(normal(4, 3),)]


def _rules(
    name: str, function: Callable[..., Tensor], slope: Callable[..., Tensor]
) -> tuple[staticmethod[..., Tensor], staticmethod[..., Any]]:
    """The forward and backward of an elementwise function."""
    parameters = inspect.signature(function).parameters
    first, *options = parameters
    wanted = list(inspect.signature(slope).parameters)
    unknown = [word for word in wanted if word not in {first, "output", *options}]
    if unknown:
        gaps = {"first": first, "options": options or say("no_others")}
        raise DefinitionError(say("slope", function=name, unknown=unknown, **gaps))

    def forward(ctx: Any, input: Tensor, *values: Any) -> Tensor:
        require_tensors(name, **{first: input})
        output = function(input, *values)
        available = {first: input, "output": output}
        ctx.save_for_backward(*(available[word] for word in wanted if word in available))
        ctx.values = dict(zip(options, values, strict=False))
        return output

    def backward(ctx: Any, grad_output: Tensor) -> Any:
        saved = iter(ctx.saved_tensors)
        known = {word: next(saved) for word in wanted if word in {first, "output"}}
        given = {word: ctx.values[word] for word in wanted if word in ctx.values}
        grad_input = grad_output * slope(**known, **given).conj()
        return (grad_input, *(None for _ in options)) if options else grad_input

    head = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    shown = inspect.Signature([head, *parameters.values()])
    forward.__signature__ = shown  # type: ignore[attr-defined]  # read by inspect alone
    return staticmethod(forward), staticmethod(backward)
