"""Ordinary operations of PyTorch, each a Function with PyTorch's own backward: none is wrong.

Left out are operations whose own backward is not the derivative of their forward (2.13): `scatter`
where positions repeat, `hardsigmoid` (1/6 in float32), `gaussian_nll_loss` and `cosine_similarity`
where they clamp, `polar` of negative lengths; and those whose backward refuses, or ends the
process at, an empty batch: `index_add`, `pdist`.
"""

from __future__ import annotations

from tests.corpus.entry import Right
from tests.corpus.operations_arrays import ARRAYS
from tests.corpus.operations_entries import ENTRIES

OPERATIONS: list[Right] = [*ENTRIES, *ARRAYS]
