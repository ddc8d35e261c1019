"""Ordinary operations of PyTorch, each a Function with PyTorch's own backward: none is wrong."""

from __future__ import annotations

from tests.zoo.entry import Right
from tests.zoo.operations_arrays import ARRAYS
from tests.zoo.operations_entries import ENTRIES

OPERATIONS: list[Right] = [*ENTRIES, *ARRAYS]
