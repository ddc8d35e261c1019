"""Compiled loops: what Numba compiles, kept on disk so that a machine compiles it once."""

import importlib.util


def numba_is_installed() -> bool:
    """Whether there is Numba, of the extra `fast`; it is not imported for that."""
    return importlib.util.find_spec("numba") is not None
