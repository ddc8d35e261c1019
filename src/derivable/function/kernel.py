"""`Kernel`: an activation as arithmetic on one number, for compiled loops.

The functions of a kernel are plain Python on a NumPy number, so that they can be read and tested
without compiling. They are made of the functions below; in compiled loops these are replaced by
versions that vectorise (`derivable.objective.vector_math`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

VOCABULARY = (
    "like", "where", "sqrt", "power", "exp", "expm1", "log", "log1p", "softplus", "tanh", "erf",
    "erfc", "sin", "cos", "atan", "floor",
)  # fmt: skip


class Kernel(NamedTuple):
    """The value of an activation at x, and its first two derivatives there.

    `output` is value(x). Constants are written like(x, 0.5), so that float32 stays float32. Loops
    are compiled once for each function, so two kernels of one formula share the same functions.
    """

    value: Callable[[Any], Any]  # (x)
    slope: Callable[[Any, Any], Any]  # (x, output)
    second_derivative: Callable[
        [Any, Any], Any
    ]  # (x, output); 0 almost everywhere for straight pieces
    slopes: tuple[float, float] | None = None  # of two straight lines that meet in (0, 0)
    smooth: bool = True  # whether neither value nor slope jumps


def like(x: Any, constant: float) -> Any:
    """`constant` as a number of the type of `x`."""
    return type(x)(constant)


def where(condition: Any, a: Any, b: Any) -> Any:
    """`a` where the condition holds, else `b`; both are computed."""
    return a if condition else b


def sqrt(x: Any) -> Any:
    """The square root of x."""
    return type(x)(np.sqrt(x))


def power(x: Any, exponent: Any) -> Any:
    """The power of x with that exponent."""
    return type(x)(np.power(x, exponent))


def exp(x: Any) -> Any:
    """The exponential of x."""
    return type(x)(np.exp(x))


def expm1(x: Any) -> Any:
    """The exponential of x, less 1, without cancellation."""
    return type(x)(np.expm1(x))


def log(x: Any) -> Any:
    """The natural logarithm of x."""
    return type(x)(np.log(x))


def log1p(x: Any) -> Any:
    """The natural logarithm of 1 + x, without cancellation."""
    return type(x)(np.log1p(x))


def softplus(x: Any) -> Any:
    """The natural logarithm of 1 + exp(x), without overflow or cancellation."""
    return type(x)(np.logaddexp(x, type(x)(0)))


def tanh(x: Any) -> Any:
    """The hyperbolic tangent of x."""
    return type(x)(np.tanh(x))


def erf(x: Any) -> Any:
    """The error function of x."""
    return type(x)(math.erf(x))


def erfc(x: Any) -> Any:
    """1 - erf(x), without cancellation."""
    return type(x)(math.erfc(x))


def sin(x: Any) -> Any:
    """The sine of x."""
    return type(x)(np.sin(x))


def cos(x: Any) -> Any:
    """The cosine of x."""
    return type(x)(np.cos(x))


def atan(x: Any) -> Any:
    """The inverse tangent of x."""
    return type(x)(np.arctan(x))


def floor(x: Any) -> Any:
    """The largest whole number that is not above x."""
    return type(x)(np.floor(x))
