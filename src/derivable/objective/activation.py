"""An activation's loops, compiled from its kernel and called through their addresses.

So the passes over a network are compiled once for all activations, and a new activation costs
only the second that its own loops take.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba.extending import register_jitable

from derivable.compiler.jit import Routine
from derivable.compiler.memory import array, part, routine
from derivable.function.kernel import Kernel

ACTIVATE, VJP, VJP_ONE_OUTPUT, JVP, VJP_TANGENT = range(5)  # places among the routines of a pass
LOOPS = 5
VECTORS = "derivable.objective.vector_math"  # how exp, tanh and others of a kernel are compiled


@cache
def loops(kernel: Kernel, dtype: np.dtype[Any]) -> tuple[Routine, ...]:
    """The loops of `kernel` for numbers of that type, in the order of their places.

    They run over z, the input of the activation, and y = value(z); dz is a directional derivative
    of z, grad the gradient of y, dgrad the derivative of that.
    """
    kinds = ("nXX", "nXXX", "nnXXXX", "nXXXX", "nXXXXX")
    return tuple(
        routine(loop, kind, dtype, parts=kernel[:3], needs=[VECTORS], seconds=0.1)
        for loop, kind in zip(_written_out(kernel), kinds, strict=True)
    )


def _written_out(kernel: Kernel) -> Any:
    # inlined, because LLVM leaves a call of a long function, around which no loop is vectorised
    value, slope, second_derivative = map(register_jitable(forceinline=True), kernel[:3])

    def activate(size, z, y):
        """Fill y."""
        z, y = array(z, size), array(y, size)
        for i in range(size):
            y[i] = value(z[i])

    def vjp(size, z, y, grad):
        """Overwrite z with its gradient, where grad is that of y."""
        z, y, grad = array(z, size), array(y, size), array(grad, size)
        for i in range(size):
            z[i] = grad[i] * slope(z[i], y[i])

    def vjp_one_output(size, rows, z, y, grad, w):
        """The same of units with one output above them: w[h] * grad is that of unit h."""
        units = size // rows
        z, y, grad, w = array(z, size), array(y, size), array(grad, rows), array(w, units)
        for h in range(units):
            # parts, because an index that is a difference keeps a loop from being vectorised
            mine, output = part(z, h * rows, rows), part(y, h * rows, rows)
            factor = w[h]
            for i in range(rows):
                mine[i] = grad[i] * (factor * slope(mine[i], output[i]))

    def jvp(size, z, y, dz, dy):
        """Fill dy."""
        z, y = array(z, size), array(y, size)
        dz, dy = array(dz, size), array(dy, size)
        for i in range(size):
            dy[i] = slope(z[i], y[i]) * dz[i]

    def vjp_with_tangent(size, z, y, grad, dz, dgrad):
        """Overwrite z with its gradient and dz with the directional derivative of that."""
        z, y, grad = array(z, size), array(y, size), array(grad, size)
        dz, dgrad = array(dz, size), array(dgrad, size)
        for i in range(size):
            s = slope(z[i], y[i])
            dz[i] = dgrad[i] * s + grad[i] * second_derivative(z[i], y[i]) * dz[i]
            z[i] = grad[i] * s

    return activate, vjp, vjp_one_output, jvp, vjp_with_tangent
