"""How many threads PyTorch's operations on small tensors run on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

FEW_NUMBERS = 4_000_000  # on which one thread is done in a few milliseconds


@contextmanager
def on_one_thread(numbers: int) -> Iterator[None]:
    """PyTorch's operations inside, on so many numbers, run on one thread where these are few.

    Its threads wait for each other after every operation. Where another process has one of the
    processors, each of them then takes a hundred times as long.
    """
    before = torch.get_num_threads()
    if before == 1 or numbers > FEW_NUMBERS:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
