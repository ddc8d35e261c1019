"""Contracts on entries and sizes: ranges, whole numbers, fixed sizes; and several at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from derivable.examiner.inputs.contracts import MARGIN, Contract
from derivable.examiner.message import Message


class Distinct(Contract):
    """No number twice along the last axis."""

    word = "distinct"
    entrywise = True

    def holds(self, x: Tensor) -> bool:
        """Whether no row has a number twice."""
        return not x.ndim or bool((x.sort(-1).values.diff(dim=-1) != 0).all())

    def restore(self, x: Tensor) -> Tensor:
        """The ranks where they are integers; otherwise a margin for each rank."""
        if not x.ndim or self.holds(x):
            return x
        ranks = x.argsort(-1).argsort(-1)
        apart: Tensor = x.sort(-1).values.gather(-1, ranks) + (MARGIN * ranks).to(x)
        return apart if x.is_floating_point() else ranks.to(x.dtype)


@dataclass(frozen=True)
class Between(Contract):
    """From `low` to `high`, which may be infinite."""

    low: float = -math.inf
    high: float = math.inf
    word: ClassVar[str] = "between"
    entrywise: ClassVar[bool] = True

    @property
    def text(self) -> str:
        """Such as 0..1."""
        return f"{self.low:g}..{self.high:g}"

    @property
    def message(self) -> Message:
        """With the two ends."""
        return Message("contract.between", {"low": f"{self.low:g}", "high": f"{self.high:g}"})

    def holds(self, x: Tensor) -> bool:
        """Whether no entry is outside."""
        return bool(((x >= self.low) & (x <= self.high)).all())

    def restore(self, x: Tensor) -> Tensor:
        """What is outside goes on from the other end, or is mirrored at the only one."""
        outside = (x < self.low) | (x > self.high)
        if math.isfinite(self.low) and math.isfinite(self.high):
            inside = self.low + (x - self.low).remainder(self.high - self.low or 1)
        elif math.isfinite(self.low):
            inside = 2 * self.low - x
        else:
            inside = 2 * self.high - x
        return torch.where(outside, inside.to(x.dtype), x)


class Probability(Between):
    """From 0 to 1."""

    def __init__(self) -> None:
        super().__init__(0.0, 1.0)


class Integer(Contract):
    """Whole numbers, whatever the dtype."""

    word = "integer"
    entrywise = True
    discrete = True

    def holds(self, x: Tensor) -> bool:
        """Whether there is no fraction."""
        return bool((x == x.round()).all()) if x.is_floating_point() else not x.is_complex()

    def restore(self, x: Tensor) -> Tensor:
        """Rounded."""
        return x.round() if x.is_floating_point() else x


@dataclass(frozen=True)
class Index(Integer):
    """Whole numbers from 0 up to `below`, exclusive."""

    below: int = 1
    word: ClassVar[str] = "index"

    @property
    def text(self) -> str:
        """Such as index(5)."""
        return f"index({self.below})"

    @property
    def message(self) -> Message:
        """With the number that is no index any more."""
        return Message("contract.index", {"below": self.below})

    def holds(self, x: Tensor) -> bool:
        """Whether each entry is an index."""
        return super().holds(x) and bool(((x >= 0) & (x < self.below)).all())

    def restore(self, x: Tensor) -> Tensor:
        """Rounded, and counted around."""
        return super().restore(x).remainder(self.below)


class Nonzero(Contract):
    """No entry is 0."""

    word = "nonzero"
    entrywise = True

    def holds(self, x: Tensor) -> bool:
        """Whether no entry is 0."""
        return bool((x != 0).all())

    def restore(self, x: Tensor) -> Tensor:
        """1 in the place of 0."""
        return torch.where(x == 0, torch.ones_like(x), x)


@dataclass(frozen=True)
class FixedSize(Contract):
    """The sizes along `axes` stay what they are in the given value; all of them for ()."""

    axes: tuple[int, ...] = ()
    word: ClassVar[str] = "fixed"
    entrywise: ClassVar[bool] = True

    def holds(self, x: Tensor) -> bool:
        """True: there is nothing to compare a given value with."""
        return True

    def fixed(self, ndim: int) -> tuple[int, ...]:
        """The axes, counted from the front."""
        return tuple(axis % ndim for axis in self.axes if -ndim <= axis < ndim) or (
            () if self.axes else tuple(range(ndim))
        )


@dataclass(frozen=True)
class Several(Contract):
    """Several contracts of one argument; a value is restored by one after the other."""

    parts: tuple[Contract, ...] = ()

    @property
    def text(self) -> str:
        """The parts with + between them."""
        return "+".join(part.text for part in self.parts)

    @property
    def message(self) -> Message:
        """The parts as a nest of pairs."""
        message = self.parts[-1].message
        for part in reversed(self.parts[:-1]):
            message = Message("contract.several", {"first": part.message, "second": message})
        return message

    @property
    def linear(self) -> bool:  # type: ignore[override]  # depends on the parts
        """Whether multiples fulfil every part."""
        return all(part.linear or isinstance(part, FixedSize) for part in self.parts)

    @property
    def entrywise(self) -> bool:  # type: ignore[override]  # depends on the parts
        """Whether values of any size do for every part."""
        return all(part.entrywise for part in self.parts)

    @property
    def discrete(self) -> bool:  # type: ignore[override]  # depends on the parts
        """Whether one part is discrete."""
        return any(part.discrete for part in self.parts)

    def holds(self, x: Tensor) -> bool:
        """Whether `x` fulfils every part."""
        return all(part.holds(x) for part in self.parts)

    def restore(self, x: Tensor) -> Tensor:
        """Restored by one part after the other."""
        for part in self.parts:
            x = part.restore(x)
        return x

    def nearest(self, x: Tensor) -> Tensor:
        """Projected by one part after the other."""
        for part in self.parts:
            x = part.nearest(x)
        return x

    def fixed(self, ndim: int) -> tuple[int, ...]:
        """The fixed axes of all parts."""
        return tuple({axis for part in self.parts for axis in part.fixed(ndim)})
