"""Products of a few units at a time whose sums stay in registers, written in vector instructions.

For layers of many inputs and units. The compiler vectorises only innermost loops. Here the
innermost loop is over what is summed, and a vector holds one feature or unit of several rows, so
the instructions are generated in LLVM's intermediate representation.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

UNITS = 4  # of one tile
# A processor has 32 registers of 512 bits, or at least 16 shorter ones. The sums of a tile take
# half of them.
_WIDE = bool(binding.get_host_cpu_features().get("avx512f"))
_BYTES = 64 if _WIDE else 32  # of a vector
_VECTORS = 4 if _WIDE else 2  # of rows in one tile
INPUTS = 4 if _WIDE else 2  # of one tile of a gradient


@intrinsic
def rows_of_tile(context: Any, x: Any) -> Any:
    """The number of rows of a `tile`, for the dtype of x."""
    rows = _VECTORS * _BYTES * 8 // x.dtype.bitwidth

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.get_constant(types.intp, rows)

    return types.intp(x), generate


def tile_of(stretch: int, *, starts: bool) -> Any:
    """A compiled `tile` for blocks in which a feature or unit is a run of `stretch` numbers.

    `tile(inputs, x, w, strides, bias, out)` computes UNITS units of `rows_of_tile` rows: it adds
    the sum over the inputs of weight * x to `out`, or, if `starts`, sets `out` to this sum plus the
    bias. The weight of input d and unit u is w[d * strides[0] + u * strides[1]]; x, w, bias and out
    are flat arrays that begin at the first row, input and unit of the tile.
    """

    @intrinsic
    def tile(context: Any, inputs: Any, x: Any, w: Any, strides: Any, bias: Any, out: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            ops = _Vectors(context, builder, x.dtype)
            per_input, per_unit = (builder.extract_value(arguments[3], i) for i in range(2))
            from_x, from_w, from_bias, to = (
                context.make_array(signature.args[i])(context, builder, arguments[i]).data
                for i in (1, 2, 4, 5)
            )
            targets = [
                [builder.gep(to, [ops.whole(u * stretch + v * ops.lanes)])
                 for v in range(_VECTORS)] for u in range(UNITS)
            ]  # fmt: skip
            sums = []
            for u, row in enumerate(targets):
                first = builder.load(builder.gep(from_bias, [ops.whole(u)])) if starts else None
                begin = [ops.spread(first) if starts else ops.load(target) for target in row]
                sums.append([ops.variable(value) for value in begin])
            with cgutils.for_range(builder, arguments[0]) as loop:
                mine = builder.gep(from_x, [builder.mul(loop.index, ops.whole(stretch))])
                weights = builder.gep(from_w, [builder.mul(loop.index, per_input)])
                numbers = [
                    ops.load(builder.gep(mine, [ops.whole(v * ops.lanes)])) for v in range(_VECTORS)
                ]
                for u, row in enumerate(sums):
                    offset = builder.mul(ops.whole(u), per_unit)
                    weight = ops.spread(builder.load(builder.gep(weights, [offset])))
                    for number, total in zip(numbers, row, strict=True):
                        ops.add_product(total, weight, number)
            for row, totals in zip(targets, sums, strict=True):
                for target, total in zip(row, totals, strict=True):
                    ops.store(builder.load(total), target)
            return context.get_dummy_value()

        return types.void(types.intp, x, w, types.UniTuple(types.intp, 2), bias, out), generate

    return tile


def add_products_of(stretch: int) -> Any:
    """A compiled `add_products` for blocks as `tile_of` describes them.

    `add_products(rows, x, grad, grad_w, step)` adds, for INPUTS inputs d and UNITS units u, the sum
    of x * grad over the first `rows` rows to grad_w[d * step + u], which is float64. The number of
    rows of a vector divides `rows`.
    """

    @intrinsic
    def add_products(context: Any, rows: Any, x: Any, grad: Any, grad_w: Any, step: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            ops = _Vectors(context, builder, x.dtype)
            from_x, from_grad, to = (
                context.make_array(signature.args[i])(context, builder, arguments[i]).data
                for i in (1, 2, 3)
            )
            sums = [ops.variable(ir.Constant(ops.vector, None)) for _ in range(INPUTS * UNITS)]
            with cgutils.for_range(
                builder, builder.udiv(arguments[0], ops.whole(ops.lanes))
            ) as loop:
                start = builder.mul(loop.index, ops.whole(ops.lanes))

                def loaded(source: Any, number: int) -> Any:
                    offset = builder.add(start, ops.whole(number * stretch))
                    return ops.load(builder.gep(source, [offset]))

                units = [loaded(from_grad, u) for u in range(UNITS)]
                for d in range(INPUTS):
                    number = loaded(from_x, d)
                    for u, unit in enumerate(units):
                        ops.add_product(sums[d * UNITS + u], number, unit)
            totals = ops.totals([builder.load(one) for one in sums])
            for d in range(INPUTS):
                target = builder.gep(to, [builder.mul(ops.whole(d), arguments[4])])
                target = builder.bitcast(target, ir.VectorType(ir.DoubleType(), UNITS).as_pointer())
                wide = ops.in_float64(totals[d])
                builder.store(builder.fadd(builder.load(target, align=8), wide), target, align=8)
            return context.get_dummy_value()

        return types.void(types.intp, x, grad, grad_w, types.intp), generate

    return add_products


class _Vectors:
    """Generates vector instructions for one type of number; `lanes` is the numbers in a vector."""

    def __init__(self, context: Any, builder: Any, number: Any) -> None:
        self._builder, self._bytes = builder, number.bitwidth // 8
        self._number = context.get_data_type(number)
        self.lanes = _BYTES // self._bytes
        self.vector = ir.VectorType(self._number, self.lanes)
        self._intp = context.get_data_type(types.intp)

    def whole(self, number: int) -> Any:
        """An integer constant."""
        return ir.Constant(self._intp, number)

    def variable(self, value: Any) -> Any:
        """A pointer to a new variable, which the compiler keeps in a register."""
        return cgutils.alloca_once_value(self._builder, value)

    def load(self, pointer: Any) -> Any:
        """The vector at a pointer, which need not be aligned to vectors."""
        pointer = self._builder.bitcast(pointer, self.vector.as_pointer())
        return self._builder.load(pointer, align=self._bytes)

    def store(self, value: Any, pointer: Any) -> None:
        """Store a vector at a pointer, which need not be aligned to vectors."""
        pointer = self._builder.bitcast(pointer, self.vector.as_pointer())
        self._builder.store(value, pointer, align=self._bytes)

    def spread(self, number: Any) -> Any:
        """A vector whose lanes all hold this number."""
        builder, empty = self._builder, ir.Constant(self.vector, ir.Undefined)
        first = builder.insert_element(empty, number, ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(first, empty, _mask([0] * self.lanes))

    def add_product(self, total: Any, a: Any, b: Any) -> None:
        """Add a * b to a variable, as a fused multiply-add where the processor has one."""
        product = self._builder.fmul(a, b, flags=("contract",))
        added = self._builder.fadd(self._builder.load(total), product, flags=("contract",))
        self._builder.store(added, total)

    def totals(self, vectors: list[Any]) -> list[Any]:
        """The sum of the lanes of each vector, in order, as vectors of UNITS sums."""
        builder = self._builder
        even = list(range(0, 2 * self.lanes, 2))
        for _ in range(self.lanes.bit_length() - 1):  # each adds neighbouring lanes of two vectors
            vectors = [
                builder.fadd(
                    builder.shuffle_vector(a, b, _mask(even)),
                    builder.shuffle_vector(a, b, _mask([i + 1 for i in even])),
                )
                for a, b in zip(vectors[::2], vectors[1::2], strict=True)
            ]
        return [
            builder.shuffle_vector(vector, vector, _mask(list(range(first, first + UNITS))))
            for vector in vectors
            for first in range(0, self.lanes, UNITS)
        ]

    def in_float64(self, vector: Any) -> Any:
        """The same numbers in float64."""
        kind = ir.VectorType(ir.DoubleType(), vector.type.count)
        return vector if self._bytes == 8 else self._builder.fpext(vector, kind)


def _mask(lanes: list[int]) -> Any:
    """The mask of a shuffle that takes these lanes."""
    return ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes)
