"""Computing some rows at a time, so that what lies between input and output stays in the cache.

A formula of ten tensor operations on a large tensor writes ten large tensors, and memory, not
arithmetic, is what they cost.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

CHUNK = 1 << 18  # entries at a time: a megabyte in float32

Rule = Callable[..., tuple[Tensor, ...]]  # to slope, scale and part


def by_rows(rule: Rule, *tensors: Tensor) -> tuple[Tensor, Tensor]:
    """`slope * scale` and `part`, where `slope, scale, part = rule(*tensors)`.

    All of `tensors` have the same size in dimension 0, their rows; `slope` has the shape of the
    first of them, and `part` is a sum over rows. So the rule may be applied to some rows at a
    time. Where something records it is applied once, because derivatives and transforms cannot
    follow what is written into a part of a tensor.
    """
    first = tensors[0]
    count = first.size(0)
    step = max(1, CHUNK * count // max(1, first.numel()))
    if count <= step or _recording(first):
        slope, scale, part = rule(*tensors)
        return slope * scale, part
    result, parts = torch.empty_like(first, memory_format=torch.contiguous_format), []
    pieces = (tensor.split(step) for tensor in (result, *tensors))
    for place, *piece in zip(*pieces, strict=True):
        slope, scale, part = rule(*piece)
        torch.mul(slope, scale, out=place)
        parts.append(part)
    return result, torch.stack(parts).sum(0)


def _recording(tensor: Tensor) -> bool:
    """Whether derivatives, transforms or a compiler follow what is computed."""
    return (
        torch.is_grad_enabled()
        or torch._C._are_functorch_transforms_active()
        or torch.compiler.is_compiling()
        or type(tensor) is not Tensor  # the fake tensors of a compiler, and others' own kinds
    )
