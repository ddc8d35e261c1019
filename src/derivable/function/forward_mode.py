"""Taking a tensor apart into its value and its tangent, also inside of `vmap`.

Inside a `jvp` rule the tensors still carry the tangents of its own level. PyTorch's `unpack_dual`
takes them off, but has no rule for the batched tensors of `vmap`, so those are opened first and
closed again after.
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
