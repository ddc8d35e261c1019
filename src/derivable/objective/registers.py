"""Products of a few units at a time whose sums stay in registers, written in vector instructions.

For layers of many inputs and units. The compiler vectorises an innermost loop only, and here the
innermost loop is over what is summed, while the vectors lie along the rows of a block.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

UNITS = 4  # of one tile
# Registers of 512 bits are 32, shorter ones 16 at least. A tile of sums takes half of them.
_WIDE = bool(binding.get_host_cpu_features().get("avx512f"))
_BYTES = 64 if _WIDE else 32
_VECTORS = 4 if _WIDE else 2
INPUTS = 4 if _WIDE else 2  # of one tile of a gradient


@intrinsic
def rows_of_tile(context: Any, x: Any) -> Any:
    """The rows of a `tile` of numbers such as those of x."""
    rows = _VECTORS * _BYTES * 8 // x.dtype.bitwidth

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.get_constant(types.intp, rows)

    return types.intp(x), generate


def tile_of(stretch: int, *, starts: bool) -> Any:
    """`tile` for units and inputs that lie `stretch` numbers apart.

    `tile(inputs, x, w, strides, bias, out)` adds the sum over the inputs of weight * x to UNITS
    units of `rows_of_tile` rows, or where it `starts` them, gives them that sum and their bias. The
    weight of input d and unit u is w[d * strides[0] + u * strides[1]].
    """

    @intrinsic
    def tile(context: Any, inputs: Any, x: Any, w: Any, strides: Any, bias: Any, out: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kinds = _Vectors(context, builder, x.dtype)
            per_input, per_unit = (builder.extract_value(arguments[3], i) for i in range(2))
            from_x, from_w, from_bias, to = (
                context.make_array(signature.args[i])(context, builder, arguments[i]).data
                for i in (1, 2, 4, 5)
            )
            places = [
                [builder.gep(to, [kinds.whole(u * stretch + v * kinds.lanes)])
                 for v in range(_VECTORS)] for u in range(UNITS)
            ]  # fmt: skip
            sums = []
            for u, row in enumerate(places):
                first = builder.load(builder.gep(from_bias, [kinds.whole(u)])) if starts else None
                begin = [kinds.spread(first) if starts else kinds.load(place) for place in row]
                sums.append([kinds.variable(value) for value in begin])
            with cgutils.for_range(builder, arguments[0]) as loop:
                mine = builder.gep(from_x, [builder.mul(loop.index, kinds.whole(stretch))])
                weights = builder.gep(from_w, [builder.mul(loop.index, per_input)])
                numbers = [
                    kinds.load(builder.gep(mine, [kinds.whole(v * kinds.lanes)]))
                    for v in range(_VECTORS)
                ]
                for u, row in enumerate(sums):
                    offset = builder.mul(kinds.whole(u), per_unit)
                    weight = kinds.spread(builder.load(builder.gep(weights, [offset])))
                    for number, total in zip(numbers, row, strict=True):
                        kinds.add_product(total, weight, number)
            for row, totals in zip(places, sums, strict=True):
                for place, total in zip(row, totals, strict=True):
                    kinds.store(builder.load(total), place)
            return context.get_dummy_value()

        return types.void(types.intp, x, w, types.UniTuple(types.intp, 2), bias, out), generate

    return tile


def add_products_of(stretch: int) -> Any:
    """`add_products` for inputs and units that lie `stretch` numbers apart.

    `add_products(rows, x, grad, grad_w, step)` adds x * grad, summed over so many rows, of INPUTS
    inputs and UNITS units to grad_w[d * step + u], in float64.
    """

    @intrinsic
    def add_products(context: Any, rows: Any, x: Any, grad: Any, grad_w: Any, step: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kinds = _Vectors(context, builder, x.dtype)
            from_x, from_grad, to = (
                context.make_array(signature.args[i])(context, builder, arguments[i]).data
                for i in (1, 2, 3)
            )
            sums = [kinds.variable(ir.Constant(kinds.vector, None)) for _ in range(INPUTS * UNITS)]
            with cgutils.for_range(
                builder, builder.udiv(arguments[0], kinds.whole(kinds.lanes))
            ) as loop:
                start = builder.mul(loop.index, kinds.whole(kinds.lanes))

                def loaded(source: Any, number: int) -> Any:
                    place = builder.add(start, kinds.whole(number * stretch))
                    return kinds.load(builder.gep(source, [place]))

                units = [loaded(from_grad, u) for u in range(UNITS)]
                for d in range(INPUTS):
                    number = loaded(from_x, d)
                    for u, unit in enumerate(units):
                        kinds.add_product(sums[d * UNITS + u], number, unit)
            totals = kinds.totals([builder.load(one) for one in sums])
            for d in range(INPUTS):
                place = builder.gep(to, [builder.mul(kinds.whole(d), arguments[4])])
                place = builder.bitcast(place, ir.VectorType(ir.DoubleType(), UNITS).as_pointer())
                wide = kinds.in_float64(totals[d])
                builder.store(builder.fadd(builder.load(place, align=8), wide), place, align=8)
            return context.get_dummy_value()

        return types.void(types.intp, x, grad, grad_w, types.intp), generate

    return add_products


class _Vectors:
    """Vector instructions for one type of number."""

    def __init__(self, context: Any, builder: Any, number: Any) -> None:
        self._builder, self._bytes = builder, number.bitwidth // 8
        self._number = context.get_data_type(number)
        self.lanes = _BYTES // self._bytes
        self.vector = ir.VectorType(self._number, self.lanes)
        self._intp = context.get_data_type(types.intp)

    def whole(self, number: int) -> Any:
        """A whole number."""
        return ir.Constant(self._intp, number)

    def variable(self, value: Any) -> Any:
        """A place for a vector, which becomes a register."""
        return cgutils.alloca_once_value(self._builder, value)

    def load(self, place: Any) -> Any:
        """The vector at a place that need not be aligned."""
        place = self._builder.bitcast(place, self.vector.as_pointer())
        return self._builder.load(place, align=self._bytes)

    def store(self, value: Any, place: Any) -> None:
        """Put a vector there."""
        place = self._builder.bitcast(place, self.vector.as_pointer())
        self._builder.store(value, place, align=self._bytes)

    def spread(self, number: Any) -> Any:
        """A vector of the same number."""
        builder, empty = self._builder, ir.Constant(self.vector, ir.Undefined)
        first = builder.insert_element(empty, number, ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(first, empty, _mask([0] * self.lanes))

    def add_product(self, total: Any, a: Any, b: Any) -> None:
        """Add a * b to a variable."""
        product = self._builder.fmul(a, b, flags=("contract",))
        added = self._builder.fadd(self._builder.load(total), product, flags=("contract",))
        self._builder.store(added, total)

    def totals(self, vectors: list[Any]) -> list[Any]:
        """The sum of each vector, in order, in vectors of UNITS sums."""
        builder = self._builder
        even = list(range(0, 2 * self.lanes, 2))
        for _ in range(self.lanes.bit_length() - 1):  # each adds up neighbours, of two vectors
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


def _mask(places: list[int]) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places)
