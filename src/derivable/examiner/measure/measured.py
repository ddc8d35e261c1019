"""`Measured`: numerical derivatives with their error bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from torch import Tensor


@dataclass(frozen=True)
class Measured:
    """Derivatives with their errors; every number between `low` and `high` is a right value.

    All fields are float64 tensors of one shape, usually (outputs, inputs).

    value  the numerical derivative
    error  its error bound: the difference of two extrapolations, and the noise of the function;
           infinite where nothing is known
    low    the smallest and
    high   the largest right value: both `value` where there is a derivative, the one-sided
           derivatives at a kink, -inf and inf at a jump or an infinite slope
    reach  the mean slope over the longest step: the scale on which a derivative of 0 is 0
    """

    value: Tensor
    error: Tensor
    low: Tensor
    high: Tensor
    reach: Tensor

    @classmethod
    def smooth(cls, value: Tensor, error: Tensor, reach: Tensor | None = None) -> Measured:
        """Derivatives at a point without kinks."""
        reach = value.abs() if reach is None else reach
        return cls(value, error, value.clone(), value.clone(), reach)

    @property
    def kinks(self) -> Tensor:
        """Where the one-sided derivatives differ, or where there is none."""
        return self.low < self.high

    @property
    def nowhere(self) -> Tensor:
        """Where there is no derivative: at a jump, or an infinite slope."""
        return torch.isinf(self.low) & torch.isinf(self.high)

    @property
    def settled(self) -> Tensor:
        """Where 5 times the error is below a thousandth of the largest derivative of the output.

        Entries at kinks and where no step changes the output count as settled too.
        """
        row = self.value.abs().nan_to_num(0.0, 0.0)
        row = row.amax(-1, keepdim=True) if row.ndim > 1 and row.numel() else row
        known = torch.isfinite(self.value) & torch.isfinite(self.error)
        return known & ((5 * self.error <= 1e-3 * row) | (self.error == 0)) | self.kinks

    def mapped(self, change: Callable[[Tensor], Tensor]) -> Measured:
        """The same with each of the five tensors changed, such as by indexing or transposing."""
        return Measured(*(change(getattr(self, name)) for name in FIELDS))

    def where(self, chosen: Tensor, other: Measured) -> Measured:
        """The entries of this where `chosen`, of the other elsewhere."""
        return Measured(*(torch.where(chosen, getattr(self, n), getattr(other, n)) for n in FIELDS))


FIELDS = tuple(field.name for field in fields(Measured))
