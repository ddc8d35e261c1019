"""LayerNorm's backward, compiled: no tensor lies between what it reads and what it writes.

Numba (extra `descent`) compiles it at the first large backward, in seconds, and keeps it on disk.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import numpy as np
import torch
from numba import from_dtype, njit, prange, types
from torch import Tensor

from derivable.compiler.jit import Entry

# Sums may be taken in any order; unlike in full fastmath, infinity and NaN stay what they are.
_FREE = {"reassoc", "contract", "nsz"}


def in_one_pass(
    grad: Tensor, x: Tensor, mean: Tensor, rstd: Tensor, factor: Tensor
) -> tuple[Tensor, Tensor]:
    """The gradient of `x` (N, D), and those of weight and bias as the rows of (2, D)."""
    threads = torch.get_num_threads()
    slope = torch.empty(grad.shape, dtype=grad.dtype)  # (N, D)
    parts = torch.zeros(threads, 2, factor.numel(), dtype=grad.dtype)  # (T, 2, D)
    tensors = grad, x, mean.flatten(), rstd.flatten(), factor, slope, parts
    arrays = [tensor.contiguous().numpy(force=True) for tensor in tensors]
    one, all_at_once = _entries(arrays[0].dtype)
    if threads == 1:  # as is usual in a forked process, where the other would end the process
        one(*arrays, 0)
    else:
        with _one_at_a_time:
            all_at_once(*arrays)
    return slope, parts.sum(0)


def _fill(
    grad: Any, x: Any, mean: Any, rstd: Any, factor: Any, slope: Any, parts: Any, thread: int
) -> None:
    """Fill this thread's share of the rows of `slope`, and add to its part of `parts`."""
    rows, count = grad.shape
    threads, part = parts.shape[0], parts[thread]
    zero, size = grad.dtype.type(0), grad.dtype.type(count)
    for n in range(thread * rows // threads, (thread + 1) * rows // threads):
        average = overlap = zero
        for d in range(count):
            product = grad[n, d] * ((x[n, d] - mean[n]) * rstd[n])
            part[0, d] += product
            part[1, d] += grad[n, d]
            average += grad[n, d] * factor[d]
            overlap += product * factor[d]
        average /= size
        overlap /= size
        for d in range(count):
            unit = (x[n, d] - mean[n]) * rstd[n]
            slope[n, d] = rstd[n] * (grad[n, d] * factor[d] - average - unit * overlap)


def _fill_all(grad: Any, x: Any, mean: Any, rstd: Any, factor: Any, slope: Any, parts: Any) -> None:
    """Fill all shares at once."""
    for thread in prange(parts.shape[0]):
        _share(grad, x, mean, rstd, factor, slope, parts, thread)


_share: Any = njit(fastmath=_FREE, error_model="numpy", nogil=True)(_fill)


@cache
def _entries(dtype: np.dtype[Any]) -> tuple[Entry, Entry]:
    """Both for numbers of that type: one share, and all of them."""
    kinds = [types.Array(from_dtype(dtype), n, "C") for n in (2, 2, 1, 1, 1, 2, 3)]
    one = Entry(_fill, types.void(*kinds, types.int64), fastmath=_FREE)
    return one, Entry(_fill_all, types.void(*kinds), fastmath=_FREE, parallel=True, seconds=1.5)


_one_at_a_time = threading.Lock()  # not every threading layer of Numba may be entered twice
