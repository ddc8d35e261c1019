"""Memory inside compiled code: arrays at an address, parts of arrays, and calls of routines.

An array here has one dimension, lies without gaps, and owns nothing. Numba's own slices check
bounds and count references; each of these is two instructions, which the compiler is done with in
a fraction of the time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import from_dtype, njit, types
from numba.extending import intrinsic

from derivable.compiler.jit import FAST, Routine

# No references are counted, because such arrays own nothing.
BARE: dict[str, Any] = {"_nrt": False}
# For functions that only compiled code calls: half of their time to compile is the way from Python.
# They become part of what calls them. Otherwise two routines that call the same one would each hold
# a copy, with its sums in an order of its own, and the linker takes either: a process that compiled
# would not give the bits of one that found the code on the disk.
INNER = FAST | BARE | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": True}

inner: Any = njit(**INNER)


@intrinsic
def call(context: Any, address: Any, numbers: Any, arrays: Any) -> Any:
    """Call the routine at `address` with some whole `numbers`, then the memory of some `arrays`.

    A number may be the address of memory: calling conventions pass both in the same way.
    """

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


@intrinsic
def array(context: Any, pointer: Any, size: Any) -> Any:
    """The array of `size` numbers that begins where the pointer points."""
    kind = types.Array(pointer.dtype, 1, "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _array(context, builder, kind, *arguments)

    return kind(pointer, types.intp), generate


@intrinsic
def memory(context: Any, like: Any, address: Any, size: Any) -> Any:
    """The array of `size` numbers at an address, of the type of those that `like` points to."""
    kind = types.Array(like.dtype, 1, "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[1], arguments[0].type)
        return _array(context, builder, kind, pointer, arguments[2])

    return kind(like, types.intp, types.intp), generate


@intrinsic
def part(context: Any, whole: Any, start: Any, size: Any) -> Any:
    """The `size` numbers of an array from `start` on."""
    kind = types.Array(whole.dtype, 1, "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source = context.make_array(whole)(context, builder, arguments[0])
        data = builder.gep(source.data, [arguments[1]])
        return _array(context, builder, kind, data, arguments[2])

    return kind(whole, types.intp, types.intp), generate


@intrinsic
def tail(context: Any, whole: Any, start: Any) -> Any:
    """The numbers of an array from `start` to its end."""
    kind = types.Array(whole.dtype, 1, "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source = context.make_array(whole)(context, builder, arguments[0])
        size = builder.extract_value(source.shape, 0)
        data = builder.gep(source.data, [arguments[1]])
        return _array(context, builder, kind, data, builder.sub(size, arguments[1]))

    return kind(whole, types.intp), generate


def _array(context: Any, builder: Any, kind: Any, data: Any, size: Any) -> Any:
    from numba.np.arrayobj import populate_array  # what only loads code does not wait for it

    made = context.make_array(kind)(context, builder)
    width = context.get_constant(types.intp, context.get_abi_sizeof(data.type.pointee))
    populate_array(made, data, [size], [width], width, None)
    return made._getvalue()


def routine(function: Any, kinds: str, dtype: np.dtype[Any], **facts: Any) -> Routine:
    """`function` as a routine; `facts` are `parts`, `needs` and `seconds`.

    Its arguments are named by one letter of `kinds` each: n, a whole number; X, N and S, the memory
    of numbers of type `dtype`, of whole numbers, and of sums in float64.
    """
    meaning = {"n": types.int64, "X": types.CPointer(from_dtype(dtype))}
    meaning |= {"N": types.CPointer(types.int64), "S": types.CPointer(types.float64)}
    return Routine(function, types.void(*[meaning[kind] for kind in kinds]), **BARE, **facts)
