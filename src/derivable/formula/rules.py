"""The formulas of a Function: its forward and backward, traced by hand with a Context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from derivable.formula.derivative import differentiate
from derivable.formula.expression import Expression, ordered, variable, variables
from derivable.formula.messages import say
from derivable.formula.refusal import NotPointwiseError
from derivable.formula.tracing import Recorder
from derivable.function import Context, Function
from derivable.function.gradients import as_tuple

_MOST_NODES = 500
X, OUTPUT, TARGET, GRAD = map(variable, ("x", "output", "target", "grad_output"))


class Formulas(NamedTuple):
    """Value and derivatives as expressions of x and output, or of x and target."""

    value: Expression
    slope: Expression  # what backward multiplies grad_output by
    second_derivative: Expression  # the derivative of the slope along x


def trace(
    function: type[Function],
    inputs: Mapping[Expression, Tensor],
    options: Mapping[str, Any],
) -> Formulas:
    """The formulas of `function` at these inputs, of which the first is differentiated.

    Its output is a variable in the slope where backward has saved it, and changes along x by the
    slope; one number is its own sum and mean. Raises NotPointwiseError with the reason.
    """
    x, *_ = inputs.values()
    recorder = Recorder(function.__name__, scalar=x.numel() == 1)
    for name, tensor in inputs.items():
        recorder.name(tensor, name)
    ctx = Context()
    with recorder, torch.no_grad():
        output = _single(function, "forward", function.forward(ctx, *inputs.values(), **options))
    value = _made(recorder, function, "forward", output)
    if TARGET not in inputs:
        recorder.name(output, OUTPUT)
    recorder.rule = "backward"
    grad_output = torch.linspace(-1.5, 2.0, output.numel(), dtype=x.dtype).view(output.shape)
    recorder.name(grad_output, GRAD)
    with recorder, torch.no_grad():
        gradient, *_ = as_tuple(function.backward(ctx, grad_output))
    gradient = _made(recorder, function, "backward", _single(function, "backward", gradient))
    slope = differentiate(gradient, {GRAD: 1.0})
    if "grad_output" in variables(slope):
        raise NotPointwiseError(say("not_linear", function=function.__name__))
    return Formulas(value, slope, differentiate(slope, {X: 1.0, OUTPUT: slope}))


def _made(recorder: Recorder, function: type[Function], rule: str, tensor: Tensor) -> Expression:
    """The expression of a result."""
    expression = recorder.expression_of(tensor)
    name = f"{function.__name__}.{rule}"
    if expression is None:
        raise NotPointwiseError(say("not_made", name=name))
    if len(ordered(expression)) > _MOST_NODES:
        raise NotPointwiseError(say("too_long", name=name, most=_MOST_NODES))
    return expression


def _single(function: type[Function], rule: str, result: Any) -> Tensor:
    """The one tensor that a rule returns."""
    if not isinstance(result, Tensor):
        several = isinstance(result, Sequence)
        kind = say("several_tensors") if several else type(result).__name__
        raise NotPointwiseError(say("one_tensor", name=f"{function.__name__}.{rule}", kind=kind))
    return result
