"""Sparse tensors, examined as functions of their stored values; the stored positions are fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from derivable.errors import InputError
from derivable.examiner.messages import error_of
from derivable.examiner.targets.target import Inputs

COMPRESSED = (torch.sparse_csr, torch.sparse_csc)
LAYOUTS = (torch.sparse_coo, *COMPRESSED)


@dataclass(frozen=True)
class SparseForm:
    """A sparse tensor with the layout, the shape and the stored positions of `example`."""

    example: Tensor
    twice: ClassVar[bool] = False  # constructors of sparse tensors are differentiable once

    def given(self, x: Tensor) -> Tensor:
        """The sparse tensor of the values `x` (nnz, ...)."""
        like = self.example
        if like.layout == torch.sparse_coo:
            return torch.sparse_coo_tensor(
                like.indices(), x, like.shape, is_coalesced=True, check_invariants=False
            )
        outer, inner = _compressed(like)
        return torch.sparse_compressed_tensor(
            outer, inner, x, like.shape, layout=like.layout, check_invariants=False
        )

    def back(self, x: Tensor, gradient: Tensor) -> Tensor:
        """The entries of `gradient`, sparse or dense, at the stored positions: as x."""
        if gradient.shape != self.example.shape:
            return gradient  # of a wrong shape, which is reported as such
        dense = gradient if gradient.layout == torch.strided else gradient.to_dense()
        return dense[tuple(_positions(self.example))]


def _compressed(x: Tensor) -> tuple[Tensor, Tensor]:
    if x.layout == torch.sparse_csr:
        return x.crow_indices(), x.col_indices()
    return x.ccol_indices(), x.row_indices()


def _positions(x: Tensor) -> Tensor:
    """The stored positions in the order of the values, (axes, nnz)."""
    if x.layout == torch.sparse_coo:
        return x.indices()
    outer, inner = _compressed(x)
    counts = outer.diff()
    along = torch.arange(len(counts)).repeat_interleave(counts)
    return torch.stack([along, inner] if x.layout == torch.sparse_csr else [inner, along])


def through_values(
    inputs: Inputs, names: Sequence[str], function: str
) -> tuple[list[Any], dict[int, SparseForm]]:
    """The inputs with each sparse tensor replaced by its values, and the forms of these.

    Raises InputError, which names the argument, for a layout of blocks and for batches.
    """
    values, forms = list(inputs), {}
    for i, value in enumerate(inputs):
        if not isinstance(value, Tensor) or value.layout == torch.strided:
            continue
        if value.layout not in LAYOUTS or (value.layout in COMPRESSED and value.ndim != 2):
            kind = str(value.layout).removeprefix("torch.")
            raise error_of(
                InputError, "error.sparse_layout",
                function=function, argument=names[i], layout=kind, axes=value.ndim,
            )  # fmt: skip
        example = value.detach()
        example = example.coalesce() if value.layout == torch.sparse_coo else example
        forms[i] = SparseForm(example)
        values[i] = example.values().clone().requires_grad_(value.requires_grad)
    return values, forms
