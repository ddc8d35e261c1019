"""Tensors as real vectors: a complex entry is two real ones, its real and its imaginary part.

With the inner product Re(conj(a) b), PyTorch's gradient convention for complex numbers becomes the
ordinary one for real vectors, and nothing else has to know about complex numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def real(tensor: Tensor) -> Tensor:
    """The entries as one float64 vector."""
    plain = tensor.detach()
    if plain.is_complex():
        plain = torch.view_as_real(plain.resolve_conj())
    return plain.reshape(-1).double()


def unreal(vector: Tensor, like: Tensor) -> Tensor:
    """The tensor of the shape and dtype of `like` with these entries."""
    if like.is_complex():
        return torch.view_as_complex(vector.reshape(*like.shape, 2)).to(like.dtype)
    return vector.reshape(like.shape).to(like.dtype)


def size(tensor: Tensor) -> int:
    """How many real entries it has."""
    return tensor.numel() * (2 if tensor.is_complex() else 1)


def joined(tensors: Sequence[Tensor]) -> Tensor:
    """All their entries as one float64 vector."""
    return torch.cat([real(t) for t in tensors]) if tensors else torch.zeros(0).double()


def parted(vector: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """The inverse of `joined`."""
    pieces = vector.split([size(t) for t in like])
    return [unreal(piece, t) for piece, t in zip(pieces, like, strict=True)]
