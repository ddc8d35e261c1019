"""An activation's loops, compiled from its kernel and called through their addresses.

So the passes over a network are compiled once for all activations, and a new activation costs
only the second that its own loops take.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import carray
from numba.extending import register_jitable

import derivable.objective.vector_math as _  # noqa: F401  gives kernels their compiled meaning
from derivable.function.kernel import Kernel
from derivable.objective import address

ACTIVATE, PULL, PUSH, PULL_BOTH = range(4)  # places among the routines of a pass
LOOPS = 4


@cache
def compiled(kernel: Kernel, dtype: np.dtype[Any]) -> tuple[Any, ...]:
    """The loops of `kernel` for numbers of that type, in the order of their places."""
    return tuple(address.compiled(loop, "nxXXXXX", dtype, kernel[:3]) for loop in _loops(kernel))


def _loops(kernel: Kernel) -> Any:
    """In the order of their places: loops over z, the input of the activation, and y = value(z).

    dz is a directional derivative of z, grad the gradient of y, dgrad the derivative of that.
    """
    value, slope, curvature = map(register_jitable, kernel[:3])

    def activate(size, factor, z, y, grad, dz, dgrad):
        """Fill y."""
        z, y = carray(z, size), carray(y, size)
        for i in range(size):
            y[i] = value(z[i])

    def pull(size, factor, z, y, grad, dz, dgrad):
        """Overwrite z with its gradient, where factor * grad is that of y."""
        z, y, grad = carray(z, size), carray(y, size), carray(grad, size)
        for i in range(size):
            z[i] = grad[i] * (factor * slope(z[i], y[i]))

    def push(size, factor, z, y, grad, dz, dy):
        """Fill dy."""
        z, y = carray(z, size), carray(y, size)
        dz, dy = carray(dz, size), carray(dy, size)
        for i in range(size):
            dy[i] = slope(z[i], y[i]) * dz[i]

    def pull_both(size, factor, z, y, grad, dz, dgrad):
        """Overwrite z with its gradient and dz with the directional derivative of that."""
        z, y, grad = carray(z, size), carray(y, size), carray(grad, size)
        dz, dgrad = carray(dz, size), carray(dgrad, size)
        for i in range(size):
            s = slope(z[i], y[i])
            dz[i] = dgrad[i] * s + grad[i] * curvature(z[i], y[i]) * dz[i]
            z[i] = grad[i] * s

    return activate, pull, push, pull_both
