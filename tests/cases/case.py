"""One case of the tables, and where its numbers come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from derivable import Function


class Make:
    """Draws the inputs of a case: seeded, signed, of one dtype."""

    def __init__(self, dtype: torch.dtype = torch.float64, seed: int = 11) -> None:
        self.dtype = dtype
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, *shape: int) -> Tensor:
        """Normal numbers."""
        return torch.randn(shape, generator=self.generator, dtype=torch.float64).to(self.dtype)

    def positive(self, *shape: int) -> Tensor:
        """Numbers between 0.5 and 2."""
        drawn = torch.rand(shape, generator=self.generator, dtype=torch.float64)
        return (0.5 + 1.5 * drawn).to(self.dtype)

    def away(self, points: Sequence[float], *shape: int) -> Tensor:
        """Normal numbers, twice as wide, at least 0.05 away from each of `points`."""
        values = 2 * torch.randn(shape, generator=self.generator, dtype=torch.float64)
        for point in points:
            near = (values - point).abs() < 0.05
            values = torch.where(near, point + torch.where(values < point, -0.1, 0.1), values)
        return values.to(self.dtype)

    def distinct(self, *shape: int) -> Tensor:
        """Numbers of which no two are closer than 0.1, in random order: no ties."""
        count = int(torch.Size(shape).numel())
        order = torch.randperm(count, generator=self.generator)
        return (0.1 * (order.double() - count / 2) + 0.013).view(shape).to(self.dtype)

    def integers(self, high: int, *shape: int) -> Tensor:
        """Integers from 0 to high - 1 (int64)."""
        return torch.randint(high, shape, generator=self.generator)


@dataclass(frozen=True)
class Case:
    """A Function, its inputs (all of them, in the order of forward), and what it must equal.

    `reference` takes the same inputs and is made of PyTorch's own operations.
    `excluded` maps the name of a mode of the matrix to the reason why it cannot run.
    """

    function: type[Function]
    inputs: Callable[[Make], Sequence[Any]]
    reference: Callable[..., Any]
    label: str = ""
    excluded: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The Function's name, with the label that tells its cases apart."""
        return f"{self.function.__name__}-{self.label}" if self.label else self.function.__name__

    def draw(self, dtype: torch.dtype = torch.float64, seed: int = 11) -> list[Any]:
        """The inputs; the floating-point tensors among them require grad."""
        values = list(self.inputs(Make(dtype, seed)))
        return [v.requires_grad_() if differentiable(v) else v for v in values]


def differentiable(value: Any) -> bool:
    """Whether `value` is a tensor that can have a gradient."""
    return isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex())
