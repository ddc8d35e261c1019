"""Numbers for the inputs of the test cases: each draws from its own seed, in every run the same."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


class Draw:
    """A source of inputs, seeded by a name."""

    def __init__(self, name: str) -> None:
        self.generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))

    def normal(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        return torch.randn(shape, generator=self.generator, dtype=dtype)

    def between(
        self, low: float, high: float, *shape: int, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=self.generator, dtype=dtype)

    def positive(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        return self.between(0.5, 2, *shape, dtype=dtype)

    def complex(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.generator, dtype=torch.complex128)

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        return torch.randint(low, high, shape, generator=self.generator)

    def distinct(self, *shape: int) -> Tensor:
        """No two entries nearer to each other than 1/2."""
        count = int(torch.Size(shape).numel())
        order = torch.randperm(count, generator=self.generator)
        return (order.double() - count / 2 + 0.25).reshape(shape) / 2

    def definite(self, *shape: int) -> Tensor:
        """Symmetric positive definite, of the last size squared, with distinct eigenvalues."""
        factor = self.normal(*shape, shape[-1])
        return factor @ factor.mT + torch.diag(1.0 + torch.arange(shape[-1]).double())

    def regular(self, *shape: int) -> Tensor:
        """Square matrices that are far from singular."""
        return self.normal(*shape, shape[-1]) + 3 * torch.eye(shape[-1], dtype=torch.float64)

    def probabilities(self, *shape: int) -> Tensor:
        return torch.softmax(self.normal(*shape), dim=-1)


def numbers(values: Sequence[Any] | float, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.tensor(values, dtype=dtype)
