"""Comparison of derived formulas with the author's own rules, in both dtypes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from derivable.formula.expression import evaluate
from derivable.formula.messages import say
from derivable.formula.refusal import NotPointwiseError
from derivable.formula.rules import Formulas
from derivable.function import Context, Function
from derivable.function.gradients import as_tuple

DTYPES = (torch.float32, torch.float64)
_ROUNDINGS = 64  # by which two orders of the same operations may differ
_CORNERS = (0.5, 1.0, 2.0, 3.0, 6.0, 20.0)  # where authors put their kinks and thresholds
_SIZES = (1e-30, 1e-12, 1e-6, 1e-3, 40.0, 80.0, 100.0, 300.0, 1e3, 1e4, 1e6, 1e12, 1e30)


def points(dtype: torch.dtype, options: Mapping[str, Any]) -> Tensor:
    """Inputs of both signs: 0, corners and their neighbours, usual numbers, tiny and large ones.

    Corners are the usual places of kinks, and the numbers among the options of the Function.
    """
    own = [abs(float(one)) for one in options.values() if isinstance(one, Real)]
    corners = torch.tensor([*_CORNERS, *own], dtype=dtype)
    ends = (torch.tensor(end, dtype=dtype) for end in (0, math.inf))
    below, above = (torch.nextafter(corners, end) for end in ends)
    usual = torch.linspace(0.013, 12.7, 61, dtype=dtype)
    positive = torch.cat([corners, below, above, usual, torch.tensor(_SIZES, dtype=dtype)])
    return torch.cat([positive, -positive, torch.zeros(1, dtype=dtype)])


def signed(shape: torch.Size | tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """A grad_output of either sign; drawn without touching the default generator."""
    generator = torch.Generator().manual_seed(13)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def run_by_hand(
    function: type[Function], inputs: tuple[Tensor, ...], options: Mapping[str, Any]
) -> tuple[Tensor, Tensor, Tensor]:
    """Output, a random grad_output, and the gradient of the first input, by the author's rules.

    They get copies of the inputs, since a rule may write into them.
    """
    ctx, options = Context(), in_dtype(options, inputs[0].dtype)
    with torch.no_grad():
        output = function.forward(ctx, *(tensor.clone() for tensor in inputs), **options)
        output = output.clone()  # backward may write into it
        grad_output = signed(output.shape, output.dtype)
        gradient, *_ = as_tuple(function.backward(ctx, grad_output.clone()))
    return output, grad_output, gradient


def in_dtype(options: Mapping[str, Any], dtype: torch.dtype) -> dict[str, Any]:
    """The options, with tensors of floating-point numbers in that dtype."""
    return {
        name: value.to(dtype) if isinstance(value, Tensor) and value.is_floating_point() else value
        for name, value in options.items()
    }


def require_agreement(
    function: type[Function], formulas: Formulas, options: Mapping[str, Any]
) -> None:
    """Raise NotPointwiseError, with the input, where value or slope differs beyond rounding."""
    for dtype in DTYPES:
        x = points(dtype, options)
        theirs, grad_output, gradient = run_by_hand(function, (x.view(-1, 1),), options)
        if theirs.shape != (len(x), 1) or theirs.dtype != dtype:
            got = f"{theirs.dtype} {tuple(theirs.shape)}".removeprefix("torch.")
            given = f"{dtype} {(len(x), 1)}".removeprefix("torch.")
            text = say("not_pointwise", function=function.__name__, got=got, given=given)
            raise NotPointwiseError(text)
        theirs, grad_output, gradient = (t.view(-1) for t in (theirs, grad_output, gradient))
        value, slope, second_derivative = at(formulas, x)
        index = disagreement(value, theirs, x * slope)
        if index is not None:
            raise _differs(function, "forward", x[index], value[index], theirs[index])
        ours = grad_output * slope
        index = disagreement(ours, gradient, grad_output * x * second_derivative)
        if index is not None:
            raise _differs(function, "backward", x[index], ours[index], gradient[index])


def at(formulas: Formulas, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Value, slope and second derivative at each entry of `x`."""
    (value,) = evaluate([formulas.value], {"x": x})
    slope, second_derivative = evaluate(formulas[1:], {"x": x, "output": value})
    return value, slope, second_derivative


def disagreement(ours: Tensor, theirs: Tensor, sensitivity: Tensor) -> int | None:
    """The first position at which the two differ by more than rounding; None if there is none.

    `sensitivity` is their change per relative change of the input, whose rounding counts as well.
    Entries that are infinite or NaN by the author's rules are not compared.
    """
    eps = torch.finfo(ours.dtype).eps
    allowed = _ROUNDINGS * eps * (1 + theirs.abs() + sensitivity.nan_to_num(0, 0, 0).abs())
    wrong = theirs.isfinite() & ~((ours - theirs).abs() <= allowed)
    return int(wrong.flatten().nonzero()[0]) if wrong.any() else None


def _differs(
    function: type[Function], rule: str, x: Tensor, ours: Tensor, theirs: Tensor
) -> NotPointwiseError:
    digits = 2 - math.floor(math.log10(torch.finfo(x.dtype).eps))
    at_input, given, traced = (f"{float(number):.{digits}g}" for number in (x, theirs, ours))
    gaps = {"place": at_input, "given": given, "traced": traced}
    return NotPointwiseError(say("differs", function=function.__name__, rule=rule, **gaps))
