"""`Probes`: generated inputs of other sizes and values, with the properties of the given ones.

Sizes that are equal in the example stay equal. Values are drawn from those of the example: positive
numbers stay positive, labels stay labels and rows that sum to one still do. Contracts of arguments
are fulfilled.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.inputs.contracts import (
    Contract,
    Definite,
    LogSimplex,
    Rotation,
    Simplex,
    Symmetric,
    Unit,
    structure,
)
from derivable.examiner.message import Message
from derivable.examiner.targets.target import Inputs, is_float

PRIMES = (2, 3, 5, 7, 11, 13, 17, 19)
Axis = tuple[int, int]  # an input and one of its axes
BOUNDED = (Definite, Rotation, Unit, Simplex, LogSimplex)  # has no large, tiny or zero values


class Draw:
    """New tensors of any shape whose values are like those of an example."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def like(
        self, example: Tensor, shape: Sequence[int], bounds: Mapping[int, int],
        contract: Contract | None = None,
    ) -> Tensor:  # fmt: skip
        """A tensor of `shape`; integers stay below the sizes in `bounds` (old size -> new).

        It fulfils `contract`, or else what the example seems to fulfil.
        """
        drawn = self._drawn(example, shape, bounds)
        kind = contract or (structure(example) if is_float(example) else None)
        return drawn if kind is None or not drawn.numel() else kind.restore(drawn)

    def _drawn(self, example: Tensor, shape: Sequence[int], bounds: Mapping[int, int]) -> Tensor:
        flat = example.detach().reshape(-1)
        if not flat.numel():
            return example.new_zeros(tuple(shape))
        count = int(torch.Size(shape).numel())
        if is_float(example) and not bool(flat.any()):  # as a bias is at first: it may be anything
            normal = torch.randn(tuple(shape), generator=self.generator, dtype=torch.float64)
            return normal.to(example.dtype)
        drawn = flat[torch.randint(len(flat), (count,), generator=self.generator)]
        drawn = drawn.reshape(tuple(shape))
        if is_float(example):
            factor = 1 + 0.1 * torch.randn(tuple(shape), generator=self.generator).double()
            drawn = drawn if _discrete(flat) else (drawn * factor).to(example.dtype)
            lowest, highest = float(flat.abs().min()), float(flat.abs().max())
            if not example.is_complex() and highest <= 1 and lowest < highest:
                drawn = drawn.clamp(-highest, highest)  # such as the arguments of asin
            return drawn
        if example.dtype != torch.bool:
            most = int(flat.max())
            limits = [new for old, new in bounds.items() if old > most] or [most + 1]
            drawn = torch.where(drawn < 0, drawn, drawn % max(1, min(limits)))
            if _distinct(example) and len(shape) and count and shape[-1] <= min(limits):
                rows = [torch.randperm(min(limits), generator=self.generator)[: shape[-1]]
                        for _ in range(count // shape[-1])]  # fmt: skip
                return torch.stack(rows).reshape(tuple(shape)).to(example.dtype)
        return _with_special(drawn, flat)


def _with_special(drawn: Tensor, flat: Tensor) -> Tensor:
    """Integers or booleans in which special ones occur if they do in the example `flat`.

    Special are both values of a mask, and a negative label such as -100.
    """
    special = flat.unique() if flat.dtype == torch.bool else flat[flat < 0].unique()[:1]
    if not len(special) or drawn.numel() < 2 * len(special):
        return drawn
    whole = drawn.reshape(-1).clone()
    for position, value in enumerate(special):
        if not bool((whole == value).any()):
            whole[-1 - position] = value
    return whole.reshape(drawn.shape)


def _positive(x: Tensor) -> bool:
    return not x.is_complex() and bool((x > 0).all())


def _distinct(example: Tensor) -> bool:
    """Whether no row of integers has one twice, such as the indices of a scatter."""
    if not example.ndim or example.shape[-1] < 2:
        return False
    return bool((example.sort(-1).values.diff(dim=-1) != 0).all())


def _discrete(flat: Tensor) -> bool:
    """Whether a float tensor holds a few values only, such as targets of -1 and 1, or a mask."""
    flat = torch.view_as_real(flat).flatten() if flat.is_complex() else flat
    return len(flat) > 2 and len(flat.unique()) <= min(3, len(flat) - 1)


class Probes:
    """The inputs that are made from one example."""

    def __init__(
        self, inputs: Inputs, wanted: Sequence[int], seed: int, own: int,
        contracts: Mapping[int, Contract] | None = None,
    ) -> None:  # fmt: skip
        self.inputs = list(inputs)
        self.contracts = contracts or {}  # argument -> what it always is
        self.wanted = list(wanted)
        self.own = own  # the inputs after these are a module's parameters, and keep their sizes
        self.draw = Draw(seed)
        self.positive = {i for i in wanted if _positive(inputs[i])}
        self.crossing: set[int] = set()  # positive ones that may be negative, and zero, as well
        self.axes: dict[int, list[Axis]] = {}  # size -> the axes that have it
        for i, value in enumerate(inputs[:own]):
            if isinstance(value, Tensor):
                for axis, length in enumerate(value.shape):
                    self.axes.setdefault(length, []).append((i, axis))
        self.fixed = {
            self.inputs[i].shape[axis]
            for i, contract in self.contracts.items()
            for axis in contract.fixed(self.inputs[i].ndim)
        }
        for length in self.fixed:  # and what is as long, because it may have to be
            self.axes.pop(length, None)

    def other_values(self) -> list[Any]:
        """The same sizes, other values."""
        return self.resized({})

    def resized(self, sizes: Mapping[int, int], options: bool = False) -> list[Any]:
        """Other values, and each size replaced; in integer options too with `options`."""
        return self._rebuilt(lambda axis, old: sizes.get(old, old), sizes, options)

    def _rebuilt(
        self, new: Callable[[Axis, int], int], bounds: Mapping[int, int], options: bool
    ) -> list[Any]:
        rebuilt: list[Any] = []
        for i, value in enumerate(self.inputs):
            if isinstance(value, Tensor):
                shape = list(value.shape)
                if i < self.own:
                    shape = [
                        old if old in self.fixed else new((i, axis), old)
                        for axis, old in enumerate(value.shape)
                    ]
                rebuilt.append(self._like(i, shape, bounds))
            else:
                rebuilt.append(_renamed(value, bounds) if options else value)
        return rebuilt

    def _like(self, position: int, shape: Sequence[int], bounds: Mapping[int, int]) -> Tensor:
        """A tensor like an input, of `shape`."""
        contract = self.contracts.get(position)
        return self.draw.like(self.inputs[position], shape, bounds, contract)

    def other_sizes(self) -> Iterator[tuple[set[int], list[Any]]]:
        """Inputs of other sizes, and which sizes are others; forward may refuse any of them.

        The most telling first.
        """
        old = sorted(length for length in self.axes if length > 1)
        if not old:
            return
        odd = PRIMES[1:]
        small = [p for p in odd if p not in old] + [p for p in odd if p in old]
        if len(old) <= len(small):
            yield from self._both(dict(zip(old, sorted(small[: len(old)]), strict=True)))
        even = [n for n in (4, 6, 8, 10, 12, 14, 16, 18) if n not in old][: len(old)]
        if len(even) == len(old):
            yield from self._both(dict(zip(old, even, strict=True)))
        for grow in (1, 2):  # in order, so that a kernel stays smaller than what it slides over
            larger = [next(p for p in (*PRIMES, *range(20, 4000)) if p > n) for n in old]
            yield from self._both({n: m + grow - 1 for n, m in zip(old, larger, strict=True)})
        for length in old:
            yield from self._both({length: length + 1})
            yield from self._both({length: 2 * length})
        yield from self._both({length: 2 * length for length in old})

    def _both(self, sizes: Mapping[int, int]) -> Iterator[tuple[set[int], list[Any]]]:
        yield set(sizes), self.resized(sizes)
        if any(_renamed(v, sizes) != v for v in self.inputs if not isinstance(v, Tensor)):
            yield set(sizes), self.resized(sizes, options=True)

    def equal_sizes(self) -> Iterator[list[Any]]:
        """All sizes equal: no shape distinguishes a matrix from its transpose."""
        sizes = {length: 4 for length in self.axes if length > 1}
        if len(sizes) > 1:
            yield self.resized(sizes)

    def unequal_sizes(self) -> Iterator[tuple[set[int], list[Any]]]:
        """Sizes that are equal in the example made different, in every way of two groups."""
        for length, axes in sorted(self.axes.items()):
            if length < 1 or len(axes) > 5 or (length > 1 and len(axes) < 2):
                continue
            fresh = [p for p in PRIMES if p != length and p not in self.axes][:2]
            if length == 1:  # such as a single column, which becomes several
                yield set(), self.resized({1: fresh[0]})
                fresh = [fresh[0], 1]
            first, *others = axes
            for count in range(len(others)):
                for kept in itertools.combinations(others, count):
                    group = {first, *kept}
                    # mypy cannot infer a lambda whose defaults bind the loop variables
                    apart = self._rebuilt(
                        lambda axis, old, group=group, length=length, fresh=fresh: (  # type: ignore[misc]
                            old if old != length else fresh[0] if axis in group else fresh[1]
                        ),
                        {length: min(fresh)},
                        False,
                    )
                    yield set(), apart

    def asymmetric(self) -> Iterator[tuple[list[Any], Message]]:
        """Inputs with a matrix that is symmetric in the example made asymmetric."""
        for i in self.wanted:
            x = self.inputs[i]
            kind = None if i in self.contracts else structure(x)
            noise = torch.rand(x.shape, generator=self.draw.generator).double()
            if isinstance(kind, Symmetric) and x.shape[-1] > 1:
                moved = x + (0.2 * x.abs().mean() * noise.triu(1)).to(x.dtype)
                yield self._with(i, moved), Message("point.asymmetric", {"argument": i})
            if isinstance(kind, Unit | Rotation):
                longer = (x * (1 + noise[..., :1])).to(x.dtype)
                yield self._with(i, longer), Message("point.longer", {"argument": i})

    def signed(self) -> Iterator[tuple[list[Any], Message]]:
        """Inputs of signs that the example does not have; forward may raise or return nan."""
        for i in self.wanted:
            x = self.inputs[i]
            if x.numel() and i in self.positive and structure(x) is None:
                drawn = self._like(i, x.shape, {})
                sign = torch.randint(2, x.shape, generator=self.draw.generator) * 2 - 1
                if self.allows(i, drawn * sign):
                    yield self._with(i, drawn * sign), Message("point.signed", {"argument": i})

    def keep(self, inputs: Inputs) -> bool:
        """Whether made-up inputs fulfil all contracts, which not all shapes can."""
        return all(contract.holds(inputs[i]) for i, contract in self.contracts.items())

    def allows(self, argument: int, value: Tensor) -> bool:
        """Whether `value` fulfils the contract of an argument, if there is one."""
        contract = self.contracts.get(argument)
        return contract is None or contract.holds(value)

    def smallest_sizes(self) -> Iterator[tuple[list[Any], Message]]:
        """One size after the other set to 1, a batch of one, a single column; then all to 2."""
        first = next((self.inputs[i].shape for i in self.wanted if self.inputs[i].ndim), ())
        batch = first[0] if first else 0
        sizes = sorted((n for n in self.axes if n > 1), key=lambda n: n != batch)
        for length in sizes:
            key = "point.batch_of_one" if length == batch else "point.size_one"
            yield self.resized({length: 1}), Message(key, {"size": length})
        if any(length > 2 for length in sizes):
            yield self.resized(dict.fromkeys(sizes, 2)), Message("point.all_sizes_two")

    def empty(self) -> Iterator[tuple[list[Any], int]]:
        """No rows at all, where there were so many."""
        first = next((self.inputs[i].shape for i in self.wanted if self.inputs[i].ndim), ())
        if first and first[0] > 1 and first[0] not in self.fixed:
            rows = first[0]
            yield (
                self._rebuilt(
                    lambda axis, old: 0 if (axis[1], old) == (0, rows) else old, {}, False
                ),
                rows,
            )

    def scalar(self) -> Iterator[list[Any]]:
        """Every tensor 0-dimensional."""
        tensors = [v for v in self.inputs if isinstance(v, Tensor)]
        if self.own < len(self.inputs) or self.fixed:
            return
        if tensors and tensors[0].ndim and all(t.shape == tensors[0].shape for t in tensors):
            yield [
                self._like(i, (), {}) if isinstance(v, Tensor) else v
                for i, v in enumerate(self.inputs)
            ]

    def wide(self) -> Iterator[tuple[list[Any], Message]]:
        """Values far beyond the example's, within its domain; one argument at a time, then all."""
        alone = [[i] for i in self.wanted] if len(self.wanted) <= 2 else []
        groups = alone + ([self.wanted] if len(self.wanted) != 1 else [])
        fewest = min((self.inputs[i].numel() for i in self.wanted), default=0)
        repetitions = max(2, min(5, 30 // max(1, fewest)))  # a few entries see little at a time
        for ignore_range in (False, *[True] * (repetitions - 1)):
            for group in groups:
                inputs = self.other_values()
                for i in group:
                    inputs[i] = self._spread(i, ignore_range)
                yield inputs, Message("point.wide")

    def _spread(self, argument: int, ignore_range: bool) -> Tensor:
        """Values on a wide grid: both signs or positive ones or fractions, as in the example.

        `ignore_range`: values within -1 and 1 do not restrict the domain, as they may do by chance.
        """
        example = self.inputs[argument]
        count = example.numel()
        order = torch.randperm(count, generator=self.draw.generator)
        shift = float(torch.rand((), generator=self.draw.generator))
        exponents = -1.7 + 3.05 * (torch.arange(count).double() + shift) / max(1, count)
        grid = (10**exponents)[order].reshape(example.shape)
        real = example.real if example.is_complex() else example
        kind = self.contracts.get(argument) or structure(example)
        if count and (kind is None or kind.entrywise):
            if bool((real > 0).all()):
                if float(real.max()) < 1 and not ignore_range:
                    grid = torch.linspace(0.003, 0.997, count).double()[order].view(example.shape)
            elif float(real.abs().max()) <= 1 and not ignore_range:
                grid = torch.linspace(-0.997, 0.997, count).double()[order].view(example.shape)
            else:
                sign = torch.randint(2, example.shape, generator=self.draw.generator) * 2 - 1
                grid = grid * sign
            spread = unit_of(real) * grid
            return (spread if kind is None else kind.restore(spread)).to(example.dtype)
        return self._like(argument, example.shape, {})

    def extreme(self) -> Iterator[tuple[list[Any], Message]]:
        """Large, tiny and zero values, in all entries or in one; signs as in the example."""
        for i in self.wanted:
            x, contract = self.inputs[i], self.contracts.get(i)
            if not x.numel() or isinstance(structure(x), BOUNDED):
                continue
            for value, point in self._extremes(i, x):
                value = contract.nearest(value) if contract and contract.linear else value
                if self.allows(i, value):
                    yield self._with(i, value), point

    def _extremes(self, i: int, x: Tensor) -> Iterator[tuple[Tensor, Message]]:
        positive = i in self.positive
        name = {"argument": i}
        sign = torch.where(torch.arange(x.numel()).view(x.shape) % 2 == 0, 1.0, -1.0).double()
        sign = torch.ones_like(sign) if positive else sign
        ramp = 1 + torch.rand(x.shape, generator=self.draw.generator).double() / 4
        many = len(self.wanted) > 3  # then each is compared at fewer points
        for size in (720.0,) if many else (40.0, 120.0, 720.0):
            for signed in (size,) if positive else (size, -size):
                large = Message("point.large", {**name, "size": f"{signed:g}"})
                yield (signed * ramp).to(x.dtype), large
        for size in () if many else (1e-3, 1e-6):
            yield (size * ramp * sign).to(x.dtype), Message("point.tiny", name)
        if not positive or i in self.crossing:
            single = self._like(i, x.shape, {})
            single.reshape(-1)[0] = 0.0
            yield single, Message("point.zero", name)
        if not positive:
            yield torch.zeros_like(x), Message("point.zeros", name)

    def at(self, inputs: Inputs) -> Probes:
        """Probes that start from other inputs."""
        other = Probes(inputs, self.wanted, 0, self.own, self.contracts)
        other.draw, other.positive = self.draw, self.positive  # a few may be so by chance
        other.crossing = self.crossing
        return other

    def _with(self, position: int, value: Tensor) -> list[Any]:
        inputs = list(self.inputs)
        inputs[position] = value
        return inputs


def unit_of(x: Tensor) -> float:
    """1, or the power of ten of values of a physical scale of their own, such as 1e13 hertz."""
    size = float(x.abs().nanmedian())
    usual = size == 0 or not math.isfinite(size) or 1e-2 <= size <= 1e2
    return 1.0 if usual else 10.0 ** round(math.log10(size))


def _renamed(value: Any, sizes: Mapping[int, int]) -> Any:
    """An integer option, or a tuple of them, with the sizes replaced."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return sizes.get(value, value)
    if isinstance(value, tuple | list):
        return type(value)(_renamed(item, sizes) for item in value)
    return value


def describe(inputs: Inputs, names: Sequence[str]) -> str:
    """The shapes of the tensors, as in x (13, 5), w (5, 7)."""
    tensors = [(n, tuple(v.shape)) for n, v in zip(names, inputs, strict=False) if
               isinstance(v, Tensor)]  # fmt: skip
    return ", ".join(f"{name} {shape}" for name, shape in tensors)
