"""Compiled code that is called through its address, so that it is compiled once and for itself.

What Numba compiles into a caller goes through the compiler again with each caller. A block of a
pass does not: the passes are small, are compiled fast, and are the same for every activation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.extending import intrinsic

from derivable.function.jit import FAST, cfunc


@intrinsic
def call(context: Any, address: Any, numbers: Any, arrays: Any) -> Any:
    """Call what is compiled at `address` with some `numbers`, then the memory of some `arrays`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, numbers, arrays = arguments
        given = [builder.extract_value(numbers, i) for i in range(len(signature.args[1]))]
        for i, kind in enumerate(signature.args[2]):
            array = context.make_array(kind)(context, builder, builder.extract_value(arrays, i))
            given.append(array.data)
        code = ir.FunctionType(ir.VoidType(), [value.type for value in given])
        builder.call(builder.inttoptr(target, code.as_pointer()), given)
        return context.get_dummy_value()

    return types.void(address, numbers, arrays), generate


def compiled(function: Any, kinds: str, dtype: np.dtype[Any], parts: Any = ()) -> Any:
    """`function`, whose `.address` can be called; keep it as long as the address is in use.

    Its arguments are named by one letter of `kinds` each: n, a whole number; x, one of `dtype`;
    X, N and S, the memory of such numbers, of whole numbers, and of sums in float64. `parts` are
    the functions in its closure.
    """
    x = from_dtype(dtype)
    meaning = {"n": types.int64, "x": x, "X": types.CPointer(x)}
    meaning |= {"N": types.CPointer(types.int64), "S": types.CPointer(types.float64)}
    return cfunc(types.void(*[meaning[kind] for kind in kinds]), function, parts, **FAST)
