"""The kernel of an activation, derived from the rules of its author."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import wraps
from numbers import Number
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from derivable.formula.agreement import require_agreement
from derivable.formula.messages import say
from derivable.formula.pieces import is_smooth, straight_lines
from derivable.formula.recognition import candidates
from derivable.formula.refusal import NotPointwiseError, Refusal
from derivable.formula.rules import Formulas, X, trace
from derivable.formula.spelling import compiled, spell
from derivable.function import Function
from derivable.function.kernel import Kernel
from derivable.messages import message_of

Result = TypeVar("Result")
_SHAPES = ((3, 5), (7, 2))
_CONSTANT = (Number, str, torch.dtype, type(None))


def once_per_class(
    derive: Callable[..., Result],
) -> Callable[..., Result | Refusal]:
    """`derive`, called once per class and constants; a Refusal where it raises."""
    known: WeakKeyDictionary[type[Function], dict[Any, Result | Refusal]] = WeakKeyDictionary()
    lock = threading.RLock()

    @wraps(derive)
    def derived(function: type[Function], **constants: Any) -> Result | Refusal:
        with lock:
            results = known.setdefault(function, {})
            key = repr([(name, _exactly(value)) for name, value in sorted(constants.items())])
            if key not in results:
                try:
                    # In inference mode PyTorch does not decompose its operations.
                    with torch.inference_mode(False), torch.no_grad():
                        _refuse_constants(function, constants)
                        results[key] = derive(function, **constants)
                except NotPointwiseError as reason:
                    results[key] = Refusal(message_of(reason))
                except Exception as error:  # an author's rule may raise anything
                    gaps = {"kind": type(error).__name__, "error": error}
                    text = say("cannot_be_traced", function=function.__name__, **gaps)
                    results[key] = Refusal(text)
            return results[key]

    return derived


def _exactly(value: Any) -> Any:
    """A value that distinguishes constants; the repr of a tensor shows only some of its digits."""
    return (value.dtype, value.tolist()) if isinstance(value, Tensor) else value


def _refuse_constants(function: type[Function], constants: Mapping[str, Any]) -> None:
    """Refuse a tensor of several numbers, and what its text does not distinguish from others."""
    for name, value in constants.items():
        parts = value if isinstance(value, tuple | list) else [value]
        if isinstance(value, Tensor):
            is_constant = value.numel() == 1
            what = say("tensor_of_shape", shape=str(tuple(value.shape)))
        else:
            is_constant = all(isinstance(part, _CONSTANT) for part in parts)
            what = say("of_type", kind=type(value).__name__)
        if is_constant:
            continue
        text = say("constant", function=function.__name__, name=name, what=what)
        raise NotPointwiseError(text)


@once_per_class
def kernel_of(function: type[Function], **constants: Any) -> Kernel:
    """The kernel of an elementwise Function, with constants as its forward takes them.

    A Refusal, which states why, where forward or backward is not pointwise or where what was traced
    differs from what they give. It takes some milliseconds, once for each class.
    """
    stated = function.__dict__.get("kernel")
    if isinstance(stated, Kernel) and not constants:
        return stated
    if function.forward is torch.autograd.Function.forward:
        raise NotPointwiseError(say("no_forward", function=function.__name__))
    one, other = (_traced(function, shape, constants) for shape in _SHAPES)
    if one != other:
        again = _traced(function, _SHAPES[0], constants)
        key = "other_shape" if one == again else "other_each_time"
        raise NotPointwiseError(say(key, function=function.__name__))
    formulas = _agreeing(function, candidates(one), constants)
    value, slope, second_derivative = formulas
    return Kernel(
        compiled(spell("value", ["x"], value)),
        compiled(spell("slope", ["x", "output"], slope)),
        compiled(spell("second_derivative", ["x", "output"], second_derivative)),
        slopes=straight_lines(formulas),
        smooth=is_smooth(formulas),
    )


def _agreeing(
    function: type[Function], choices: list[Formulas], constants: dict[str, Any]
) -> Formulas:
    """The first of the choices that agrees with the author's rules."""
    for formulas in choices[:-1]:
        with suppress(NotPointwiseError):
            require_agreement(function, formulas, constants)
            return formulas
    require_agreement(function, choices[-1], constants)
    return choices[-1]


def _traced(
    function: type[Function], shape: tuple[int, ...], constants: dict[str, Any]
) -> Formulas:
    x = torch.linspace(-2.3, 1.9, math.prod(shape), dtype=torch.float64).view(shape)
    return trace(function, {X: x}, constants)
