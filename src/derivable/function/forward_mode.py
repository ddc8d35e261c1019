"""The value and the tangent of a tensor at the current level of forward mode, also in `vmap`.

Inside a `jvp` rule the tensors still have the tangents of its own level. PyTorch's `unpack_dual`
removes them, but has no rule for the batched tensors of `vmap`, so those are unwrapped first and
wrapped again afterwards.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import forward_ad

_functorch = torch._C._functorch


def primal(tensor: Tensor) -> Tensor:
    """`tensor` without the tangent of the current level."""
    if _functorch.is_batchedtensor(tensor):
        inner = primal(_functorch.get_unwrapped(tensor))
        dimension, level = _functorch.maybe_get_bdim(tensor), _functorch.maybe_get_level(tensor)
        batched: Tensor = _functorch._add_batch_dim(inner, dimension, level)
        return batched
    value: Tensor = forward_ad.unpack_dual(tensor, level=0).primal
    return value


def has_tangent(tensor: Tensor) -> bool:
    """Whether `tensor` carries a tangent of the current level."""
    if _functorch.is_batchedtensor(tensor):
        return has_tangent(_functorch.get_unwrapped(tensor))
    return forward_ad.unpack_dual(tensor, level=0).tangent is not None
