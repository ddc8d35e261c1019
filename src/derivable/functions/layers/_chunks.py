"""Computing some rows at a time, so that what lies between input and output stays in the cache.

A formula of ten tensor operations on a large tensor writes ten large tensors, and memory, not
arithmetic, is what they cost.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd import forward_ad

CHUNK = 1 << 18  # entries at a time and thread: a megabyte in float32

Rule = Callable[..., tuple[Tensor, Tensor]]


def by_rows(rule: Rule, *tensors: Tensor) -> tuple[Tensor, Tensor]:
    """`rule(None, *tensors)`: a tensor of the shape of the first one, and a sum over its rows.

    Rows are dimension 0, of one size in all of `tensors`. Large ones go through the rule some
    rows at a time; its first argument is then the place where these rows of the result belong,
    which it may also use before, and to which the `out` of its operations is set. Derivatives and
    transforms cannot follow that; where they do, the rule is applied once, and its place is None.
    """
    first = tensors[0]
    count = first.size(0)
    step = max(1, CHUNK * torch.get_num_threads() * count // max(1, first.numel()))
    if count <= step or not large(*tensors):
        return rule(None, *tensors)
    result = torch.empty_like(first, memory_format=torch.contiguous_format)
    pieces = (tensor.split(step) for tensor in (result, *tensors))
    parts = [rule(*piece)[1] for piece in zip(*pieces, strict=True)]
    return result, torch.stack(parts).sum(0)


def large(*tensors: Tensor) -> bool:
    """Whether the first one is too large for the cache of a CPU, and nothing follows its way."""
    first = tensors[0]
    return first.numel() > CHUNK and first.device.type == "cpu" and not _recording(tensors)


def _recording(tensors: tuple[Tensor, ...]) -> bool:
    """Whether derivatives, transforms or a compiler follow what is computed."""
    return (
        torch.is_grad_enabled()
        or forward_ad._current_level >= 0
        or torch._C._are_functorch_transforms_active()
        or torch._C._len_torch_dispatch_stack() > 0
        or torch.compiler.is_compiling()
        # the fake tensors of a compiler, and others' own kinds
        or any(type(tensor) is not Tensor for tensor in tensors)
    )
