"""`Kernel`: an activation as arithmetic on one number, for loops that are compiled.

The functions of a kernel are plain Python on a float, so that they can be read and tested as they
are; `exp` and `tanh` below stand for versions that a compiler turns into vector instructions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple


class Kernel(NamedTuple):
    """The value of an activation at x, and its first two derivatives there.

    Each is a function of a module, not a lambda, because compiled code is kept on disk under its
    name. `output` is value(x). Constants are written like(x, 0.5), so that float32 stays float32.
    """

    value: Callable[[Any], Any]  # (x)
    slope: Callable[[Any, Any], Any]  # (x, output)
    curvature: Callable[[Any, Any], Any]  # (x, output); 0 almost everywhere for straight pieces
    slopes: tuple[float, float] | None = None  # of two straight lines that meet in (0, 0)


def like(x: Any, constant: float) -> Any:
    """`constant` as a number of the type of `x`."""
    return type(x)(constant)


def exp(x: Any) -> Any:
    """The exponential of x."""
    return type(x)(math.exp(x))


def tanh(x: Any) -> Any:
    """The hyperbolic tangent of x."""
    return type(x)(math.tanh(x))


def straight(x: Any, output: Any) -> Any:
    """The curvature of a function made of straight pieces."""
    return like(x, 0.0)
