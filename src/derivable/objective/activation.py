"""An activation's loops, compiled from its kernel and called through their addresses.

So the passes over a network are compiled once for all activations, and a new activation costs
only the second that its own loops take.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic, register_jitable

import derivable.objective.vector_math as _  # noqa: F401  gives kernels their compiled meaning
from derivable.function.jit import cfunc
from derivable.function.kernel import Kernel
from derivable.objective.tiles import FAST

Addresses = np.ndarray[tuple[int], np.dtype[np.int64]]

ACTIVATE, PULL, PUSH, PULL_BOTH = range(4)  # places in Addresses


@cache
def compiled(kernel: Kernel, dtype: np.dtype[Any]) -> tuple[Addresses, tuple[Any, ...]]:
    """The addresses of the loops, and the loops themselves, which must outlive the addresses."""
    number = types.float32 if dtype == np.float32 else types.float64
    signature = types.void(types.int64, number, *[types.CPointer(number)] * 5)
    loops = tuple(cfunc(signature, loop, kernel[:3], **FAST) for loop in _loops(kernel))
    return np.array([loop.address for loop in loops], np.int64), loops


@intrinsic
def run(context: Any, address: Any, size: Any, factor: Any, arrays: Any) -> Any:
    """Call the loop at `address` with `size`, `factor` and the memory of five `arrays`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, size, factor, arrays = arguments
        kinds = zip(signature.args[3], range(len(signature.args[3])), strict=True)
        memory = [
            context.make_array(kind)(context, builder, builder.extract_value(arrays, i)).data
            for kind, i in kinds
        ]
        given = [size, factor, *memory]
        loop = ir.FunctionType(ir.VoidType(), [value.type for value in given])
        builder.call(builder.inttoptr(target, loop.as_pointer()), given)
        return context.get_dummy_value()

    return types.void(address, size, factor, arrays), generate


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
