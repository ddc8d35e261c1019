"""Random tensors for `examples()`, in double precision and requiring grad.

Double precision, because the examiner compares with numerical derivatives. A tensor without a
gradient, such as a mask or labels, is made with PyTorch and does not require grad.
"""

from __future__ import annotations

import torch
from torch import Tensor


def normal(*shape: int) -> Tensor:
    """A tensor of standard normal numbers."""
    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


def uniform(low: float, high: float, *shape: int) -> Tensor:
    """A tensor of uniform numbers between `low` and `high`."""
    return torch.empty(shape, dtype=torch.float64).uniform_(low, high).requires_grad_()
