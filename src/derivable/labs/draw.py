"""`Draw`: random sizes and numbers for one check."""

from __future__ import annotations

import torch
from torch import Tensor

SIZES = (3, 5, 7, 11, 13)  # no 2, which is the factor of many formulas


class Draw:
    """A seeded generator of small sizes and of tensors in float64.

    Sizes are distinct primes, so that no two axes are confused; numbers are signed.
    """

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self._turns: dict[tuple[int, ...], list[int]] = {}

    def sizes(self, count: int) -> list[int]:
        """`count` distinct sizes from 3 to 13."""
        order = torch.randperm(len(SIZES), generator=self.generator)
        return [SIZES[int(i)] for i in order[:count]]

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return int(torch.randint(low, high + 1, (), generator=self.generator))

    def in_turn(self, *values: int) -> int:
        """One of the values; calls with the same values return each of them before one again."""
        left = self._turns.setdefault(values, [])
        if not left:
            order = torch.randperm(len(values), generator=self.generator)
            left += [values[int(i)] for i in order]
        return left.pop()

    def uniform(self, low: float, high: float) -> float:
        """A number between low and high."""
        return low + (high - low) * float(torch.rand((), generator=self.generator))

    def normal(self, *shape: int, scale: float = 1.0) -> Tensor:
        """Normal numbers, (*shape,)."""
        return scale * torch.randn(shape, generator=self.generator, dtype=torch.float64)

    def away_from_zero(self, *shape: int, least: float = 0.1) -> Tensor:
        """Normal numbers with `least` added to their size, (*shape,): none near a kink at 0."""
        numbers = self.normal(*shape)
        return numbers + torch.where(numbers < 0, -least, least)

    def positive(self, *shape: int) -> Tensor:
        """Numbers from 0.2 to 2.2, (*shape,)."""
        return 0.2 + 2 * torch.rand(shape, generator=self.generator, dtype=torch.float64)

    def labels(self, count: int, classes: int) -> Tensor:
        """Classes from 0 to `classes` - 1 as int64, (count,); each occurs where count allows."""
        order = torch.randperm(count, generator=self.generator)
        return order % classes
