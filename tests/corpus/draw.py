"""Where the inputs of the test cases come from: ordinary seeded numbers, nothing tuned."""

from __future__ import annotations

import torch
from torch import Tensor


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """Normal numbers that require grad."""
    generator = torch.Generator().manual_seed(seed)
    wide = torch.complex128 if dtype.is_complex else torch.float64
    return torch.randn(shape, generator=generator, dtype=wide).to(dtype).requires_grad_()


def positive(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """Numbers between 0.5 and 2 that require grad."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.rand(shape, generator=generator, dtype=torch.float64)
    return (0.5 + 1.5 * drawn).to(dtype).requires_grad_()


def fixed(*shape: int, seed: int = 9, dtype: torch.dtype = torch.float64) -> Tensor:
    """Normal numbers that do not require grad: targets and the like."""
    return draw(*shape, seed=seed, dtype=dtype).detach()


def zero_or_one(*shape: int, seed: int = 9) -> Tensor:
    """Zeros and ones that do not require grad (float64)."""
    return (fixed(*shape, seed=seed) > 0).double()


def integers(high: int, *shape: int, seed: int = 9) -> Tensor:
    """Integers from 0 to high - 1 (int64): labels, indices."""
    return torch.randint(high, shape, generator=torch.Generator().manual_seed(seed))
