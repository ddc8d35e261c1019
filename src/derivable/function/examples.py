"""What examples are made of: tensors to be examined, from PyTorch's own random generator.

They are in double precision, because an examiner compares with finite differences. A tensor that
is not to be examined, such as a mask or labels, is made with PyTorch and requires no gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor


def normal(*shape: int) -> Tensor:
    """Normal numbers."""
    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


def uniform(low: float, high: float, *shape: int) -> Tensor:
    """Numbers between `low` and `high`."""
    return torch.empty(shape, dtype=torch.float64).uniform_(low, high).requires_grad_()
