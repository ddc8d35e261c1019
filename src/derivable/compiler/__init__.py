"""Compiled loops: what Numba compiles, kept on disk so that a machine compiles it once."""
