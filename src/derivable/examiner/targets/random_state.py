"""Context managers that seed or restore the random generators of PyTorch, NumPy and Python."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside, PyTorch, NumPy and Python draw from `seed`; afterwards their states are restored."""
    with unchanged_random_state():
        torch.default_generator.manual_seed(seed)  # torch.manual_seed takes milliseconds
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(seed)
        np.random.seed(seed)  # the user's code may draw from NumPy's global generator
        random.seed(seed)
        yield


@contextlib.contextmanager
def unchanged_random_state() -> Iterator[None]:
    """Restores the states of the global random generators afterwards."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        if devices is not None:
            torch.cuda.set_rng_state_all(devices)
        np.random.set_state(states[1])
        random.setstate(states[2])
