"""Tables that may be larger than memory: where a copy of one lies, and how one is gone through."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from derivable.system import MEMORY, PROCESS, sizes

ROWS_AT_ONCE = 32_768  # of a table that is gone through part by part, whatever its length
SHARE = 0.5  # of the memory that is free, which a copy may take
GROUP = Path("/sys/fs/cgroup")  # where the limits of a container are
UNKNOWN = 2**62


def allocate(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Zeros, in memory where they take less than half of what is free, else in a mapped file.

    The file lies in the folder of temporary files (`TMPDIR`) and is gone with the array, or with
    the process. The system's page cache keeps what of it fits into memory.
    """
    if math.prod(shape) * dtype.itemsize <= SHARE * free_memory():
        return torch.zeros(shape, dtype=dtype)
    of_numpy = torch.empty(0, dtype=dtype).numpy().dtype
    with tempfile.TemporaryFile() as file:  # the array holds it open
        return torch.from_numpy(np.memmap(file, of_numpy, "w+", shape=shape))


def in_float64(rows: Tensor) -> Tensor:
    """A copy of a table in float64, which lies where `allocate` says; float64 as it is."""
    if rows.dtype == torch.float64 or not rows.is_cpu:
        return rows.double()
    return allocate(tuple(rows.shape), torch.float64).copy_(rows)


def free_memory() -> int:
    """The bytes of memory that this process may still take, as the system and its limits say."""
    return max(0, min(_available(), _left_of_group(), _left_of_process()))


def _available() -> int:
    """What the system can give without swapping."""
    return sizes(MEMORY).get("MemAvailable", UNKNOWN)


def _left_of_group() -> int:
    """What the control group of a container leaves."""
    try:
        limit = (GROUP / "memory.max").read_text("ascii").strip()
        used = int((GROUP / "memory.current").read_text("ascii"))
    except (OSError, ValueError):
        return UNKNOWN
    return UNKNOWN if limit == "max" else int(limit) - used


def _left_of_process() -> int:
    """What the limit of a process leaves of private memory (`ulimit -d`)."""
    try:
        import resource

    except ImportError:  # Windows
        return UNKNOWN
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    used = sizes(PROCESS).get("VmData")
    return UNKNOWN if limit == resource.RLIM_INFINITY or used is None else limit - used
